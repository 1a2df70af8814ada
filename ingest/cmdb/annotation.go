package cmdb

import (
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// annotationPrefix begins the annotations by which the files of other tools say what only Tocsin asks for, as in
// tocsin/criticality: "1".
const annotationPrefix = "tocsin/"

// annotate reads the annotations of an item that are meant for Tocsin. It returns false when one of them is wrong.
func (c *call) annotate(ci *event.CI, s *set, annotations event.Labels, at strict.Place) (ok bool) {
	ok = true
	for _, a := range annotations {
		name, ours := strings.CutPrefix(a.Name, annotationPrefix)
		switch {
		case ours && name == needsColumn:
			needs, err := parseNeeds(a.Value)
			if err != nil {
				c.problem(strict.Problem{Place: at, Key: a.Name, Message: fmt.Sprintf("%s (got %q)", err, clip(a.Value))})
				ok = false
			}
			ci.Needs = needs
		case ours:
			s.put(name, a.Value)
		}
	}
	return ok
}
