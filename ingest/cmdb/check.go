package cmdb

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// check returns what is wrong with an item that was read without faults: what no single value can show. The core checks the same
// and more, but knows no lines.
func check(ci event.CI, at strict.Place) (problems strict.Errors) {
	say := func(key string, err error, got string) {
		if err != nil {
			problems = append(problems, strict.Problem{Place: at, Key: key, Message: fmt.Sprintf("%s (got %q)", err, clip(got))})
		}
	}
	say("id", idError(ci.ID), ci.ID)
	say("class", classError(ci.Class), ci.Class)
	if ci.Name != "" {
		say("name", idError(ci.Name), ci.Name)
	}
	if len(ci.Attributes) > itsm.MaxCIAttributes {
		say("attributes", fmt.Errorf("must be at most %d", itsm.MaxCIAttributes), fmt.Sprint(len(ci.Attributes)))
	}
	for _, a := range ci.Attributes {
		say("attributes", wordError(a.Name, itsm.MaxCIAttributeName), a.Name)
		say(a.Name, attributeError(ci.Class, a.Name, a.Value), a.Value)
	}
	if len(ci.Relations) > itsm.MaxCIRelations {
		say("relations", fmt.Errorf("must be at most %d", itsm.MaxCIRelations), fmt.Sprint(len(ci.Relations)))
		return problems
	}
	for _, r := range ci.Relations {
		say(r.Kind.String(), idError(r.To), r.To)
		if r.To == ci.ID {
			say(r.Kind.String(), errors.New("must name another item"), r.To)
		}
	}
	return problems
}

// idError says what is wrong with an ID or a name. People type them and tables show them, so they hold nothing that is not seen.
func idError(s string) error { return wordError(s, itsm.MaxCIText) }

func classError(s string) error { return wordError(s, itsm.MaxCIClass) }

func wordError(s string, most int) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("must not be empty")
	case strings.TrimSpace(s) != s:
		return errors.New("must not begin or end with a space")
	case strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("must hold no control characters")
	case len(s) > most:
		return fmt.Errorf("must be at most %d bytes", most)
	}
	return nil
}

// clip keeps what a message quotes short enough for one line.
func clip(s string) string {
	const limit = 80
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
