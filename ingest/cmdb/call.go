package cmdb

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// call is one Parse: what has been read so far.
type call struct {
	in       Input
	format   Format
	cis      []event.CI
	first    map[string]seen // by ID
	open     bool            // the format is another tool's: an item may be given twice if both say the same, and relate to itself
	problems Problems
	skipped  map[string]int
}

type seen struct {
	place strict.Place
	index int // in cis
}

// dialect reads the texts of one format.
type dialect interface {
	read(t Text)
	finish() // adds what can only be told when all texts were read
}

func newCall(in Input) *call {
	return &call{in: in, format: in.Format, first: map[string]seen{}, skipped: map[string]int{}}
}

// run reads all texts. It returns false when the input is refused as a whole.
func (c *call) run() bool {
	texts, ok := c.texts()
	if !ok || !c.detect(texts) {
		return false
	}
	d := c.dialect()
	for _, t := range texts {
		d.read(t)
	}
	d.finish()
	return true
}

// texts returns the texts in the order in which they are read, without the marks that editors put in front.
func (c *call) texts() ([]Text, bool) {
	texts := slices.Clone(c.in.Texts)
	slices.SortStableFunc(texts, func(a, b Text) int { return strings.Compare(a.Name, b.Name) })
	size := 0
	for i := range texts {
		size += len(texts[i].Data)
		texts[i].Data = bytes.TrimPrefix(texts[i].Data, []byte("\ufeff"))
	}
	if size > MaxBytes {
		c.problem(strict.Problem{Message: fmt.Sprintf("the input must be at most %s (got %d bytes)", strict.FormatSize(MaxBytes), size),
			Hint: "import it in several calls"})
		return nil, false
	}
	return slices.DeleteFunc(texts, func(t Text) bool {
		bad := !utf8.Valid(t.Data)
		if bad {
			c.problem(strict.Problem{Place: strict.Place{File: t.Name}, Message: "not UTF-8", Hint: "save it as UTF-8"})
		}
		return bad
	}), true
}

func (c *call) dialect() dialect {
	switch c.format {
	case CSV:
		return newTables(c)
	case FileSD:
		return &tree{c, newFileSD(c)}
	case Kubernetes:
		return &tree{c, newManifests(c)}
	case Backstage:
		return &tree{c, newCatalog(c)}
	default:
		return &tree{c, newNative(c)}
	}
}

func (c *call) result() *Result {
	slices.SortFunc(c.cis, func(a, b event.CI) int { return strings.Compare(a.ID, b.ID) })
	c.problems.First.Sort()
	res := &Result{Format: c.format, CIs: c.cis, Problems: c.problems}
	for what, n := range c.skipped {
		res.Skipped = append(res.Skipped, Skipped{what, n})
	}
	slices.SortFunc(res.Skipped, func(a, b Skipped) int { return strings.Compare(a.What, b.What) })
	return res
}

// full tells that there are so many problems that nobody wants to know the rest.
func (c *call) full() bool { return c.problems.Total >= maxCounted }

func (c *call) problem(p strict.Problem) {
	c.problems.Total++
	if len(c.problems.First) < MaxProblems {
		c.problems.First = append(c.problems.First, p)
	}
}

// add takes an item over, brought into its one form: sorted, each relation once. What is not said of it stays empty, which the core
// takes as "as it was". What is wrong with it becomes problems.
func (c *call) add(ci event.CI, at strict.Place) {
	attributes, twice := event.SortLabels(ci.Attributes)
	if twice != "" {
		c.problem(strict.Problem{Place: at, Key: twice, Message: "this attribute is given twice"})
		return
	}
	ci.Attributes = attributes
	if c.open {
		ci.Relations = slices.DeleteFunc(ci.Relations, func(r event.Relation) bool { return r.To == ci.ID })
	}
	ci.Relations = sortRelations(ci.Relations)
	if problems := check(ci, at); len(problems) > 0 {
		for _, p := range problems {
			c.problem(p)
		}
		return
	}
	if was, taken := c.first[ci.ID]; taken {
		if !c.open || !reflect.DeepEqual(ci, c.cis[was.index]) {
			c.problem(strict.Problem{Place: at, Key: "id", Message: fmt.Sprintf("the id %q is taken at %s", ci.ID, was.place)})
		}
		return
	}
	c.first[ci.ID] = seen{at, len(c.cis)}
	c.cis = append(c.cis, ci)
}

// sortRelations returns list sorted, each relation once.
func sortRelations(list []event.Relation) []event.Relation {
	slices.SortFunc(list, func(a, b event.Relation) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.To, b.To))
	})
	list = slices.Compact(list)
	if len(list) == 0 {
		return nil
	}
	return list
}
