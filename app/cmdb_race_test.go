//go:build race

package app

// estateItems is less under the race detector, which takes ten times as long and more; the goal is about 50,000.
const estateItems = 1_500
