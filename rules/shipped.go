package rules

import (
	"embed"
	"errors"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

//go:embed default.yml
var defaultRules []byte

//go:embed correlation.yml kubernetes.yml node.yml network.yml blackbox.yml
var moreRules embed.FS

const (
	shippedFolder = "rules/"
	defaultName   = shippedFolder + "default.yml"
)

// shippedFiles are the rules for kinds of sources; each can be switched off by its name.
func shippedFiles() []string {
	return []string{"kubernetes.yml", "node.yml", "network.yml", "blackbox.yml"}
}

// Default returns the shipped rules that are about no kind of source, as they are written.
func Default() File { return File{Name: defaultName, Text: slices.Clone(defaultRules)} }

// Shipped returns all shipped rules as they are written.
func Shipped() []File {
	files := []File{Default()}
	for _, name := range append(shippedFiles(), "correlation.yml") {
		text, err := moreRules.ReadFile(name)
		if err != nil {
			panic("rules: " + err.Error()) // they are part of the program
		}
		files = append(files, File{Name: shippedFolder + name, Text: text})
	}
	return files
}

var errAlertname = errors.New("must not be alertname: alerts of all names would be one")

// disabled names what is switched off.
type disabled struct {
	name  string
	place strict.Place
}

func (d *disabled) read(r *strict.Reader, n *yaml.Node) {
	d.place = r.Place(n)
	strict.Word(&d.name)(r, n)
}

// over puts the rules of s, which operators wrote, over the shipped ones, and reports what it cannot switch off. Where the first rule
// that matches decides, those of operators come first; labels are normalised by the shipped ones first.
func (s *Set) over(base *Set) (problems Errors) {
	s.Ignore = slices.Compact(slices.Sorted(slices.Values(slices.Concat(base.Ignore, s.Ignore))))
	o := overlay{off: map[string]bool{}, known: shippedFiles()}
	for _, d := range s.disable {
		o.off[d.name] = true
	}
	for _, k := range base.kinds() {
		for _, h := range k.heads {
			o.known = append(o.known, h.Name)
		}
	}
	s.Tables = after(&o, s.Tables, base.Tables)
	s.NormaliseRules = append(stay(&o, base.NormaliseRules, s.NormaliseRules), s.NormaliseRules...)
	s.BindRules = after(&o, s.BindRules, base.BindRules)
	if s.Grouping == nil {
		s.Grouping = stay(&o, base.Grouping, nil)
	}
	s.LinkRules = after(&o, s.LinkRules, base.LinkRules)
	s.ThresholdRules = after(&o, s.ThresholdRules, base.ThresholdRules)
	s.SequenceRules = after(&o, s.SequenceRules, base.SequenceRules)
	s.AbsenceRules = after(&o, s.AbsenceRules, base.AbsenceRules)
	if s.Inhibit == nil {
		s.Inhibit = stay(&o, base.Inhibit, nil)
	}
	s.SuppressRules = after(&o, s.SuppressRules, base.SuppressRules)
	s.PriorityRules = after(&o, s.PriorityRules, base.PriorityRules)
	s.TeamRules = after(&o, s.TeamRules, base.TeamRules)
	s.Heartbeats = append(stay(&o, base.Heartbeats, s.Heartbeats), s.Heartbeats...)
	for _, d := range s.disable {
		if d.name != "" && !slices.Contains(o.known, d.name) {
			problems = append(problems, strict.Problem{Place: d.place, Key: "disable", Message: "nothing that is shipped is called " + quote(d.name), Hint: strict.Suggest(d.name, o.known)})
		}
	}
	return problems
}

// overlay is what is switched off of the shipped rules.
type overlay struct {
	off   map[string]bool // names of rules and of files
	known []string
}

// stay returns the shipped rules that are not switched off, and whose names no other rule has taken.
func stay[T any, P interface {
	*T
	entry
}](o *overlay, shipped, user []T) []T {
	taken := map[string]bool{}
	for _, h := range heads[T, P](user) {
		taken[h.Name] = true
	}
	out := make([]T, 0, len(shipped)+len(user))
	for i, h := range heads[T, P](shipped) {
		if !taken[h.Name] && !o.off[h.Name] && !o.off[strings.TrimPrefix(h.Place.File, shippedFolder)] {
			out = append(out, shipped[i])
		}
	}
	return out
}

// after puts the shipped rules behind those of operators.
func after[T any, P interface {
	*T
	entry
}](o *overlay, user, shipped []T) []T {
	return append(slices.Clip(user), stay[T, P](o, shipped, user)...)
}
