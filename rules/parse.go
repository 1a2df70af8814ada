package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Errors are all problems of a rule set, sorted by place; see [strict.Problem] for one of them.
type Errors = strict.Errors

// Parse reads rule files, in the order of their names, over the shipped ones: a file sets single settings (each in one file
// only); its grouping and inhibition rules take the place of the shipped ones as soon as any file has that key; of every other kind its
// rules add up, and one takes the place of a shipped one of its name. No files give the shipped rules. The error is of type
// Errors and holds every problem of every file.
func Parse(files []File) (*Set, error) {
	key := string(Bundle(files))
	if set := latest.find(key); set != nil {
		return set, nil
	}
	set, err := parseAnew(files)
	if err == nil {
		latest.keep(key, set)
	}
	return set, err
}

// parseAnew is Parse without memory.
func parseAnew(files []File) (*Set, error) {
	base, problems := parseOver(Shipped(), Settings{}, true)
	set := base
	if len(files) > 0 {
		user, more := parseOver(files, base.Settings, false)
		problems = append(problems, more...)
		problems = append(problems, user.over(base)...)
		set = user
	}
	problems = append(problems, set.resolve()...)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	set.Warnings = set.warnings()
	set.Grouping = append(slices.Clip(set.Grouping), own(), alone())
	set.Version = version(files)
	set.list()
	set.compile()
	return set, nil
}

// version hashes the texts in force.
func version(files []File) string {
	sum := sha256.Sum256(append(Bundle(Shipped()), Bundle(files)...))
	return hex.EncodeToString(sum[:6])
}

// parsing is what the reading of several files shares.
type parsing struct {
	shipped bool
	env     *cel.Env // of conditions, made for the first
}

// parseOver reads files over the settings start; Grouping and Inhibit stay nil when no file has the key.
func parseOver(files []File, start Settings, shipped bool) (*Set, Errors) {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	s := &Set{Settings: start}
	s.Settings.OpenAfter[0] = event.Never
	p := &parsing{shipped: shipped}
	value := mapping(s.keys(p))
	var problems Errors
	for _, f := range files {
		problems = append(problems, strict.Read(f.Name, f.Text, value)...)
	}
	slices.Sort(s.Ignore)
	s.Ignore = slices.Compact(s.Ignore)
	return s, append(problems, s.repeatedNames()...)
}

// keys are those of a rule file.
func (s *Set) keys(p *parsing) []key {
	once := onlyOnce()
	return []key{
		nested("settings", s.Settings.keys(once), "deadlines and bounds, each in one file only"),
		section(p, "tables", &s.Tables, "what `look_up` looks up"),
		section(p, "normalise", &s.NormaliseRules, "labels as the other rules see them"),
		nested("identity", []key{{
			name: "ignore", kind: "list of labels", help: "labels in which reports of one alert differ, besides `replica`, `prometheus_replica` and `severity`",
			value: appendList(&s.Ignore, ignoredLabel),
		}}, "what tells one alert from another"),
		section(p, "bind", &s.BindRules, "configuration items by templates"),
		section(p, "grouping", &s.Grouping, "by which key alerts join an incident"),
		section(p, "links", &s.LinkRules, "alerts that belong together, or never do"),
		section(p, "thresholds", &s.ThresholdRules, "so many within some time"),
		section(p, "sequences", &s.SequenceRules, "one after the other"),
		section(p, "absences", &s.AbsenceRules, "one without the other"),
		section(p, "inhibit_rules", &s.Inhibit, "alerts that mute others"),
		section(p, "suppress", &s.SuppressRules, "alerts that stay quiet"),
		section(p, "priorities", &s.PriorityRules, "how urgent alerts are"),
		section(p, "teams", &s.TeamRules, "whose alerts are"),
		section(p, "heartbeats", &s.Heartbeats, "signs of life that are expected"),
		{name: "disable", kind: "list of names", help: "shipped rules, or shipped files, that do not apply", value: appendList(&s.disable, func(d *disabled) strict.Value { return d.read })},
	}
}

// ignoredLabel reads a label that identity leaves out.
func ignoredLabel(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		if s == "alertname" {
			return errAlertname
		}
		*dst = s
		return checkLabel(s)
	})
}

// appendList reads a list and appends it to what dst holds from other files.
func appendList[T any](dst *[]T, item func(*T) strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		var list []T
		strict.List(&list, item)(r, n)
		*dst = append(*dst, list...)
		if *dst == nil {
			*dst = []T{}
		}
	}
}

// resolve finds the tables that rules name.
func (s *Set) resolve() (problems Errors) {
	for i := range s.NormaliseRules {
		if l := s.NormaliseRules[i].LookUp; l != nil && l.Table != "" {
			problems = append(problems, l.resolve(s.Tables)...)
		}
	}
	return problems
}
