package event

import (
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// Event is what one source says about one label set at one moment. Its strings may alias the buffer of its Batch.
type Event struct {
	Labels          Labels
	Annotations     Labels
	GeneratorURL    string
	StartsAt        Time // 0: not said, the moment of arrival
	EndsAt          Time // 0: not said
	Cleared         bool // the source says it is over (status resolved, or EndsAt past when it was sent)
	Severity        Severity
	SeverityUnknown bool // no severity label, or a word nobody knows: Severity is a guess

	// Set by Batch.Add; they follow from the fields above and the tenant.
	Identity uint64 // Labels.Identity
	Content  uint64 // xxhash of content
	content  []byte // labels, annotations and generator URL as the codec writes them
}

// Batch is what arrived together: one request body, one Kafka message. The engine owns it from hand-over to Recycle.
type Batch struct {
	Source   Source
	Position Position
	Sent     Time // when the message was written, if that is known to differ from its arrival (Kafka); 0 otherwise
	Events   []Event

	Body    []byte  // the bytes the events were read from; Events may alias it
	labels  []Label // backing store of the events' label sets
	content []byte  // backing store of the events' contents
	scratch []byte
}

// Reset empties b for reuse and keeps its buffers. Nothing may still point into it.
func (b *Batch) Reset() {
	clear(b.Events)
	clear(b.labels)
	*b = Batch{Events: b.Events[:0], Body: b.Body[:0], labels: b.labels[:0], content: b.content[:0], scratch: b.scratch}
}

// LabelSpace returns an empty slice to append a label set to before Add; it saves an allocation per alert.
func (b *Batch) LabelSpace(n int) Labels {
	if cap(b.labels)-len(b.labels) < n {
		b.labels = make([]Label, 0, max(1024, n, min(2*cap(b.labels), 1<<16)))
	}
	start := len(b.labels)
	b.labels = b.labels[:start+n]
	return b.labels[start : start : start+n]
}

// Add appends ev, whose label sets must be sorted, and fills in its identity, severity and content.
func (b *Batch) Add(ev Event) {
	ev.Severity, ev.SeverityUnknown = severityOf(ev.Labels)
	ev.Identity, b.scratch = ev.Labels.Identity(b.Source.Tenant, b.scratch)
	start := len(b.content)
	b.content = appendContent(b.content, &ev)
	ev.content = b.content[start:len(b.content):len(b.content)]
	ev.Content = xxhash.Sum64(ev.content)
	b.Events = append(b.Events, ev)
}

func severityOf(ls Labels) (Severity, bool) {
	s, known := ParseSeverity(ls.Get("severity"))
	return s, !known
}

// Size returns how many bytes of text the events hold.
func (b *Batch) Size() int { return len(b.content) }

// stringOf views b as a string; b must not change while the string lives.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
