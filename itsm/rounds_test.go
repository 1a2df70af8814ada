package itsm

import "os"

// seeds is how many random runs a test makes: few where each change is tested, all of them with SOAK=1.
func seeds(few, all uint64) uint64 {
	if os.Getenv("SOAK") != "" {
		return all
	}
	return few
}
