package alertjson

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// setKind tells the two sets of an alert apart.
type setKind uint8

const (
	labelSet setKind = iota + 1
	annotationSet
)

// field returns the set's name in messages and the words for a set that cannot be, as Alertmanager has them.
func (k setKind) field() (name, invalid string) {
	if k == labelSet {
		return "labels", "invalid label set"
	}
	return "annotations", "invalid annotations"
}

// bounds returns how many pairs the set may hold and how long a value may be, and the keys of both limits.
func (k setKind) bounds(l *Limits) (pairs, value int, pairsKey, valueKey string) {
	if k == labelSet {
		return l.LabelsPerAlert, l.LabelValue, "limits.labels_per_alert", "limits.label_value_bytes"
	}
	return l.AnnotationsPerAlert, l.AnnotationValue, "limits.annotations_per_alert", "limits.annotation_value_bytes"
}

// set consumes an object of strings into set, which may hold what an earlier field of the same name gave: as in
// encoding/json they merge, and null empties the set. given is false for null only.
func (r *Reader) set(set event.Labels, kind setKind) (_ event.Labels, given bool) {
	name, _ := kind.field()
	switch c := r.Scanner.Peek(); c {
	case '{':
	case 'n':
		r.Scanner.Skip()
		return set[:0], false
	default:
		r.Mismatch(name, "an object of strings", c)
		return set, true
	}
	pairs, _, key, _ := kind.bounds(&r.Limits)
	r.Scanner.Enter()
	for label, ok := r.Scanner.Member(true); ok; label, ok = r.Scanner.Member(false) {
		var value string
		if r.Scanner.Peek() == '"' {
			value = r.Scanner.Text()
		} else {
			r.Text(&value, name+"."+label)
		}
		set = put(set, event.Label{Name: label, Value: value})
		if len(set) > pairs {
			// The set stays small, so that a hostile one cannot make sorting it dear.
			set = set[:pairs]
			r.overLimit(name, fmt.Sprintf("more than %d %s", pairs, name), key)
		}
	}
	return set, true
}

// put adds l in its place; a name that is there already takes the later value.
func put(set event.Labels, l event.Label) event.Labels {
	n := len(set)
	if n == 0 || set[n-1].Name < l.Name { // most senders sort
		return append(set, l)
	}
	i := n
	for i > 0 && set[i-1].Name > l.Name {
		i--
	}
	if i > 0 && set[i-1].Name == l.Name {
		set[i-1].Value = l.Value
		return set
	}
	return slices.Insert(set, i, l)
}

// SetLabel gives the alert a label besides those it was written with; it must come before Seal.
func (r *Reader) SetLabel(name, value string) {
	r.Alert.Labels = put(r.Alert.Labels, event.Label{Name: name, Value: value})
}

// Seal checks the sets and the URL against the limits and the rules for names, and drops empty values. Formats call it
// once they have judged the rest, for its faults are the least grave.
func (r *Reader) Seal() {
	a := &r.Alert
	if len(a.URL) > r.Limits.GeneratorURL {
		r.overLimit(r.format.name(URL), fmt.Sprintf("URL longer than %d bytes", r.Limits.GeneratorURL), "limits.generator_url_bytes")
	}
	// Alertmanager drops empty labels before it looks at their names, and looks at all annotations.
	a.Labels = compact(a.Labels)
	if len(a.Labels) == 0 {
		r.report(Fault{Kind: Inconsistent, Field: "labels", Message: "at least one label pair required"})
	}
	r.check(a.Labels, labelSet)
	r.check(a.Annotations, annotationSet)
	a.Annotations = compact(a.Annotations)
}

func compact(set event.Labels) event.Labels {
	for i := range set {
		if set[i].Value == "" {
			return slices.DeleteFunc(set, func(l event.Label) bool { return l.Value == "" })
		}
	}
	return set
}

func (r *Reader) check(set event.Labels, kind setKind) {
	_, value, _, valueKey := kind.bounds(&r.Limits)
	for i := range set {
		l := &set[i]
		if l.Name != "" && len(l.Name) <= r.Limits.LabelName && len(l.Value) <= value {
			continue
		}
		name, invalid := kind.field()
		switch {
		case l.Name == "":
			r.report(Fault{Kind: Inconsistent, Field: name, Message: invalid + `: invalid name ""`})
		case len(l.Name) > r.Limits.LabelName:
			text := fmt.Sprintf("%s: name %q… longer than %d bytes", invalid, head(l.Name), r.Limits.LabelName)
			r.overLimit(name, text, "limits.label_name_bytes")
		default:
			r.overLimit(name+"."+l.Name, fmt.Sprintf("%s: value of %q longer than %d bytes", invalid, l.Name, value), valueKey)
		}
	}
}

// head cuts s to what fits into a message; %q makes sound text of a rune cut in half.
func head(s string) string { return s[:min(len(s), 32)] }

func (r *Reader) overLimit(field, message, key string) {
	r.report(Fault{Kind: OverLimit, Field: field, Message: message + " (" + key + ")", Hint: "shorten it at the sender or raise " + key})
}

// Event returns the alert as an event whose sets have their final place in the batch.
func (r *Reader) Event(cleared bool) event.Event {
	a := &r.Alert
	return event.Event{
		Labels:       append(r.batch.LabelSpace(len(a.Labels)), a.Labels...),
		Annotations:  append(r.batch.LabelSpace(len(a.Annotations)), a.Annotations...),
		GeneratorURL: a.URL,
		StartsAt:     event.FromTime(a.StartsAt),
		EndsAt:       event.FromTime(a.EndsAt),
		Cleared:      cleared,
	}
}
