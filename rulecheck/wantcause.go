package rulecheck

import (
	"cmp"
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// noVerdict is the word for a cause that nobody judged.
const noVerdict = "none"

// wantCause is what must be said of an incident's root cause: by the machine, and by people. A zero place: it may be anything.
type wantCause struct {
	firstAt, confidentAt, verdictAt, onAt strict.Place

	first     string // "": there must be no candidate
	confident bool
	verdict   string
	on        string
}

func (w *wantCause) fields() []strict.Field {
	return []strict.Field{
		{Key: "cause", Value: placed(&w.firstAt, strict.Text(&w.first))},
		{Key: "confident", Value: placed(&w.confidentAt, strict.Bool(&w.confident))},
		{Key: "verdict", Value: placed(&w.verdictAt, strict.OneOf(&w.verdict, append(verdicts(), noVerdict)...))},
		{Key: "verdict_on", Value: placed(&w.onAt, strict.Text(&w.on))},
	}
}

// verdicts lists the names of what people may say of a cause.
func verdicts() (names []string) {
	for v := event.CauseRight; v <= event.CauseOther; v++ {
		names = append(names, v.String())
	}
	return names
}

// misses lists what is not as expected of a cause.
func (w *wantCause) misses(c *event.Causes) (list []miss) {
	check := func(at strict.Place, what, want, got string) {
		if at.Line > 0 && want != got {
			m := miss{at: at}
			m.differs(what, want, got)
			list = append(list, m)
		}
	}
	first := ""
	if len(c.Candidates) > 0 {
		first = c.Candidates[0].CI
	}
	check(w.firstAt, "cause", w.first, first)
	check(w.confidentAt, "confident", fmt.Sprint(w.confident), fmt.Sprint(c.Confident))
	check(w.verdictAt, "verdict", w.verdict, cmp.Or(c.Verdict.String(), noVerdict))
	check(w.onAt, "verdict_on", w.on, c.VerdictOn)
	return list
}
