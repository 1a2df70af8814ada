package rules

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// key is one key of the language: how it is read, and what the reference says of it.
type key struct {
	name      string
	kind      string // what is written there, for people
	values    string // the range or the words that are taken, "" when any
	standard  string // the default, "" when there is none
	otherwise string // what happens without the key, where there is no default
	help      string
	required  bool
	value     strict.Value
	keys      []key // of the mapping that stands there
}

// mapping reads a mapping with these keys.
func mapping(keys []key) strict.Value {
	fields := make([]strict.Field, len(keys))
	for i, k := range keys {
		fields[i] = strict.Field{Key: k.name, Value: k.value, Required: k.required}
	}
	return strict.Mapping(fields...)
}

// must makes a key required.
func must(k key) key {
	k.required, k.standard = true, ""
	return k
}

func nested(name string, keys []key, help string) key {
	return key{name: name, kind: "mapping", help: help, value: mapping(keys), keys: keys}
}

func word(name string, dst *string, help string) key {
	return key{name: name, kind: "text", standard: *dst, help: help, value: strict.Word(dst)}
}

func whole[I ~int | ~int32 | ~int64](name string, dst *I, low, high I, help string) key {
	return key{name: name, kind: "number", values: fmt.Sprintf("%d–%d", low, high), standard: fmt.Sprint(*dst), help: help, value: strict.Int(dst, low, high)}
}

func span(name string, dst *event.Time, low, high time.Duration, help string) key {
	return key{
		name: name, kind: "duration", values: formatDuration(low) + "–" + formatDuration(high), standard: formatDuration(dst.Duration()),
		help: help, value: strict.Duration(dst, time.Millisecond, low, high),
	}
}

// spanOr is a duration, or a word with a meaning of its own.
func spanOr(name, word string, meaning event.Time, dst *event.Time, low, high time.Duration, help string) key {
	k := span(name, dst, low, high, help)
	if *dst == meaning {
		k.standard = word
	}
	k.values += ", `" + word + "`"
	k.value = orWord(word, meaning, dst, low, high)
	return k
}

// choice is one of a few words; each has its meaning.
func choice[V comparable](name string, dst *V, words []string, meanings []V, help string) key {
	k := key{name: name, kind: "word", values: "`" + strings.Join(words, "`, `") + "`", help: help, value: strict.Scalar(func(text string) error {
		for i, w := range words {
			if w == text {
				*dst = meanings[i]
				return nil
			}
		}
		return strict.MustBeOneOf(text, words)
	})}
	for i, m := range meanings {
		if m == *dst {
			k.standard = words[i]
		}
	}
	return k
}

// labelList is a list of labels, any of them.
func labelList(name string, dst *[]string, help string) key {
	return key{name: name, kind: "list of labels", help: help, standard: strings.Join(*dst, ", "), value: strict.List(dst, anyLabel)}
}

// keyList is a list of labels that can be part of a key.
func keyList(name string, dst *[]string, help string) key {
	k := labelList(name, dst, help)
	k.value = strict.List(dst, labelName)
	return k
}

// anyLabel reads the name of a label.
func anyLabel(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		*dst = s
		return checkLabel(s)
	})
}

func checkLabel(name string) error {
	if strings.TrimSpace(name) == "" || !utf8.ValidString(name) {
		return errors.New("must name a label")
	}
	return nil
}

// Pair is a label and what it gets: a value, or another label.
type Pair struct{ Label, Value string }

// pairList is a mapping of labels to words, kept in the order in which it is written.
func pairList(name, kind string, dst *[]Pair, value func(dst *string) strict.Value, help string) key {
	return key{name: name, kind: kind, help: help, value: strict.Pairs(func(label string) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			p := Pair{Label: label}
			if err := checkLabel(label); err != nil {
				r.Problem(n, err.Error()+fmt.Sprintf(" (got %q)", label), "")
			}
			value(&p.Value)(r, n)
			*dst = append(*dst, p)
		}
	})}
}

func wordValue(dst *string) strict.Value { return strict.Word(dst) }

// severityKey is the word of a severity.
func severityKey(name string, dst *event.Severity, help string) key {
	words := make([]string, 0, event.Info)
	meanings := make([]event.Severity, 0, event.Info)
	for s := event.Critical; s <= event.Info; s++ {
		words, meanings = append(words, s.String()), append(meanings, s)
	}
	return choice(name, dst, words, meanings, help)
}

// lowestPriority is the number of the least urgent priority; the most urgent is 1.
const lowestPriority = 5

// priorityKey is a priority, P1 to P5.
func priorityKey(name string, dst *uint8, help string) key {
	var words []string
	var meanings []uint8
	for p := uint8(1); p <= lowestPriority; p++ {
		words, meanings = append(words, fmt.Sprintf("P%d", p)), append(meanings, p)
	}
	return choice(name, dst, words, meanings, help)
}

// formatDuration writes a duration as rule files have it, at most in days.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / unit.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.name)
			d -= n * unit.size
		}
	}
	return b.String()
}
