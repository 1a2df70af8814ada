//go:build race

package pairs

// seeds is of how many random streams a test asks: few under the race detector, which makes each ten times as long and has nothing to find
// where there is one goroutine. `make test` runs this package without it as well.
func seeds(n uint64) uint64 { return (n + 2) / 3 }
