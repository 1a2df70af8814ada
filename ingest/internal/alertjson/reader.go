// Package alertjson reads alerts that are written as JSON objects in the manner of Prometheus: sets of labels and
// annotations, two times, a URL. The formats that share this shape (Alertmanager's API and webhook, Tocsin's own) name
// their fields and judge the result; reading, limits and the wording of refusals are here.
//
// It knows no HTTP and no batch as a whole. One goroutine owns a Reader, for one request.
package alertjson

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/internal/jsonscan"
)

// Field is a field of an alert that some format knows.
type Field uint8

// The fields. A format lists the ones it has, under its own names.
const (
	Labels Field = iota + 1
	Annotations
	StartsAt
	EndsAt
	URL
	Status
	CI
	Ignored // known and of no use here
)

// Name is a field's name in a format.
type Name struct {
	Text  string
	Field Field
}

// Format is what differs between the senders of alerts.
type Format struct {
	Names  [8]Name // searched from the front; the rest stays empty
	Strict bool    // names must match exactly, others are a fault; else as encoding/json matches, others are ignored
}

// Alert is an alert as it was written. It is valid until the next Read; its strings live as long as the request's text.
type Alert struct {
	Labels      event.Labels // sorted, names unique, no empty value once Seal has passed them
	Annotations event.Labels
	HasLabels   bool      // labels were given, if only {}
	StartsAt    time.Time // zero: not set
	EndsAt      time.Time // zero: not set
	URL         string
	Status      string
	CI          string
}

// EndsBeforeStart tells whether the alert contradicts itself. One that names no end must not start after latestStart.
func (a *Alert) EndsBeforeStart(latestStart time.Time) bool {
	switch {
	case a.StartsAt.IsZero():
		return false
	case a.EndsAt.IsZero():
		return a.StartsAt.After(latestStart)
	}
	return a.EndsAt.Before(a.StartsAt)
}

// Over tells whether the alert's end is set and not after now.
func (a *Alert) Over(now time.Time) bool { return !a.EndsAt.IsZero() && !a.EndsAt.After(now) }

// Reader reads the alerts of one request.
type Reader struct {
	Scanner jsonscan.Scanner
	Alert   Alert
	Limits  Limits

	format Format
	batch  *event.Batch
	offset int // of the alert being read
	fault  *Fault
}

// NewReader returns a reader of b's body that writes to b: to the body where it has escapes, and label sets to its space.
func NewReader(b *event.Batch, format Format, limits Limits) Reader {
	r := Reader{Scanner: jsonscan.New(b.Body), Limits: limits.withDefaults(), format: format, batch: b}
	r.Alert.Labels = b.LabelSpace(scratchLabels)
	r.Alert.Annotations = b.LabelSpace(scratchLabels)
	return r
}

// scratchLabels is room for the label set being read; larger ones cost an allocation.
const scratchLabels = 32

// Read consumes the next value, which should be an alert, into r.Alert; null gives one without anything. What does not fit
// its field is skipped and noted for TakeFault; a syntax error stays in the Scanner.
func (r *Reader) Read() {
	a := &r.Alert
	*a = Alert{Labels: a.Labels[:0], Annotations: a.Annotations[:0]}
	r.fault = nil
	c := r.Scanner.Peek()
	r.offset = r.Scanner.Offset()
	switch {
	case c == 'n':
		r.Scanner.Skip()
		return
	case c != '{':
		r.Mismatch("", "an object", c)
		return
	}
	r.Scanner.Enter()
	for name, ok := r.Scanner.Member(true); ok; name, ok = r.Scanner.Member(false) {
		r.field(name)
	}
}

func (r *Reader) field(name string) {
	a := &r.Alert
	switch r.format.lookup(name) {
	case Labels:
		a.Labels, a.HasLabels = r.set(a.Labels, labelSet)
	case Annotations:
		a.Annotations, _ = r.set(a.Annotations, annotationSet)
	case StartsAt:
		r.time(&a.StartsAt, name)
	case EndsAt:
		r.time(&a.EndsAt, name)
	case URL:
		a.URL = ""
		r.Text(&a.URL, name)
	case Status:
		r.Text(&a.Status, name)
	case CI:
		r.Text(&a.CI, name)
	case Ignored:
		r.Scanner.Skip()
	default:
		if r.format.Strict {
			r.report(Fault{Kind: WrongType, Field: name, Message: fmt.Sprintf("unknown field %q", name), Hint: r.format.hint()})
		}
		r.Scanner.Skip()
	}
}

// lookup finds name's field, 0 when there is none.
func (f *Format) lookup(name string) Field {
	for i := range f.Names {
		if f.Names[i].Text == name {
			return f.Names[i].Field
		}
	}
	if !f.Strict {
		for i := range f.Names {
			if strings.EqualFold(f.Names[i].Text, name) {
				return f.Names[i].Field
			}
		}
	}
	return 0
}

// name returns what the format calls field.
func (f *Format) name(field Field) string {
	for _, n := range f.Names {
		if n.Field == field {
			return n.Text
		}
	}
	return ""
}

func (f *Format) hint() string {
	var names []string
	for _, n := range f.Names {
		if n.Text != "" {
			names = append(names, n.Text)
		}
	}
	return "known fields are " + strings.Join(names, ", ")
}

// Text consumes a string into text; null leaves it as it is. Anything else is a fault of field.
func (r *Reader) Text(text *string, field string) {
	switch c := r.Scanner.Peek(); c {
	case '"':
		*text = r.Scanner.Text()
	case 'n':
		r.Scanner.Skip()
	default:
		r.Mismatch(field, "a string", c)
	}
}

// time consumes a point in time into t; null leaves it as it is.
func (r *Reader) time(t *time.Time, field string) {
	if r.Scanner.Peek() != '"' {
		var none string
		r.Text(&none, field)
		return
	}
	offset := r.Scanner.Offset()
	at, err := jsonscan.ParseTime(r.Scanner.Text())
	if err != nil {
		r.report(Fault{
			Kind: WrongType, Field: field, Offset: offset,
			Message: err.Error(), Hint: "times are RFC 3339, as in 2026-11-20T22:23:29.496Z",
		})
		return
	}
	*t = at
}

// Uint consumes an unsigned integer; null leaves it 0.
func (r *Reader) Uint(field string) (v uint64) {
	c := r.Scanner.Peek()
	offset := r.Scanner.Offset()
	switch {
	case c == 'n':
		r.Scanner.Skip()
	case c == '-' || '0' <= c && c <= '9':
		v, ok := r.Scanner.Uint()
		if ok || r.Scanner.Err() != nil {
			return v
		}
		r.report(Fault{
			Kind: WrongType, Field: field, Offset: offset,
			Message: "json: cannot unmarshal number into " + field + ", which is an unsigned integer",
		})
	default:
		r.Mismatch(field, "an unsigned integer", c)
	}
	return 0
}

// Mismatch skips a value that begins with c and reports it, unless it is no JSON at all.
func (r *Reader) Mismatch(field, want string, c byte) {
	offset := r.Scanner.Offset()
	r.Scanner.Skip()
	if r.Scanner.Err() != nil {
		return
	}
	into := cmp.Or(field, "an alert")
	r.report(Fault{
		Kind: WrongType, Field: field, Offset: offset,
		Message: "json: cannot unmarshal " + kind(c) + " into " + into + ", which is " + want,
	})
}

func kind(c byte) string {
	switch c {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// report keeps f if it is graver than what is known about the alert. An offset that was not given is the alert's.
func (r *Reader) report(f Fault) {
	if r.fault != nil && r.fault.Kind <= f.Kind {
		return
	}
	if f.Offset == 0 {
		f.Offset = r.offset
	}
	r.fault = &f
}

// TakeFault returns the gravest fault since the last call or Read, the first of its kind, nil when there is none.
func (r *Reader) TakeFault() *Fault {
	f := r.fault
	r.fault = nil
	return f
}

// Report lets a format add what it finds wrong with the alert.
func (r *Reader) Report(kind FaultKind, field, message, hint string) {
	r.report(Fault{Kind: kind, Field: field, Message: message, Hint: hint})
}
