package api

import (
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// Quiet is one alert that fires and is kept quiet.
type Quiet struct {
	Alert       string            `json:"alert"`
	SilencedBy  []string          `json:"silenced_by"`
	InhibitedBy map[string]string `json:"inhibited_by"`
	Maintenance []WindowBrief     `json:"maintenance" doc:"maintenance windows that quiet it"`
	Sentence    string            `json:"sentence"`
}

func (d *Desk) quietSentence(v *correlate.View, a *Alert, tenant string) string {
	var parts []string
	for sil := range v.Silences(tenant) {
		for _, id := range a.SilencedBy {
			if sil.ID == id {
				parts = append(parts, fmt.Sprintf("silence %s of %s until %s", id, d.name(sil.CreatedBy), dayTime(sil.EndsAt.Time())))
			}
		}
	}
	if len(a.InhibitedBy) > 0 {
		parts = append(parts, "the alert "+alertName(a.InhibitedBy["alertname"], a.InhibitedBy["instance"]))
	}
	for _, w := range a.Maintenance {
		text := "the maintenance window " + w.Name
		if w.Until != nil {
			text += " until " + dayTime(*w.Until)
		}
		parts = append(parts, text)
	}
	return alertName(a.Name, a.Resource) + " is kept quiet by " + strings.Join(parts, " and ") + "."
}

func dayTime(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// Hush is one thing that keeps an alert, or the incident it is in, from ringing.
type Hush struct {
	Kind     string     `json:"kind" enum:"filter,window,silence,inhibition,flapping,dependency,threshold,waiting,severity,late,heartbeat,snooze,storm,acknowledged"`
	ID       string     `json:"id" doc:"of the silence, window, storm or alert that does it"`
	By       string     `json:"by" doc:"who decided it; empty: a rule, or the machine"`
	Until    *time.Time `json:"until" doc:"null: as long as the reason lasts"`
	Sentence string     `json:"sentence"`
}

// hushes lists what keeps an alert from ringing now, by whom and until when.
func (d *Desk) hushes(v *correlate.View, a correlate.Alert, al *Alert) []Hush {
	list := []Hush{}
	if a.Phase() != event.Firing {
		return list
	}
	for sil := range v.Silences(a.Tenant()) {
		for _, id := range al.SilencedBy {
			if sil.ID == id {
				until := sil.EndsAt.Time()
				list = append(list, Hush{"silence", id, d.name(sil.CreatedBy), &until, fmt.Sprintf("The silence %s of %s quiets it until %s%s.", id, d.name(sil.CreatedBy), dayTime(until), said(sil.Comment))})
			}
		}
	}
	for _, brief := range al.Maintenance {
		for w := range v.Windows(a.Tenant()) {
			if w.ID == brief.ID {
				list = append(list, Hush{"window", w.ID, d.name(w.CreatedBy), brief.Until, fmt.Sprintf("The maintenance window %s of %s quiets it until %s%s.", w.Name, d.name(w.CreatedBy), untilWords(brief.Until), said(w.Reason))})
			}
		}
	}
	list = append(list, inhibited(v, a)...)
	return append(append(list, hushedByRules(a)...), d.hushedByItself(v, a)...)
}

// inhibited says which alert inhibits another, and by which rule.
func inhibited(v *correlate.View, a correlate.Alert) []Hush {
	for c := range a.Claims() {
		if !c.Inhibited {
			continue
		}
		by, rule, ok := v.Inhibitor(a.Tenant(), c.Labels)
		if !ok {
			continue
		}
		st := by.State()
		name := "The rule " + rule.Place.String()
		if rule.Name != "" {
			name = fmt.Sprintf("The rule %s (%s)", rule.Name, rule.Place)
		}
		return []Hush{{Kind: "inhibition", ID: st.ID.String(), Sentence: fmt.Sprintf("%s mutes it while %s fires (alert %s%s).", name, alertName(st.Name, st.Resource), st.ID, inIncident(st.Incident))}}
	}
	return nil
}

func inIncident(id event.IncidentID) string {
	if id == 0 {
		return ""
	}
	return " in " + id.String()
}

// dependent says what an alert is a mere symptom of.
func dependent(a correlate.Alert) Hush {
	item, by, ok := a.Below()
	if !ok {
		for c := range a.Claims() {
			if c.Symptom && c.SymptomUntil != 0 {
				return Hush{Kind: "dependency", Until: stamp(c.SymptomUntil), Sentence: fmt.Sprintf("What its item rests on was down: it is a symptom, and rings from %s if it still fires.", dayTime(c.SymptomUntil.Time()))}
			}
		}
		return Hush{Kind: "dependency", Sentence: "What its item rests on was down: it is a symptom, and gets a while to end."}
	}
	st := by.State()
	return Hush{Kind: "dependency", ID: st.ID.String(), Sentence: fmt.Sprintf("%s, on which its item rests, is down, says %s (alert %s%s): it is a symptom, and quiet as long as that lasts.",
		item, alertName(st.Name, st.Resource), st.ID, inIncident(st.Incident))}
}

// hushedByRules lists the rules that keep an alert from ringing.
func hushedByRules(a correlate.Alert) (list []Hush) {
	st := a.State()
	if f := a.Filter(); f != nil {
		until := event.Time(0)
		if f.For > 0 {
			until = min(st.StartsAt, st.FiringAt) + f.For
		}
		list = append(list, Hush{Kind: "filter", ID: f.Name, Until: stamp(until), Sentence: fmt.Sprintf("The rule %s (%s) keeps it quiet%s.", f.Name, f.Place, said(f.Reason))})
	}
	if st.Quiet&event.QuietDependency != 0 {
		list = append(list, dependent(a))
	}
	if st.Reason == event.ReasonBelowThreshold {
		if rule, count := a.Threshold(); rule != nil {
			list = append(list, Hush{Kind: "threshold", ID: rule.Name, Sentence: fmt.Sprintf("The rule %s (%s) waits for %d within %s; there are %d.", rule.Name, rule.Place, rule.Count, span(rule.Within), count)})
		}
	}
	return list
}

// hushedByItself lists what about the alert, or its incident, keeps it from ringing.
func (d *Desk) hushedByItself(v *correlate.View, a correlate.Alert) (list []Hush) {
	st := a.State()
	switch why := alertWhy(v, st); st.Reason {
	case event.ReasonWaiting:
		list = append(list, Hush{Kind: "waiting", Until: stamp(st.FiringAt + v.Rules.Settings.OpenAfter[st.Severity]), Sentence: why})
	case event.ReasonNeverOpens:
		list = append(list, Hush{Kind: "severity", Sentence: why})
	case event.ReasonLate:
		list = append(list, Hush{Kind: "late", Until: stamp(st.FiringAt + v.Rules.Settings.LagThreshold), Sentence: why})
	case event.ReasonHeartbeat:
		list = append(list, Hush{Kind: "heartbeat", Sentence: why})
	default:
	}
	if f := flapping(st.Flap, d.now()); f != nil && f.Damped {
		list = append(list, Hush{Kind: "flapping", Until: f.CalmAt, Sentence: f.Sentence + "."})
	}
	i, ok := v.Incident(st.Incident)
	if !ok || i.Phase != event.IncidentOpen {
		return list
	}
	switch {
	case i.SnoozedUntil != 0:
		list = append(list, Hush{"snooze", "", d.name(i.AckedBy), stamp(i.SnoozedUntil), fmt.Sprintf("%s is snoozed until %s by %s; it rings again when it gets worse.", i.ID, dayTime(i.SnoozedUntil.Time()), d.name(i.AckedBy))})
	case i.AckedAt != 0 && i.WorseAt == 0:
		list = append(list, Hush{"acknowledged", "", d.name(i.AckedBy), nil, fmt.Sprintf("%s acknowledged %s; it rings again when it gets worse.", d.name(i.AckedBy), i.ID)})
	case i.Storm != 0:
		list = append(list, Hush{Kind: "storm", ID: stormID(i.Storm), Sentence: fmt.Sprintf("%s opened in %s, and was told of together with others.", i.ID, stormID(i.Storm))})
	}
	return list
}

func untilWords(t *time.Time) string {
	if t == nil {
		return "it is ended"
	}
	return dayTime(*t)
}

// said puts a person's words behind a sentence, where there are any.
func said(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}
