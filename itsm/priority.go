package itsm

import "github.com/tocsin-noc/tocsin/event"

// unknownImpact stands for the impact of an incident of which no service is known: with it the matrix gives what Priority gives.
const unknownImpact = 2

// PriorityOf returns the priority, 1–5, of an impact and an urgency, 1–3 each: the default 3×3 matrix. What is out of range counts
// as the nearest that is in it.
func PriorityOf(impact, urgency uint8) uint8 {
	return max(1, within3(impact)+within3(urgency)-1)
}

func within3(v uint8) uint8 { return min(max(v, 1), 3) }

// UrgencyOf returns the urgency that follows from a severity: critical 1, major 2, all else 3.
func UrgencyOf(s event.Severity) uint8 {
	switch s {
	case event.Critical:
		return 1
	case event.Major:
		return 2
	default:
		return 3
	}
}
