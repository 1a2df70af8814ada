package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// stamp is a time in a file: RFC 3339, "" or null for none.
type stamp event.Time

// UnmarshalJSON reads a time.
func (s *stamp) UnmarshalJSON(text []byte) error {
	var word *string
	if err := json.Unmarshal(text, &word); err != nil {
		return err
	}
	*s = 0
	if word == nil || *word == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, *word)
	if err != nil {
		return fmt.Errorf("%q is no time as in 2026-01-02T15:04:05.000Z", *word)
	}
	*s = stamp(event.FromTime(t))
	return nil
}

// MarshalJSON writes a time in milliseconds.
func (s stamp) MarshalJSON() ([]byte, error) {
	return appendTime(nil, event.Time(s)), nil
}

// name is an ID; a number counts as its digits.
type name string

// UnmarshalJSON reads an ID.
func (n *name) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, (*string)(n))
	}
	var number json.Number
	if err := json.Unmarshal(text, &number); err != nil {
		return errors.New("an id must be a text")
	}
	*n = name(number)
	return nil
}

type faultJSON struct {
	ID    name     `json:"id"`
	Root  []string `json:"root"`
	Level string   `json:"level"`
	Kind  string   `json:"kind"`
	Start stamp    `json:"start"`
	End   stamp    `json:"end"`
}

type relationJSON struct {
	From string `json:"from"`
	Type string `json:"type"`
	To   string `json:"to"`
}

// MarshalJSON writes a relation.
func (r Relation) MarshalJSON() ([]byte, error) {
	return json.Marshal(relationJSON{r.From, r.Type.String(), r.To})
}

// interner keeps one copy of each text: labels repeat.
type interner map[string]string

func (in interner) text(s string) string {
	if known, ok := in[s]; ok {
		return known
	}
	in[s] = s
	return s
}

func (in interner) labels(m map[string]string) event.Labels {
	if len(m) == 0 {
		return nil
	}
	ls := make(event.Labels, 0, len(m))
	for k, v := range m {
		if v != "" {
			ls = append(ls, event.Label{Name: in.text(k), Value: in.text(v)})
		}
	}
	slices.SortFunc(ls, func(a, b event.Label) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return ls
}

func parseAlert(text []byte, in interner) (Alert, error) {
	var line struct {
		At          stamp
		Labels      map[string]string
		Annotations map[string]string
		StartsAt    stamp
		EndsAt      stamp
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return Alert{}, err
	}
	a := Alert{
		At: event.Time(line.At), Labels: in.labels(line.Labels), Annotations: in.labels(line.Annotations),
		StartsAt: event.Time(line.StartsAt), EndsAt: event.Time(line.EndsAt),
	}
	if a.At == 0 || len(a.Labels) == 0 || a.StartsAt == 0 || a.EndsAt == 0 || len(a.Annotations) == 0 {
		if hint := misspelt(text, alertKeys()...); hint != "" {
			return Alert{}, errors.New(hint)
		}
	}
	switch {
	case a.At == 0:
		return Alert{}, errors.New("at is missing: when it arrived")
	case len(a.Labels) == 0:
		return Alert{}, errors.New("labels are missing")
	case a.StartsAt != 0 && a.EndsAt != 0 && a.EndsAt < a.StartsAt:
		return Alert{}, errors.New("endsAt is before startsAt: a sender's alert would be refused")
	}
	return a, nil
}

func alertKeys() []string { return []string{"at", "labels", "annotations", "startsAt", "endsAt"} }

var errNoFault = errors.New("fault is missing")

// parseTruth reads which fault a line is of, "" for noise.
func parseTruth(text []byte) (string, error) {
	var entry struct{ Fault json.RawMessage }
	if err := json.Unmarshal(text, &entry); err != nil {
		return "", err
	}
	var id *name
	switch {
	case entry.Fault == nil:
		if hint := misspelt(text, "fault"); hint != "" {
			return "", errors.New(hint)
		}
		return "", errNoFault
	case json.Unmarshal(entry.Fault, &id) != nil:
		return "", errors.New("an id must be a text")
	case id == nil:
		return "", nil
	case *id == "":
		return "", errors.New("an id must not be empty")
	}
	return string(*id), nil
}

// AppendBody appends the alert as Alertmanager's API v2 takes it.
func (a *Alert) AppendBody(dst []byte) []byte {
	dst = append(dst, `{"labels": `...)
	return a.appendRest(dst)
}

// appendLine appends the alert as a line of alerts.ndjson, without its end.
func (a *Alert) appendLine(dst []byte) []byte {
	dst = append(dst, `{"at": `...)
	dst = appendTime(dst, a.At)
	dst = append(dst, `, "labels": `...)
	return a.appendRest(dst)
}

func (a *Alert) appendRest(dst []byte) []byte {
	dst = appendLabels(dst, a.Labels)
	dst = append(dst, `, "annotations": `...)
	dst = appendLabels(dst, a.Annotations)
	if a.StartsAt != 0 {
		dst = append(dst, `, "startsAt": `...)
		dst = appendTime(dst, a.StartsAt)
	}
	if a.EndsAt != 0 {
		dst = append(dst, `, "endsAt": `...)
		dst = appendTime(dst, a.EndsAt)
	}
	return append(dst, '}')
}

func appendLabels(dst []byte, ls event.Labels) []byte {
	dst = append(dst, '{')
	for i, l := range ls {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendString(dst, l.Name)
		dst = append(dst, ": "...)
		dst = appendString(dst, l.Value)
	}
	return append(dst, '}')
}

// appendString appends s as JSON.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			text, _ := json.Marshal(s) // a string always has a form
			return append(dst, text...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendTime(dst []byte, t event.Time) []byte {
	if t == 0 {
		return append(dst, `""`...)
	}
	dst = append(dst, '"')
	dst = t.Time().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	return append(dst, '"')
}
