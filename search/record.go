package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
)

// Fields in which a hit may lie.
const (
	FieldTitle  = "title"
	FieldLabel  = "label"
	FieldNote   = "note"
	FieldReason = "reason" // of a resolution, a hold, a cancellation
	FieldUpdate = "update" // told to those who are hit
	FieldReport = "report" // of somebody who is hit
	FieldTask   = "task"
	FieldTicket = "ticket" // at a supplier
	FieldReview = "review"
	FieldOther  = "timeline" // what people wrote on any other step
	FieldID     = "id"       // no text: the incident was asked for by its number, or by filters alone
)

// Bounds of what one incident has in the index. Beyond them the oldest texts leave it, counted.
const (
	maxTexts     = 500
	maxTextBytes = 256 << 10
	maxText      = 64 << 10
)

// record is what the index keeps of an incident, and all that it needs to make its document anew.
type record struct {
	ID       event.IncidentID
	Tenant   string
	Title    string       `json:",omitempty"`
	Rule     string       `json:",omitempty"`
	Team     string       `json:",omitempty"`
	Assignee string       `json:",omitempty"`
	CI       string       `json:",omitempty"`
	Status   []string     // the phase, and facts besides it
	Severity string       `json:",omitempty"`
	Priority uint8        `json:",omitempty"`
	Labels   event.Labels `json:",omitempty"`
	Dossier  []text       `json:",omitempty"` // texts that the state holds; they come and go with it
	Opened   event.Time   `json:",omitempty"`
	Updated  event.Time   `json:",omitempty"` // the latest change of any kind
	Noted    uint32       `json:",omitempty"` // notes that the state counts
	Dropped  uint32       `json:",omitempty"` // texts over the bounds
	State    place        // of the change that the fields above are from
	Texts    []text       `json:",omitempty"` // in the order of their places
}

// text is what a person wrote.
type text struct {
	At    place      `json:",omitzero"` // of the change; zero in the dossier
	Time  event.Time `json:",omitempty"`
	By    string     `json:",omitempty"`
	Field string
	Text  string
}

// place is where in the changes log a change stands.
type place struct {
	Seq uint64
	N   uint32
}

func (p place) before(q place) bool { return p.Seq < q.Seq || p.Seq == q.Seq && p.N < q.N }

func comparePlaces(a, b place) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	}
	return 0
}

// Wanted tells whether a kind of change can alter the index.
func Wanted(k event.ChangeKind) bool { return strings.HasPrefix(k.String(), "incident_") }

// fold brings a change in. It may come again, and after later ones.
func (r *record) fold(ch *event.Change) {
	at := place{ch.Seq, ch.N}
	if !at.before(r.State) {
		r.state(ch.Incident, at)
	}
	r.Updated = max(r.Updated, ch.At)
	if field := fieldOf(ch); field != "" {
		r.add(text{At: at, Time: ch.At, By: ch.Actor, Field: field, Text: cut(ch.Text)})
	}
}

func (r *record) state(i *event.IncidentState, at place) {
	r.ID, r.Tenant, r.State = i.ID, i.Tenant, at
	r.Title, r.Rule, r.Team, r.Assignee, r.CI = i.Title, i.Rule, i.Team, i.Assignee, i.CI
	r.Severity, r.Priority, r.Labels = i.Severity.String(), i.Priority, event.SharedLabels(i.Rule, i.Labels)
	r.Opened, r.Noted = i.OpenedAt, i.Notes
	r.Updated = max(r.Updated, i.OpenedAt, i.LastOnset, i.AckedAt, i.ResolvedAt, i.ClosedAt)
	r.Status = []string{i.Phase.String()}
	if i.Phase == event.IncidentOpen {
		for word, is := range map[string]bool{"acknowledged": i.AckedAt != 0, "snoozed": i.SnoozedUntil != 0, "held": i.HeldUntil != 0} {
			if is {
				r.Status = append(r.Status, word)
			}
		}
		slices.Sort(r.Status[1:])
	}
	r.Dossier = dossier(i.Dossier)
}

// dossier returns the texts that the state itself holds.
func dossier(d *event.Dossier) (out []text) {
	if d == nil {
		return nil
	}
	put := func(field string, at event.Time, by, words string) {
		if words != "" && len(out) < maxTexts {
			out = append(out, text{Time: at, By: by, Field: field, Text: cut(words)})
		}
	}
	for _, t := range d.Tasks {
		put(FieldTask, t.DoneAt, t.Assignee, t.Title)
	}
	if t := d.Ticket; t != nil {
		put(FieldTicket, 0, "", strings.TrimSpace(t.Supplier+" "+t.Reference))
		put(FieldTicket, t.LastWordAt, "", t.LastWord)
	}
	for _, p := range d.Reports {
		put(FieldReport, p.At, p.By, p.Text)
	}
	if d.Review != nil {
		put(FieldReview, d.Review.DoneAt, d.Review.DoneBy, d.Review.Summary)
	}
	return out
}

// fieldOf returns where a change's text is found, "" when it is not: the machine's own phrases are the same everywhere.
func fieldOf(ch *event.Change) string {
	if ch.Text == "" || ch.Actor == "" {
		return ""
	}
	switch ch.Kind {
	case event.IncidentNoted:
		return FieldNote
	case event.IncidentResolved, event.IncidentHeld, event.IncidentCancelled, event.IncidentClosed:
		return FieldReason
	case event.IncidentTold:
		return FieldUpdate
	case event.IncidentReported:
		return FieldReport
	case event.IncidentTasked:
		return FieldTask
	case event.IncidentTicket:
		return FieldTicket
	case event.IncidentReviewed:
		return FieldReview
	default:
		return FieldOther
	}
}

// add puts a text in its place, or in that of the same text before.
func (r *record) add(t text) {
	i, found := slices.BinarySearchFunc(r.Texts, t.At, func(t text, at place) int { return comparePlaces(t.At, at) })
	if found {
		r.Texts[i] = t
	} else {
		r.Texts = slices.Insert(r.Texts, i, t)
	}
	size := 0
	for _, t := range r.Texts {
		size += len(t.Text)
	}
	for len(r.Texts) > maxTexts || size > maxTextBytes {
		size -= len(r.Texts[0].Text)
		r.Texts = slices.Delete(r.Texts, 0, 1)
		r.Dropped++
	}
}

// blank takes a text away, wherever the incident holds the same words.
func (r *record) blank(at place) (found bool) {
	i, found := slices.BinarySearchFunc(r.Texts, at, func(t text, at place) int { return comparePlaces(t.At, at) })
	if !found || r.Texts[i].Text == "" {
		return false
	}
	words := r.Texts[i].Text
	r.Dossier = slices.DeleteFunc(slices.Clone(r.Dossier), func(t text) bool { return t.Text == words })
	for i := range r.Texts {
		if r.Texts[i].Text == words {
			r.Texts[i].Text = ""
		}
	}
	return true
}

// incomplete tells whether the state counts more notes than were found.
func (r *record) incomplete() bool {
	notes := r.Dropped
	for i := range r.Texts {
		if r.Texts[i].Field == FieldNote {
			notes++
		}
	}
	return notes < r.Noted
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
