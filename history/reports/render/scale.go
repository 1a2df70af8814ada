package render

import (
	"math"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// ticks returns round values from 0 to the first that is not below most.
func ticks(most float64, unit reports.Unit) []float64 {
	if most <= 0 {
		most = 1
	}
	step := round(most/4, unit)
	if unit == reports.Count {
		step = math.Max(1, step)
	}
	out := []float64{0}
	for i := 1; out[len(out)-1] < most-step*1e-9; i++ {
		out = append(out, float64(i)*step)
	}
	return out
}

// round returns the next round number of a unit that is not below f.
func round(f float64, unit reports.Unit) float64 {
	if unit == reports.Seconds {
		for _, step := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400} {
			if f >= 1 && f <= step {
				return step
			}
		}
		if f > 86400 {
			return round(f/86400, reports.Number) * 86400
		}
	}
	power := math.Pow(10, math.Floor(math.Log10(f)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if f <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}
