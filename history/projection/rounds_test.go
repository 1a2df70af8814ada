//go:build !soak

package projection_test

const rounds = 5 // of crashes
