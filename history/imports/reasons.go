package imports

import (
	"cmp"
	"regexp"
	"slices"
)

// RejectReason is why rows were rejected, and how many of them.
type RejectReason struct {
	Reason string   `json:"reason" doc:"of the first of the rows"`
	Column string   `json:"column" doc:"empty: it is about the row"`
	Values []string `json:"values" doc:"what stood there, the first few that differ, beginning with the first row's"`
	Line   int      `json:"line" doc:"of the first of the rows"`
	Count  int      `json:"count" doc:"rows"`
}

const (
	mostReasons = 10   // that a summary lists
	mostValues  = 4    // that are listed of one
	keptReasons = 1000 // that are told apart
)

// tally counts rejected rows by why they were. One goroutine owns it.
type tally struct {
	of     map[string]*RejectReason
	others int // rows for reasons beyond those that are told apart
}

// figures are what tells reasons of one kind from each other: lines, times, lengths.
var figures = regexp.MustCompile(`\d+`)

func (r *tally) add(one *Reject) {
	key := one.Column + "\x00" + figures.ReplaceAllLiteralString(one.Reason, "0")
	known := r.of[key]
	if known == nil {
		if len(r.of) == keptReasons {
			r.others++
			return
		}
		if r.of == nil {
			r.of = map[string]*RejectReason{}
		}
		known = &RejectReason{Reason: one.Reason, Column: one.Column, Values: []string{}, Line: one.Line}
		r.of[key] = known
	}
	known.Count++
	if (known.Count == 1 || len(known.Values) > 0) && one.Value != "" && len(known.Values) < mostValues && !slices.Contains(known.Values, one.Value) {
		known.Values = append(known.Values, one.Value)
	}
}

// list returns the most frequent reasons, and how many rows were rejected for others.
func (r *tally) list() (list []RejectReason, others int) {
	list, others = []RejectReason{}, r.others
	for _, one := range r.of {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b RejectReason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Reason, b.Reason))
	})
	for _, one := range list[min(len(list), mostReasons):] {
		others += one.Count
	}
	return list[:min(len(list), mostReasons)], others
}
