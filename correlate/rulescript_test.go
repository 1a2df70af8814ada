package correlate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// describeTrace prints what rules remember.
func describeTrace(name string, ch *event.Change) string {
	t := ch.Trace
	s := fmt.Sprintf("%s %s %q", name, t.Kind, t.Rule)
	if t.Second {
		s += " second"
	}
	if key := strings.Trim(strings.ReplaceAll(t.Key, "\xff", " "), " "); key != "" {
		s += " " + key
	}
	if t.Due != 0 {
		s += " by " + t.Due.Time().Format("15:04:05")
	}
	return s
}

// ruleWords prints the rules that a change of an incident cites, besides the one that groups it, and the team that they gave it.
func ruleWords(ch *event.Change) (s string) {
	kinds := []string{"bound", "priority_rule", "threshold", "sequence", "absence", "join", "keep_apart", "team"}
	for _, e := range ch.Ledger {
		if e.RuleSource != "" && slices.Contains(kinds, e.Kind) {
			s += fmt.Sprintf(" [%s %s, %s]", e.Kind, strings.Join(e.Operands, " "), e.RuleSource)
			if e.Rules == "" {
				s += " of no version"
			}
		}
	}
	if ch.Kind == event.IncidentOpened && ch.Incident.Team != "" {
		s += " team " + ch.Incident.Team
	}
	return s
}

// quiet prints the suppression ledger, and what keeps single alerts quiet or waiting.
func (p *player) quiet() {
	v := p.state.View()
	list, repeats := v.Suppressions("main", p.now)
	sum := uint32(0)
	for _, x := range list {
		sum += x.Share
		if x.Alerts > 0 {
			fmt.Fprintf(&p.out, "    | %s: %d alerts, %d now, %s, %d of a million\n", x.Reason.Names()[0], x.Alerts, x.Now, x.Duration.Duration(), x.Share)
		}
	}
	fmt.Fprintf(&p.out, "    | shares add up to %d, %d repeats\n", sum, repeats)
	for a := range v.Alerts() {
		st := a.State()
		if st.Quiet != 0 {
			fmt.Fprintf(&p.out, "    | %s/%s is quiet: %s", st.Name, st.Resource, strings.Join(st.Quiet.Names(), ", "))
			if f := a.Filter(); f != nil {
				fmt.Fprintf(&p.out, " (%s, %s: %s)", f.Name, f.Place, f.Reason)
			}
			fmt.Fprintln(&p.out)
		}
		if rule, count := a.Threshold(); rule != nil && st.Reason == event.ReasonBelowThreshold {
			fmt.Fprintf(&p.out, "    | %s/%s waits: %d of %d for %s at %s\n", st.Name, st.Resource, count, rule.Count, rule.Name, rule.Place)
		}
	}
}

// dumpRules prints what rules have left in a state besides what people see.
func dumpRules(v *View) string {
	var b strings.Builder
	for slot := uint32(1); slot < v.traces.Len(); slot++ {
		r := v.traces.At(slot)
		if r.kind == 0 {
			continue
		}
		fmt.Fprintf(&b, "trace %s %s %t %q of %s due %s:", r.kind, v.text.String(r.rule), r.second, v.text.Bytes(r.key), v.text.String(r.tenant), r.due)
		for n := r.head; n != 0; n = v.traceNodes.At(n).next {
			fmt.Fprintf(&b, " %s at %s", v.traceNodes.At(n).alert, v.traceNodes.At(n).at)
		}
		b.WriteByte('\n')
	}
	for slot := uint32(1); slot < v.quiets.Len(); slot++ {
		fmt.Fprintf(&b, "quiet %+v\n", *v.quiets.At(slot))
	}
	for slot := uint32(1); slot < v.alerts.Len(); slot++ {
		if a := v.alerts.At(slot); a.firstAt != 0 {
			fmt.Fprintf(&b, "alert %d group %d flags %b quiet %s scheme %d bound %s\n", slot, a.group, a.flags, a.quiet.Names(), v.claims.At(a.claims).scheme, a.bound)
		}
	}
	for i := range v.Incidents() {
		fmt.Fprintf(&b, "%s %+v %d apart\n", i.ID, i.Bounds, v.members.At(uint32(i.ID)).apart)
	}
	fmt.Fprintf(&b, "schemes %q, %+v\n", v.desk.Schemes, v.RuleMemory())
	return b.String()
}
