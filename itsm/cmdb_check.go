package itsm

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/event"
)

// Bounds of what is kept of CIs. What is over them is refused.
const (
	MaxCIs              = 500_000 // all tenants together
	MaxCIText           = 512     // bytes of an ID or a name
	MaxCIClass          = 64      // bytes
	MaxCIAttributes     = 64
	MaxCIAttributeName  = 128  // bytes
	MaxCIAttributeValue = 4096 // bytes
	MaxCIRelations      = 1000 // of one CI, away from it
	MaxCIPins           = 256
	MaxCIPlans          = 20 // of one CI
	MaxCIPlanAhead      = 10 * 366 * event.Day
)

// maxToldProblems bounds the problems that a refusal spells out.
const maxToldProblems = 20

// ciCheck decides one edit.
type ciCheck struct {
	g        *cmdbReads
	tenant   string
	source   string
	at       event.Time
	given    map[string]int // place in the edit's Set, by ID
	set      []event.CI     // of the edit
	loose    bool           // relations may name what is not known
	out      []event.CI
	fresh    int // CIs that are new
	problems []string
	total    int
}

// Check decides what an edit changes at a time, and returns the CIs as they are to be Put: those set in the order given, each
// followed by what had been said of it for later times where that moves too, then those retired, then those released. An edit is
// carried out as a whole or refused; a refusal tells of every problem.
//
// An import replaces the relations that it told of itself, sets the fields and attributes that it names, and takes away attributes
// that it does not name of CIs that it told of first. A person sets what they name; an attribute without a value is taken away,
// relations are replaced as a whole, by a list of one empty relation with none. Fields that a person really changes are pinned:
// imports leave them alone. What is seen in alerts becomes live when an import or a person says it is there.
func (g *cmdbReads) Check(tenant string, e *event.CIEdit, at event.Time) ([]event.CI, *event.Refusal) {
	x := ciCheck{g: g, tenant: tenant, source: e.Source, at: at, set: e.Set, loose: e.Loose, given: make(map[string]int, len(e.Set))}
	if e.Source == "" {
		x.fault("", "an edit needs a source")
	}
	for i := range e.Set {
		if _, twice := x.given[e.Set[i].ID]; twice {
			x.fault(e.Set[i].ID, "is given twice")
		}
		x.given[e.Set[i].ID] = i
	}
	for i := range e.Set {
		if x.checkGiven(&e.Set[i]) {
			x.edit(&e.Set[i])
		}
	}
	x.checkNames(e)
	for _, id := range e.Retire {
		x.amend(id, x.retire)
	}
	for _, id := range e.Release {
		x.amend(id, x.release)
	}
	if g.Len()+x.fresh > MaxCIs {
		x.fault("", fmt.Sprintf("%d CIs would be more than %d", g.Len()+x.fresh, MaxCIs))
	}
	x.checkCycles()
	if x.total > 0 {
		return nil, x.refusal()
	}
	return x.out, nil
}

// checkNames refuses an ID that an edit both sets and retires or releases, or names twice there.
func (x *ciCheck) checkNames(e *event.CIEdit) {
	named := make(map[string]bool, len(e.Retire)+len(e.Release))
	for _, id := range slices.Concat(e.Retire, e.Release) {
		if _, set := x.given[id]; set || named[id] {
			x.fault(id, "is given twice")
		}
		named[id] = true
	}
}

func (x *ciCheck) fault(id, problem string) {
	if x.total++; x.total > maxToldProblems {
		return
	}
	if id != "" {
		problem = short(id) + ": " + problem
	}
	x.problems = append(x.problems, problem)
}

// short cuts what a message repeats.
func short(text string) string {
	const most = 80
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if badText(text) != "" {
		return fmt.Sprintf("%q", text)
	}
	return text
}

func (x *ciCheck) refusal() *event.Refusal {
	message := strings.Join(x.problems, "\n")
	if more := x.total - len(x.problems); more > 0 {
		message += fmt.Sprintf("\n%d problems in all, %d not shown", x.total, more)
	}
	return &event.Refusal{Code: event.Invalid, Message: message, Hint: "nothing was changed"}
}

// checkGiven checks what an edit says of a CI, and tells whether it can be merged.
func (x *ciCheck) checkGiven(ci *event.CI) bool {
	before := x.total
	if why := badName(ci.ID, MaxCIText); why != "" {
		x.fault(ci.ID, "the ID "+why)
	}
	if ci.ID == "unbound" {
		x.fault(ci.ID, "the ID is taken: it stands for what is bound to nothing")
	}
	if ci.Tenant != "" && ci.Tenant != x.tenant {
		x.fault(ci.ID, fmt.Sprintf("is of tenant %s, the edit of %s", short(ci.Tenant), x.tenant))
	}
	if why := badName(ci.Class, MaxCIClass); ci.Class != "" && why != "" {
		x.fault(ci.ID, "the class "+why)
	}
	if why := badName(ci.Name, MaxCIText); ci.Name != "" && why != "" {
		x.fault(ci.ID, "the name "+why)
	}
	if int(ci.State) > len(event.CIStates()) {
		x.fault(ci.ID, "the state is none of "+strings.Join(event.CIStates(), ", "))
	}
	if ci.Confidence > 100 {
		x.fault(ci.ID, "the confidence is more than 100 percent")
	}
	if ci.ValidFrom < 0 || ci.ValidFrom > x.at+MaxCIPlanAhead {
		x.fault(ci.ID, fmt.Sprintf("valid_from must lie within %d days", MaxCIPlanAhead/event.Day))
	}
	x.checkLabels(ci)
	x.checkRelations(ci)
	return x.total == before
}

func (x *ciCheck) checkLabels(ci *event.CI) {
	for i, l := range ci.Attributes {
		if why := badName(l.Name, MaxCIAttributeName); why != "" {
			x.fault(ci.ID, "the name of attribute "+short(l.Name)+" "+why)
		}
		if len(l.Value) > MaxCIAttributeValue {
			x.fault(ci.ID, fmt.Sprintf("attribute %s has more than %d bytes", short(l.Name), MaxCIAttributeValue))
		}
		if why := badValue(l.Value); why != "" {
			x.fault(ci.ID, "attribute "+short(l.Name)+" "+why)
		}
		if i > 0 && ci.Attributes[i-1].Name >= l.Name {
			x.fault(ci.ID, "attribute "+short(l.Name)+" is given twice or out of order")
		}
	}
}

func (x *ciCheck) checkRelations(ci *event.CI) {
	if noRelations(ci.Relations) {
		return
	}
	if len(ci.Relations) > MaxCIRelations {
		x.fault(ci.ID, fmt.Sprintf("%d relations are more than %d", len(ci.Relations), MaxCIRelations))
		return
	}
	for i := range ci.Relations {
		r := &ci.Relations[i]
		switch {
		case r.Kind < event.DependsOn || r.Kind > event.BacksUp:
			x.fault(ci.ID, "the kind of a relation is none of "+strings.Join(event.RelationKinds(), ", "))
		case r.To == ci.ID:
			x.fault(ci.ID, r.Kind.String()+" itself")
		case badName(r.To, MaxCIText) != "":
			x.fault(ci.ID, r.Kind.String()+": the ID of the other "+badName(r.To, MaxCIText))
		case !x.loose && !x.known(r.To):
			x.fault(ci.ID, fmt.Sprintf("%v %s: there is no such CI%s", r.Kind, short(r.To), x.nearMiss(r.To)))
		}
	}
}

// noRelations tells whether a list says that there are none: one relation, an empty one.
func noRelations(relations []event.Relation) bool {
	return len(relations) == 1 && relations[0] == event.Relation{}
}

func (x *ciCheck) known(id string) bool {
	if _, given := x.given[id]; given {
		return true
	}
	return x.g.Find(x.tenant, id) != 0
}

// checkMerged checks what becomes of a CI.
func (x *ciCheck) checkMerged(ci *event.CI) {
	if ci.Class == "" {
		x.fault(ci.ID, "needs a class")
	}
	for _, l := range ci.Attributes {
		if why := checkAttribute(ci.Class, l); why != "" {
			x.fault(ci.ID, why)
		}
	}
}

// checkBounds checks what becomes of a CI, also of what was said of it for later.
func (x *ciCheck) checkBounds(ci *event.CI) {
	if len(ci.Attributes) > MaxCIAttributes {
		x.fault(ci.ID, fmt.Sprintf("%d attributes are more than %d", len(ci.Attributes), MaxCIAttributes))
	}
	if len(ci.Relations) > MaxCIRelations {
		x.fault(ci.ID, fmt.Sprintf("%d relations of all sources are more than %d", len(ci.Relations), MaxCIRelations))
	}
	if len(ci.Pinned) > MaxCIPins {
		x.fault(ci.ID, fmt.Sprintf("%d pinned fields are more than %d: release it first", len(ci.Pinned), MaxCIPins))
	}
}

// badName says what is wrong with a text that names something, "" when nothing is.
func badName(text string, most int) string {
	switch {
	case text == "":
		return "is empty"
	case len(text) > most:
		return fmt.Sprintf("has more than %d bytes", most)
	case strings.TrimSpace(text) != text:
		return "begins or ends with a space"
	}
	return badText(text)
}

// badText says what is wrong with a line of text.
func badText(text string) string {
	if !utf8.ValidString(text) {
		return "is not UTF-8"
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "holds control characters"
	}
	return ""
}

// badValue is badText for what may have several lines.
func badValue(text string) string {
	if !utf8.ValidString(text) {
		return "is not UTF-8"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "holds control characters"
	}
	return ""
}
