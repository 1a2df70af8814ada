package evaluate

import (
	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// Request says what to evaluate.
type Request struct {
	Rules     []rules.File                    // nil: the scenario's own, else those shipped
	Baselines bool                            // compare with simple methods too
	Progress  func(part string, done, of int) // told now and then how far it is; may be nil
}

// Evaluate replays a scenario twice and judges the first outcome; the second must give the same changes, byte for byte.
func Evaluate(s *scenario.Scenario, q Request) (*Report, *Outcome, error) {
	first, err := Replay(s, q.options("replay"))
	if err != nil {
		return nil, nil, err
	}
	again, err := Replay(s, q.options("replay again"))
	if err != nil {
		return nil, nil, err
	}
	r := Judge(s, first)
	identical := first.Digest == again.Digest
	r.ReplayIdentical = &identical
	if q.Baselines {
		r.Baselines = CompareBaselines(s)
	}
	return r, first, nil
}

func (q *Request) options(part string) Options {
	o := Options{Rules: q.Rules}
	if q.Progress != nil {
		o.Progress = func(done, of int) { q.Progress(part, done, of) }
	}
	return o
}
