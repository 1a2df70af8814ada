package cmdb

import (
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Format is what a text is written in.
type Format string

// Formats that can be read.
const (
	Native     Format = "native" // Tocsin's own, YAML or JSON
	CSV        Format = "csv"
	FileSD     Format = "file_sd"
	Kubernetes Format = "kubernetes"
	Backstage  Format = "backstage"
)

// Formats lists all formats.
func Formats() []Format { return []Format{Native, CSV, FileSD, Kubernetes, Backstage} }

// Bounds of an input; those of an item are itsm's. They keep what a hostile file costs near what an honest one of its size does.
const (
	MaxBytes    = 64 << 20 // of all texts of a call
	MaxProblems = 100      // kept; all are counted
	maxCounted  = 100_000  // problems, after which reading stops
	maxPart     = 4 << 20  // bytes of YAML that are parsed together: one item of a list, or a document that is no list
	maxValues   = 1 << 20  // of one item written in JSON
	maxColumns  = 256      // of a table
)

// Text is a named text, usually a file.
type Text struct {
	Name string // how problems call it
	Data []byte // not written to
}

// Input is what one call reads: texts of one format, which may relate to each other.
type Input struct {
	Texts   []Text
	Format  Format // "" to find out
	Cluster string // of Kubernetes manifests, which do not name it: begins their IDs where it is set
	Lenient bool   // leave out what has problems, instead of everything
}

// Result is what was read. Tenant and sources are the caller's to set.
type Result struct {
	Format   Format     // "" when no text told it
	CIs      []event.CI // sorted by ID
	Problems Problems   // when lenient: why items are left out, so what is not in CIs may still exist
	Skipped  []Skipped  // sorted by what
}

// Skipped counts what a text holds and Tocsin has no use for.
type Skipped struct {
	What  string // as in "v1 ConfigMap"
	Count int
}

// Problems are the faults of an input.
type Problems struct {
	First strict.Errors // MaxProblems at most, sorted by place
	Total int
}

// Error returns one problem per line, and how many more there are.
func (p *Problems) Error() string {
	var b strings.Builder
	b.WriteString(p.First.Error())
	if more := p.Total - len(p.First); more > 0 {
		fmt.Fprintf(&b, "\nand %d more problems", more)
	}
	return b.String()
}

// Parse reads the texts of in, in the order of their names. The error is a *Problems; then there are no CIs. A lenient call
// fails only when nothing can be said of the input as a whole: it is too large, or of no format, or of several.
// The result is never nil.
func Parse(in Input) (*Result, error) {
	c := newCall(in)
	fatal := !c.run()
	res := c.result()
	if fatal || res.Problems.Total > 0 && !in.Lenient {
		res.CIs = nil
		return res, &res.Problems
	}
	return res, nil
}
