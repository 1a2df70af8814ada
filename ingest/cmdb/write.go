package cmdb

import (
	"bufio"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Write writes cis as native YAML, such that reading it says what they are now: in the order given, the services behind the
// others. What only the CMDB knows (sources, confidence, pins, when it was told) is not in it.
func Write(w io.Writer, cis iter.Seq[event.CI]) error {
	out := &writer{bufio.NewWriter(w)}
	var services []event.CI
	any := false
	for ci := range cis {
		if ci.Class == event.ServiceClass {
			services = append(services, ci)
			continue
		}
		if !any {
			out.line(cisKey + ":")
			any = true
		}
		out.item(ci)
	}
	if len(services) > 0 {
		out.line(servicesKey + ":")
	}
	for _, ci := range services {
		out.item(ci)
	}
	if !any && len(services) == 0 {
		out.line(cisKey + ": []")
	}
	return out.Flush()
}

// writer writes lines; the buffer keeps the first error for Flush.
type writer struct{ *bufio.Writer }

func (w *writer) text(parts ...string) {
	for _, s := range parts {
		_, _ = w.WriteString(s) // Flush returns the error
	}
}

func (w *writer) line(parts ...string) {
	w.text(parts...)
	w.text("\n")
}

func (w *writer) pair(key, value string) { w.line("    ", key, ": ", value) }

// item leaves out only what is not said.
func (w *writer) item(ci event.CI) {
	service := ci.Class == event.ServiceClass
	w.line("  - id: ", quoted(ci.ID))
	if !service {
		w.pair("class", quoted(ci.Class))
	}
	if ci.Name != "" {
		w.pair("name", quoted(ci.Name))
	}
	if ci.State != 0 {
		w.pair("state", ci.State.String())
	}
	if ci.Needs > 0 {
		w.pair("needs", strconv.Itoa(int(ci.Needs)))
	}
	if ci.ValidFrom > 0 {
		w.pair("valid_from", quoted(ci.ValidFrom.Time().Format(time.RFC3339Nano)))
	}
	w.relations(ci.Relations)
	w.attributes(ci.Attributes, service)
}

func (w *writer) relations(list []event.Relation) {
	for _, name := range event.RelationKinds() {
		kind, n := event.ParseRelationKind(name), 0
		for _, r := range list {
			if r.Kind != kind {
				continue
			}
			if n == 0 {
				w.text("    ", name, ": [")
			} else {
				w.text(", ")
			}
			w.text(quoted(r.To))
			n++
		}
		if n > 0 {
			w.line("]")
		}
	}
}

// attributes writes those that a service has keys for as these keys.
func (w *writer) attributes(all event.Labels, service bool) {
	free := all
	if service {
		free = nil
		for _, name := range serviceKeys() {
			if value := all.Get(name); value != "" {
				w.pair(name, quoted(value))
			}
		}
		for _, a := range all {
			if !slices.Contains(serviceKeys(), a.Name) {
				free = append(free, a)
			}
		}
	}
	if len(free) > 0 {
		w.line("    attributes:")
	}
	for _, a := range free {
		w.line("      ", quoted(a.Name), ": ", quoted(a.Value))
	}
}

// quoted writes s plain where every reader of YAML takes it for the same text, or the same number, and else in quotes.
func quoted(s string) string {
	if isNumber(s) || isWord(s) {
		return s
	}
	return strconv.Quote(s)
}

// isNumber tells whether s is a whole number in its one form.
func isNumber(s string) bool {
	return len(s) < 16 && allOf(s, '0', '9') && (s == "0" || s[0] != '0')
}

// isWord tells whether s is a plain text: it begins with a letter, holds no sign that means something, and is no word for
// something else, in YAML 1.1 either.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		digit := '0' <= c && c <= '9'
		sign := c == '_' || c == '.' || c == '/' || c == '@' || c == '-' || c == ':' && i+1 < len(s) && s[i+1] != ' '
		if i == 0 && !letter || !letter && !digit && !sign && c != ' ' {
			return false
		}
	}
	switch s {
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "n", "N",
		"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "null", "Null", "NULL":
		return false
	}
	return s != "" && s[len(s)-1] != ' '
}
