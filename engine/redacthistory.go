package engine

import (
	"context"

	"github.com/tocsin-noc/tocsin/event"
)

// What another keeper of the same texts needs to take away the same: a redaction leaves its own copies alone.

// RedactedAs returns what stands in the place of a text that decisions compare, once it was taken away.
func (e *Engine) RedactedAs(text string) string { return event.RedactedAs(text, e.instance) }

// SharesWords lists the incidents that may repeat what people said in one: itself, and those it was merged or compared with.
func (e *Engine) SharesWords(ctx context.Context, incident event.IncidentID) ([]event.IncidentID, error) {
	v, err := e.View(ctx)
	if err != nil {
		return nil, err
	}
	w := newWords("", incident, e.instance)
	w.family(v, incident)
	return w.incidents, nil
}
