package engine

import (
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// fieldOfEntry names the field whose words an entry repeats, "" when what is said in it is its own.
func fieldOfEntry(k event.ChangeKind) string {
	switch k {
	case event.IncidentOpened, event.IncidentEdited:
		return "title"
	case event.IncidentTasked:
		return "task 1"
	case event.IncidentReported:
		return "report 1"
	case event.IncidentReviewed:
		return "review"
	case event.IncidentRated:
		return "rating"
	case event.IncidentTicket, event.IncidentChase:
		return "ticket"
	default:
		return ""
	}
}

// shared tells whether what is said in such an entry stands in others of the same command, and in proposals.
func shared(k event.ChangeKind) bool {
	switch k {
	case event.IncidentProposed, event.IncidentMerged, event.IncidentAbsorbed, event.IncidentUnmerged, event.IncidentLinked:
		return true
	default:
		return false
	}
}

// noteOf returns what a person said in an entry, besides what was done.
func (e *Engine) noteOf(ch *event.Change) (string, error) {
	if ch.Kind == event.IncidentHeld {
		if ch.Incident.HeldFor == "" {
			return "", notSaid(ch)
		}
		return ch.Incident.HeldFor, nil
	}
	field := fieldOfEntry(ch.Kind)
	if field != "" && ch.Kind != event.IncidentTicket {
		return "", notSaid(ch)
	}
	in, err := e.inputAt(ch.Seq)
	if err != nil {
		return "", fmt.Errorf("engine: redact: %w", err)
	}
	if in == nil { // the journal let go of it
		return saidIn(ch), nil
	}
	note := in.Command.Text
	if note == "" || withoutNote(ch.Text, note) == ch.Text && !strings.HasSuffix(ch.Text, Redacted) {
		return "", notSaid(ch)
	}
	return note, nil
}

// saidIn finds what a person said in an entry by its form.
func saidIn(ch *event.Change) string {
	switch ch.Kind {
	case event.IncidentProposed, event.IncidentMerged, event.IncidentAbsorbed, event.IncidentUnmerged, event.IncidentLinked, event.IncidentMajor,
		event.IncidentTicket:
		_, note, _ := strings.Cut(ch.Text, ": ")
		return note
	case event.IncidentAnswered: // rejected: merge INC-2: why
		_, rest, _ := strings.Cut(ch.Text, ": ")
		_, note, _ := strings.Cut(rest, ": ")
		return note
	default:
		return ch.Text
	}
}

func notSaid(ch *event.Change) error {
	r := &event.Refusal{
		Code: event.Invalid, Message: fmt.Sprintf("entry %v of %v holds no text of its own that a person wrote", cursorOf(ch), ch.Incident.ID),
	}
	if field := fieldOfEntry(ch.Kind); field != "" {
		r.Hint = fmt.Sprintf("what it repeats goes with its field, as in `tocsin redact %v --field '%s'`", ch.Incident.ID, field)
	}
	return r
}

// entryWords are what was said in an entry whose command left others.
func (e *Engine) entryWords(ch *event.Change, note string) *words {
	w := newWords("", ch.Incident.ID, e.instance)
	w.notes[ch.Seq] = note
	if ch.Kind != event.IncidentLinked {
		w.take(event.TextWhy, note)
		if note == Redacted {
			return w
		}
	}
	return w
}
