package kafka

import (
	"net/http"
	"time"

	"github.com/tocsin-noc/tocsin/ingest"
)

// Account keeps the figures of one source, whichever way its alerts come in.
type Account interface {
	Took(events int, now time.Time)                        // events became durable
	Failed(class ingest.Class, text string, now time.Time) // a message could not be read, or not be taken in for now
	Refused(alerts int, text string, now time.Time)        // alerts of a message were none
}

// noAccount is the account where nobody keeps any.
type noAccount struct{}

func (noAccount) Took(int, time.Time)                    {}
func (noAccount) Failed(ingest.Class, string, time.Time) {}
func (noAccount) Refused(int, string, time.Time)         {}

// book adds the verdict to the figures of the source.
func (r *rejected) book(a Account, now time.Time) {
	text := r.Reason
	if r.Place != "" {
		text = r.Place + ": " + text
	}
	switch r.code {
	case 0:
		a.Refused(r.Refused, text, now)
	case http.StatusRequestEntityTooLarge:
		a.Failed(ingest.TooLarge, text, now)
	default:
		a.Failed(ingest.Malformed, text, now)
	}
}
