//go:build race

package evaluate

const underRace = true
