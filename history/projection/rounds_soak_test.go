//go:build soak

package projection_test

const rounds = 30 // of crashes
