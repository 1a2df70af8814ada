package engine

import (
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// words are the texts of one field, or of one entry, that go: wherever they stand in that part of the incidents that know them, and in
// the commands that said them. Each is replaced by the same words everywhere, and what the core made of it by what it would have
// made of those, so that a replay of what is left comes to the same.
type words struct {
	field     string             // "" of an entry
	number    uint64             // of the task, the report or the proposal: event.TextPlace
	incident  event.IncidentID   // whose field it is
	incidents []event.IncidentID // that one, and those it was merged with
	known     map[event.IncidentID]bool
	away      map[event.TextPart]map[string]string // what goes, and what stands in its place
	machine   map[string]bool                      // titles that the machine made
	opened    map[uint64]bool                      // records whose command opened the incident
	split     map[uint64]string                    // records that may have split the incident off, and the title
	tickets   map[[2]string]bool                   // supplier and reference of every ticket
	notes     map[uint64]string                    // what the command of a record said besides
	key       uint64
	begun     bool // a change of the incident was seen
	taken     bool // something was taken from the field before
}

func newWords(field string, incident event.IncidentID, key uint64) *words {
	return &words{
		field: field, incident: incident, key: key, known: map[event.IncidentID]bool{}, away: map[event.TextPart]map[string]string{},
		machine: map[string]bool{}, opened: map[uint64]bool{}, split: map[uint64]string{}, notes: map[uint64]string{}, tickets: map[[2]string]bool{},
	}
}

// family adds an incident and all that share words with it: those it went into, that came into it, and that people compared it with.
func (w *words) family(v *correlate.View, id event.IncidentID) {
	i, found := v.Incident(id)
	if id == 0 || !found || w.known[id] {
		return
	}
	w.know(id)
	w.family(v, i.MergedInto)
	if i.Dossier == nil {
		return
	}
	for _, a := range i.Dossier.Absorbed {
		w.family(v, a.Other)
	}
	for _, p := range i.Dossier.Proposals {
		w.family(v, p.Other)
	}
}

func (w *words) know(id event.IncidentID) {
	if id != 0 && !w.known[id] {
		w.known[id] = true
		w.incidents = append(w.incidents, id)
	}
}

// take adds a text to those that go.
func (w *words) take(part event.TextPart, text string) {
	if part == event.TextWhy {
		text = correlate.Clip(strings.TrimPrefix(text, event.MergeUndone+": "))
	}
	if text == "" || event.IsRedacted(text) {
		return
	}
	to := Redacted
	if part.Compared() {
		to = event.RedactedAs(text, w.key)
	}
	w.put(part, text, to)
}

func (w *words) put(part event.TextPart, text, to string) {
	if w.away[part] == nil {
		w.away[part] = map[string]string{}
	}
	w.away[part][strings.Clone(text)] = strings.Clone(to) // a reader's memory is used again
}

// instead returns what stands in the place of a text.
func (w *words) instead(part event.TextPart, text string) string {
	prefix := ""
	key := text
	switch part {
	case event.TextWhy:
		if rest, undone := strings.CutPrefix(text, event.MergeUndone+": "); undone {
			prefix, key = event.MergeUndone+": ", rest
		}
		key = correlate.Clip(key)
	case event.TextTitle:
		if w.machine[text] {
			return text
		}
	default: // every text of it is a person's
	}
	if to, found := w.away[part][key]; found {
		return prefix + to
	}
	return text
}

// swap puts other words in the place of a text that goes, and tells whether it did.
func (w *words) swap(part event.TextPart, text *string) bool {
	to := w.instead(part, *text)
	hit := to != *text
	*text = to
	return hit
}

// ours tells whether a place of a state belongs to the field.
func (w *words) ours(i *event.IncidentState, p event.TextPlace) bool {
	return i.ID == w.incident && p.Part.Field() == w.field && p.Number == w.number
}

// collect takes down what the field says in a change.
func (w *words) collect(ch *event.Change) {
	i := ch.Incident
	if i != nil && w.notes[ch.Seq] != "" {
		w.know(i.ID)
	}
	if i == nil || !w.known[i.ID] {
		return
	}
	if i.ID == w.incident {
		w.collectTitle(ch)
	}
	i.Texts(func(p event.TextPlace, text *string) {
		if w.field == "" || !w.ours(i, p) || *text == "" {
			return
		}
		switch {
		case event.IsRedacted(strings.TrimPrefix(*text, event.MergeUndone+": ")):
			w.taken = true
		case p.Part == event.TextTitle && w.machine[*text], p.Part == event.TextTask && itsm.IsReviewAction(*text),
			p.Part == event.TextWhy && !whyOfPerson(i, p.Number):
		default:
			w.take(p.Part, *text)
		}
	})
	if i.Dossier != nil && i.Dossier.Ticket != nil {
		t := i.Dossier.Ticket
		w.tickets[[2]string{strings.Clone(t.Supplier), strings.Clone(t.Reference)}] = true
	}
}

// present tells whether the field holds what a person wrote, be it taken away already.
func (w *words) present() bool {
	for part, texts := range w.away {
		for text := range texts {
			if w.instead(part, text) != text {
				return true
			}
		}
	}
	return w.taken
}

// collectTitle takes down the title that the machine gave, which it does but once, and what opened the incident.
func (w *words) collectTitle(ch *event.Change) {
	i := ch.Incident
	opened := ch.Kind == event.IncidentOpened
	if opened {
		w.opened[ch.Seq] = true
	}
	switch {
	case i.Pins&event.PinTitle != 0:
	case opened && i.OpenedBy != "":
		w.split[ch.Seq] = strings.Clone(i.Title)
	case i.OpenedBy == "" && (opened || !w.begun): // or the logs no longer reach back to where it was opened
		w.machine[strings.Clone(i.Title)] = true
	}
	w.begun = true
}

// elsewhere tells whether a part is another incident's, which shares it with nobody.
func (w *words) elsewhere(id event.IncidentID, part event.TextPart) bool {
	return part == event.TextTitle && id != w.incident
}

// tellSuppliers sees to the tasks that merges made of second tickets: their titles are not a person's, but repeat what is.
func (w *words) tellSuppliers() {
	for t := range w.tickets {
		was := itsm.TellSupplier(t[0], t[1])
		is := itsm.TellSupplier(w.instead(event.TextSupplier, t[0]), w.instead(event.TextReference, t[1]))
		delete(w.away[event.TextTask], was)
		if was != is {
			w.put(event.TextTask, was, is)
		}
	}
}

func whyOfPerson(i *event.IncidentState, number uint64) bool {
	for _, p := range i.Dossier.Proposals {
		if uint64(p.Number) == number {
			return p.By != "" || strings.HasPrefix(p.Why, event.MergeUndone+": ")
		}
	}
	return false
}

// hide takes what goes out of a change.
func (w *words) hide(ch *event.Change) bool {
	i := ch.Incident
	if i == nil || !w.known[i.ID] {
		return false
	}
	text := w.told(ch) // made of the state as it is
	if note := w.notes[ch.Seq]; note != "" && ch.Actor != "" {
		text = withoutNote(text, note)
	}
	hit := text != ch.Text
	ch.Text = text
	i.Texts(func(p event.TextPlace, s *string) {
		if w.elsewhere(i.ID, p.Part) {
			return
		}
		hit = w.swap(p.Part, s) || hit
	})
	return hit
}

// withoutNote returns the text of an entry without what was said besides what was done.
func withoutNote(text, note string) string {
	if text == note {
		return Redacted
	}
	if did, found := strings.CutSuffix(text, ": "+note); found {
		return did + ": " + Redacted
	}
	return text
}

// told returns an entry's text without the words of the state that it repeats.
func (w *words) told(ch *event.Change) string {
	text := ch.Text
	switch ch.Kind {
	case event.IncidentEdited:
		if w.elsewhere(ch.Incident.ID, event.TextTitle) {
			return text
		}
		return w.toldTitle(text)
	case event.IncidentTasked:
		return w.tail(event.TextTask, text)
	case event.IncidentReviewed:
		return w.tail(event.TextReview, text)
	case event.IncidentRated:
		return w.tail(event.TextRating, text)
	case event.IncidentProposed, event.IncidentMerged, event.IncidentAbsorbed, event.IncidentUnmerged:
		return w.tail(event.TextWhy, text)
	case event.IncidentReported:
		return w.toldReport(ch.Incident.Dossier, text)
	case event.IncidentTicket, event.IncidentChase:
		return w.toldTicket(ch.Incident.Dossier, text)
	default:
		return text
	}
}

// tail replaces what was said about what was done.
func (w *words) tail(part event.TextPart, text string) string {
	did, words, found := strings.Cut(text, ": ")
	if !found {
		return text
	}
	return did + ": " + w.instead(part, words)
}

// toldTitle replaces the titles in the words of an edit, which come first: title "from" → "to".
func (w *words) toldTitle(text string) string {
	const begin, arrow = "title ", " → "
	rest, found := strings.CutPrefix(text, begin)
	if !found {
		return text
	}
	from, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return text
	}
	rest, found = strings.CutPrefix(rest[len(from):], arrow)
	to, err := strconv.QuotedPrefix(rest)
	if !found || err != nil {
		return text
	}
	return begin + w.quoted(from) + arrow + w.quoted(to) + rest[len(to):]
}

func (w *words) quoted(quote string) string {
	title, err := strconv.Unquote(quote)
	if err != nil {
		return quote
	}
	if to := w.instead(event.TextTitle, title); to != title {
		return strconv.Quote(to)
	}
	return quote
}

// toldReport replaces what a report repeats: the caller, the text, or both.
func (w *words) toldReport(d *event.Dossier, text string) string {
	if d == nil || len(d.Reports) == 0 {
		return text
	}
	r := &d.Reports[len(d.Reports)-1]
	caller := r.Caller
	if r.Caller != r.By {
		caller = w.instead(event.TextCaller, r.Caller)
	}
	words := w.instead(event.TextReport, r.Text)
	switch text {
	case r.Caller:
		return caller
	case r.Caller + ": " + r.Text:
		return caller + ": " + words
	case ": " + r.Text:
		return ": " + words
	}
	return text
}

// toldTicket replaces supplier and reference, which the state holds, or held until the ticket was taken back.
func (w *words) toldTicket(d *event.Dossier, text string) string {
	if d != nil && d.Ticket != nil {
		to, _ := w.toldOf(d.Ticket.Supplier, d.Ticket.Reference, text)
		return to
	}
	for t := range w.tickets {
		if to, found := w.toldOf(t[0], t[1], text); found {
			return to
		}
	}
	return text
}

// toldOf replaces supplier and reference in a text about their ticket, and tells whether it is one.
func (w *words) toldOf(supplier, reference, text string) (string, bool) {
	s, r := w.instead(event.TextSupplier, supplier), w.instead(event.TextReference, reference)
	if text == "ask "+supplier+" about ticket "+reference {
		return "ask " + s + " about ticket " + r, true
	}
	rest, found := strings.CutPrefix(text, "ticket "+reference+" of "+supplier)
	if !found || rest != "" && rest[0] != ':' && !strings.HasPrefix(rest, " taken back") {
		return text, false
	}
	return "ticket " + r + " of " + s + rest, true
}

// hideCommand takes what goes out of a command.
func (w *words) hideCommand(seq uint64, c *event.Command) (hit bool) {
	if !w.known[event.IncidentID(c.Incident)] && !w.opened[seq] {
		return false
	}
	swap := func(part event.TextPart, text *string) { hit = w.swap(part, text) || hit }
	if c.Edit != nil && c.Edit.Fields&event.PinTitle != 0 && (event.IncidentID(c.Incident) == w.incident || w.opened[seq]) {
		swap(event.TextTitle, &c.Edit.Title)
	}
	if c.Task != nil {
		swap(event.TextTask, &c.Task.Title)
	}
	if r := c.Report; r != nil {
		swap(event.TextReport, &r.Text)
		if r.Caller != c.Actor {
			swap(event.TextCaller, &r.Caller)
		}
	}
	if t := c.Ticket; t != nil {
		swap(event.TextSupplier, &t.Supplier)
		swap(event.TextReference, &t.Reference)
		swap(event.TextLastWord, &t.LastWord)
	}
	if c.Major != nil {
		swap(event.TextBridge, &c.Major.Bridge)
	}
	if c.Review != nil {
		swap(event.TextReview, &c.Review.Summary)
	}
	switch c.Kind {
	case event.Rate:
		swap(event.TextRating, &c.Text)
	case event.Merge, event.Unmerge:
		swap(event.TextWhy, &c.Text)
	case event.Split:
		if title := correlate.Clip(c.Text); w.opened[seq] && w.instead(event.TextTitle, title) != title {
			c.Text, hit = Redacted, true
		}
	default: // no words of the state in its text
	}
	if note := w.notes[seq]; note != "" && c.Text == note {
		c.Text, hit = Redacted, true
	}
	return hit
}
