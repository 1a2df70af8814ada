package rules

import (
	"fmt"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Listed is one rule in force.
type Listed struct {
	Section string // the key in rule files
	Name    string // "" of an inhibition rule without one
	Place   strict.Place
	Shipped bool
}

// Rules lists all rules in force, section by section, each in the order in which it is tried. Input.Overruns counts in this order.
func (s *Set) Rules() []Listed { return s.listed }

// kind is one section of rules, without its type.
type kind struct {
	name  string
	heads []*Head
	sides [][]*Side // of each rule
}

func kindOf[T any, P interface {
	*T
	entry
}](name string, list []T) kind {
	k := kind{name: name, heads: heads[T, P](list)}
	for i := range list {
		k.sides = append(k.sides, P(&list[i]).sides())
	}
	return k
}

// kinds lists the sections of rules in the order of the language.
func (s *Set) kinds() []kind {
	return []kind{
		kindOf("tables", s.Tables), kindOf("normalise", s.NormaliseRules), kindOf("bind", s.BindRules), kindOf("grouping", s.Grouping),
		kindOf("links", s.LinkRules), kindOf("thresholds", s.ThresholdRules), kindOf("sequences", s.SequenceRules),
		kindOf("absences", s.AbsenceRules), kindOf("inhibit_rules", s.Inhibit), kindOf("suppress", s.SuppressRules),
		kindOf("priorities", s.PriorityRules), kindOf("teams", s.TeamRules), kindOf("heartbeats", s.Heartbeats),
	}
}

// list fills s.listed, and tells each condition to which rule it belongs.
func (s *Set) list() {
	for _, k := range s.kinds() {
		for i, h := range k.heads {
			for _, side := range k.sides[i] {
				if side.If != nil {
					side.If.rule = len(s.listed)
				}
			}
			s.listed = append(s.listed, Listed{k.name, h.Name, h.Place, h.Shipped})
		}
	}
}

// repeatedNames reports rules that people could not tell apart.
func (s *Set) repeatedNames() (problems Errors) {
	for _, k := range s.kinds() {
		first := map[string]strict.Place{}
		hint := "give the rule another name"
		switch k.name {
		case "grouping":
			first["alone"], first["own"] = alone().Place, own().Place
		case "heartbeats":
			hint = "give the heartbeat another name"
		case "inhibit_rules":
			continue // Alertmanager takes them
		}
		for _, h := range k.heads {
			if h.Name == "" {
				continue // reported as missing
			}
			if at, taken := first[h.Name]; taken {
				problems = append(problems, strict.Problem{Place: h.Place, Key: "name", Message: fmt.Sprintf("the name %q is taken at %s", h.Name, at), Hint: hint})
				continue
			}
			first[h.Name] = h.Place
		}
	}
	return problems
}
