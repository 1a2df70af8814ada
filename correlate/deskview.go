package correlate

import (
	"iter"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Window is a maintenance window of a view.
type Window struct {
	event.Window
	w *window
}

// Windows yields a tenant's maintenance windows in the order they were made, those that are over among them until they are
// forgotten.
func (v *View) Windows(tenant string) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for _, w := range v.desk.Windows {
			if event.InTenant(tenant, w.Tenant) && !yield(Window{w.Window, w}) {
				return
			}
		}
	}
}

// Over tells whether there will be no further occurrence.
func (w Window) Over() bool { return w.w.over() }

// Matches tells whether an alert with these labels is what the window is about.
func (w Window) Matches(ls event.Labels) bool { return w.w.matches(w.Tenant, ls) }

// Occurrence is one time at which a window runs, half-open.
type Occurrence struct{ From, Until event.Time }

// Occurrences returns when the window runs between two moments, the first maxOccurrences of them.
func (w Window) Occurrences(from, until event.Time) (out []Occurrence) {
	const most = 1000
	for at := from; at < until && len(out) < most; {
		open := w.w.opening(at)
		if open == event.Never || open >= until {
			return out
		}
		if !w.w.holds(open) { // looked ahead as far as one does at a time
			at = open
			continue
		}
		closing := w.w.closing(open)
		out = append(out, Occurrence{open, closing})
		at = closing
	}
	return out
}

// WindowsOver returns the windows that run and are about an alert with these labels.
func (v *View) WindowsOver(tenant string, ls event.Labels) (out []Window) {
	for w := range v.Windows(tenant) {
		if w.Runs() && w.Matches(ls) {
			out = append(out, w)
		}
	}
	return out
}

// Storms yields a tenant's storms, the latest first; one that has not ended has no EndedAt.
func (v *View) Storms(tenant string) iter.Seq[event.Storm] {
	return func(yield func(event.Storm) bool) {
		for _, t := range slices.Backward(v.desk.Storms) {
			if event.InTenant(tenant, t.Tenant) && t.Number != 0 && !yield(t.Storm) {
				return
			}
		}
	}
}

// Heartbeats yields a tenant's heartbeats in the order they were first heard, with their last word as of the view.
func (v *View) Heartbeats(tenant string) iter.Seq[event.Heartbeat] {
	return func(yield func(event.Heartbeat) bool) {
		for _, b := range v.desk.Beats {
			if !event.InTenant(tenant, b.Tenant) {
				continue
			}
			out := *b
			out.LastWord = max(out.LastWord, v.lastWord(b))
			if !yield(out) {
				return
			}
		}
	}
}

func (v *View) lastWord(b *event.Heartbeat) (last event.Time) {
	if a, known := v.Alert(b.Alert); known {
		for c := range a.Claims() {
			last = max(last, c.SeenAt)
		}
		return last
	}
	for src := range v.Sources() {
		if b.Alert == 0 && src.Name == b.Source && src.Tenant == b.Tenant {
			last = src.LastWord
		}
	}
	return last
}

// Book is what one team's shifts hand to each other.
type Book struct {
	SignedAt event.Time // 0: never
	SignedBy string
	Notes    []event.Handover // since then
}

// Book returns a team's book; that of the empty team is the tenant's.
func (v *View) Book(tenant, team string) Book {
	if i := v.desk.book(tenant, team); i >= 0 {
		b := v.desk.Books[i]
		return Book{b.SignedAt, b.SignedBy, b.Notes}
	}
	return Book{}
}
