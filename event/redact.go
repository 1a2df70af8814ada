package event

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Redacted stands where a text was taken away.
const Redacted = "[redacted]"

// Redaction puts other words in the place of a person's in the state: in an incident's, an outage's or a configuration item's.
type Redaction struct {
	Place     TextPlace // of Command.Incident
	Words     string    // what stands there from now on
	Outage    uint32    // number of the outage whose cause goes
	CI        string    // ID of the item one of whose attributes goes, in every version of it
	Attribute string
	Key       uint64 // of RedactedAs
}

// TextPart is a part of an incident in which a person's words stand for as long as it lives. Values are part of the wire format.
type TextPart uint8

// Parts of an incident that hold words.
const (
	TextTitle TextPart = iota + 1
	TextTask
	TextReport
	TextCaller
	TextSupplier
	TextReference
	TextLastWord
	TextBridge
	TextReview
	TextRating
	TextWhy // of a proposal
)

var textParts = [...]string{
	TextTitle: "title", TextTask: "task", TextReport: "report", TextCaller: "report", TextSupplier: "ticket", TextReference: "ticket",
	TextLastWord: "ticket", TextBridge: "major", TextReview: "review", TextRating: "rating", TextWhy: "proposal",
}

// Field returns the name of the field that people know the part by: one field may have several parts.
func (p TextPart) Field() string { return nameOf(textParts[:], int(p)) }

// Compared tells whether decisions compare the part with others of its kind.
func (p TextPart) Compared() bool {
	return p == TextCaller || p == TextSupplier || p == TextReference || p == TextLastWord
}

// TextPlace is where a text stands in an incident.
type TextPlace struct {
	Part   TextPart
	Number uint64 // of the task or the proposal; of a report ReportNumber; else 0
}

// MergeUndone begins the why of a refusal that comes of an undone merge; what follows ": " is the person's.
const MergeUndone = "the merge was undone"

// Texts shows visit the texts of an incident that people write, which it may replace; those of the dossier are the dossier's own
// (OwnTexts). What the machine wrote of proposals is left out, and so are callers who spoke for themselves.
func (i *IncidentState) Texts(visit func(TextPlace, *string)) {
	visit(TextPlace{Part: TextTitle}, &i.Title)
	d := i.Dossier
	if d == nil {
		return
	}
	for n := range d.Tasks {
		visit(TextPlace{TextTask, uint64(d.Tasks[n].Number)}, &d.Tasks[n].Title)
	}
	for n := range d.Reports {
		r, number := &d.Reports[n], ReportNumber(d.Reports, n)
		visit(TextPlace{TextReport, number}, &r.Text)
		if r.Caller != r.By {
			visit(TextPlace{TextCaller, number}, &r.Caller)
		}
	}
	if t := d.Ticket; t != nil {
		visit(TextPlace{Part: TextSupplier}, &t.Supplier)
		visit(TextPlace{Part: TextReference}, &t.Reference)
		visit(TextPlace{Part: TextLastWord}, &t.LastWord)
	}
	if d.Major != nil {
		visit(TextPlace{Part: TextBridge}, &d.Major.Bridge)
	}
	if d.Review != nil {
		visit(TextPlace{Part: TextReview}, &d.Review.Summary)
	}
	visit(TextPlace{Part: TextRating}, &d.RatedWith)
	for n := range d.Proposals {
		visit(TextPlace{TextWhy, uint64(d.Proposals[n].Number)}, &d.Proposals[n].Why)
	}
}

// ReportNumber names a report for as long as it is kept: by its time, and its place among those of that time.
func ReportNumber(list []Report, n int) uint64 {
	const bits = 6 // more than are kept
	same := 0
	for same < n && list[n-same-1].At == list[n].At {
		same++
	}
	return uint64(list[n].At)<<bits | uint64(same)
}

// OwnTexts gives the incident a dossier whose texts nobody else sees.
func (i *IncidentState) OwnTexts() {
	if i.Dossier == nil {
		return
	}
	d := *i.Dossier
	d.Tasks, d.Reports, d.Proposals = append([]Task(nil), d.Tasks...), append([]Report(nil), d.Reports...), append([]Proposal(nil), d.Proposals...)
	d.Ticket, d.Major, d.Review = copied(d.Ticket), copied(d.Major), copied(d.Review)
	i.Dossier = &d
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// RedactedAs returns what stands in the place of a text that decisions compare with others: texts that differ stay different, so
// that the same decisions follow. Two bytes of a digest tell them apart; without the key they say nothing of the text. It is never
// longer than the text once Pack has packed it.
func RedactedAs(text string, key uint64) string {
	if text == "" || IsRedacted(text) {
		return text
	}
	sum := xxhash.Sum64(append(binary.LittleEndian.AppendUint64(nil, key), text...))
	switch len(text) {
	case 1:
		return Redacted
	case 2:
		return fmt.Sprintf("[redacted %02x]", sum&0xff)
	}
	return fmt.Sprintf("[redacted %04x]", sum&0xffff)
}

const taggedRedacted = "[redacted "

// IsRedacted tells whether a text was taken away.
func IsRedacted(text string) bool {
	return text == Redacted || strings.HasPrefix(text, taggedRedacted) && tagLength(text) == len(text)-len(taggedRedacted)-1
}

// tagLength returns how many digits stand in the mark that text begins with, 0 when it begins with none.
func tagLength(text string) int {
	rest := text[len(taggedRedacted):]
	end := strings.IndexByte(rest, ']')
	if (end != 2 && end != 4) || strings.Trim(rest[:end], "0123456789abcdef") != "" {
		return 0
	}
	return end
}

// IsCommand tells whether a record of the journal is a command.
func IsCommand(record []byte) bool { return len(record) > 1 && record[1] == byte(InputCommand) }
