package alertjson

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tocsin-noc/tocsin/ingest/internal/jsonscan"
)

// Fault is what is wrong with one alert.
type Fault struct {
	Kind    FaultKind
	Field   string // path inside the alert, as in labels.severity; "" for the alert itself
	Offset  int    // in bytes from the request's start
	Message string
	Hint    string
}

// FaultKind says how bad a fault is. Alertmanager refuses a whole batch for the first three, in this order of precedence,
// and a single alert for the others.
type FaultKind uint8

// The kinds of fault, the gravest first.
const (
	WrongType FaultKind = iota + 1 // a value of another JSON type than its field's
	WrongForm                      // a generator URL that is no URL
	Missing                        // a field that must be there
	OverLimit
	Inconsistent // start after end, no label left, a name that cannot be
)

// Rejection is what a decoder refuses: the request, or some of its alerts.
type Rejection struct {
	Status  int    // HTTP status for a sender that understands one
	Code    int    // go-swagger's code, as in 400, 601, 602; 0 when the answer is Message as a bare JSON string
	Message string // for people, as Alertmanager words it where it has words for it
	Place   string // of the first fault, as in alerts[3].startsAt; "" for the request itself
	Offset  int    // of the first fault, in bytes from the request's start
	Hint    string // what the operator can do, or ""
	Kept    int    // alerts that were added to the batch nevertheless
	Refused int    // alerts that were not; 0 when the request could not be read so far
	Alerts  []RefusedAlert
}

// RefusedAlert is one entry of a Rejection's list, which is cut at ListedAlerts.
type RefusedAlert struct {
	Index   int // in the request, from 0
	Place   string
	Offset  int
	Message string
}

// ListedAlerts is how many refused alerts a Rejection lists.
const ListedAlerts = 16

// Error returns message, place and hint in one line.
func (r *Rejection) Error() string {
	var b strings.Builder
	if r.Place != "" {
		b.WriteString(r.Place + ": ")
	}
	b.WriteString(strings.ReplaceAll(r.Message, "\n", "; "))
	if r.Hint != "" {
		b.WriteString(" (" + r.Hint + ")")
	}
	return b.String()
}

// NotJSON is the rejection of a request that is no JSON, in Alertmanager's words.
func NotJSON(err *jsonscan.SyntaxError) *Rejection {
	return &Rejection{
		Status:  http.StatusBadRequest,
		Code:    http.StatusBadRequest,
		Message: ParseMessage(err.Error()),
		Offset:  err.Offset,
	}
}

// ParseMessage words a reason as Alertmanager does when it cannot read a request.
func ParseMessage(reason string) string {
	return `parsing alerts body from "" failed, because ` + reason
}

// TooMany is the rejection of a request with more alerts than allowed.
func TooMany(limit, offset int) *Rejection {
	return &Rejection{
		Status:  http.StatusRequestEntityTooLarge,
		Code:    http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("more than %d alerts in one request (limits.alerts_per_request)", limit),
		Offset:  offset,
		Hint:    "send smaller batches or raise limits.alerts_per_request",
	}
}

// Refuse adds the fault of the alert at index to r, which may be nil, and returns it. The messages join to one line each.
func Refuse(r *Rejection, index int, f *Fault) *Rejection {
	place := Place(index, f.Field)
	if r == nil {
		r = &Rejection{Status: http.StatusBadRequest, Place: place, Offset: f.Offset, Hint: f.Hint}
	}
	r.Refused++
	if len(r.Alerts) == ListedAlerts {
		return r
	}
	if r.Message != "" {
		r.Message += "\n"
	}
	r.Message += f.Message
	r.Alerts = append(r.Alerts, RefusedAlert{Index: index, Place: place, Offset: f.Offset, Message: f.Message})
	return r
}

// Finish completes r, which may be nil, once the request is read: how many alerts were kept, how many faults went unlisted.
func (r *Rejection) Finish(kept int) *Rejection {
	if r == nil {
		return nil
	}
	r.Kept = kept
	if more := r.Refused - len(r.Alerts); more > 0 {
		r.Message += fmt.Sprintf("\nand %d more", more)
	}
	return r
}

// Place names a field of the alert at index in a request.
func Place(index int, field string) string {
	if field == "" {
		return fmt.Sprintf("alerts[%d]", index)
	}
	return fmt.Sprintf("alerts[%d].%s", index, field)
}
