package api

import (
	"fmt"
	"math"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// Place is why an alert's configuration item went where it did: what was looked at, how likely each was, and how likely it had to be.
// Scores are in thousandths of a nat: e to their thousandth part is by how many times an explanation beats chance.
type Place struct {
	Kind      string    `json:"kind" enum:"same_item,edge,component,root,came_back,silent_root,second_onset,by_hand"`
	At        time.Time `json:"at" doc:"when it began, as far as its source is believed"`
	CI        string    `json:"ci" doc:"id of the item that was placed"`
	Component string    `json:"component" doc:"what the item shares its faults with"`
	Edge      *EdgeCase `json:"edge,omitempty" doc:"the item that explains it best by a relation; left out: none had alarmed"`
	Near      *NearCase `json:"near,omitempty" doc:"what alarmed last in the component; left out: nothing had"`
	Needed    int64     `json:"needed_milli_nats" doc:"how good the better of them had to be"`
	Sentence  string    `json:"sentence"`
	Others    []string  `json:"others" doc:"explanations that were not good enough, or less good"`
}

// EdgeCase is an explanation by a relation.
type EdgeCase struct {
	CI        string  `json:"ci"`
	Incident  string  `json:"incident" doc:"in which that item was then; empty: in none"`
	Hops      uint8   `json:"hops"`
	Gap       float64 `json:"gap_seconds" doc:"between the two"`
	MilliNats int64   `json:"milli_nats"`
}

// NearCase is an explanation by the component.
type NearCase struct {
	Incident  string  `json:"incident" doc:"that alarmed there last; empty: none was open"`
	Gap       float64 `json:"gap_seconds" doc:"since then"`
	MilliNats int64   `json:"milli_nats"`
	Alpha     uint32  `json:"alpha_millionths" doc:"share of the component's items that a fault hits off the relations"`
}

// place shapes a placement, nil where topology had no say.
func (p *past) place(v *correlate.View, d *event.Placement) *Place {
	if d == nil || d.Kind == event.PlaceNone {
		return nil
	}
	out := &Place{
		Kind: d.Kind.String(), At: d.At.Time(), CI: v.CMDB().ID(d.Item), Component: v.ComponentName(d.Component), Needed: d.Needed, Others: []string{},
	}
	if d.Edge != event.NoScore && d.From != 0 {
		out.Edge = &EdgeCase{d.FromID, incidentID(d.FromIn), d.Hops, d.Gap.Duration().Seconds(), d.Edge}
	}
	if d.Near != event.NoScore {
		out.Near = &NearCase{incidentID(d.NearIn), d.NearGap.Duration().Seconds(), d.Near, d.Alpha}
	}
	out.tell(d, p, v)
	return out
}

// tell puts a placement into words: what decided, and what did not.
func (out *Place) tell(p *event.Placement, k *past, v *correlate.View) {
	edge, near := k.edgeWords(p), nearWords(p, out.Component)
	need := fmt.Sprintf("; %s needed", isNeeded(p.Needed))
	switch p.Kind {
	case event.PlaceEdge:
		if edge == "" {
			out.Sentence = fmt.Sprintf("It is a symptom: %s, on which it rests, is down.", p.FromID)
			return
		}
		out.Sentence = "It rests on " + edge + need + "."
		if near != "" {
			out.Others = append(out.Others, near+".")
		}
		return
	case event.PlaceNear:
		out.Sentence = near + need + "."
		if edge != "" {
			out.Others = append(out.Others, "It rests on "+edge+".")
		}
		return
	case event.PlaceSame:
		out.Sentence = fmt.Sprintf("Its item %s alarmed %s; within %s that stays together.", out.CI, apart(p.Gap, "before"), span(v.Rules.Settings.Correlation.JoinWithin))
	case event.PlaceBack:
		out.Sentence = "The same alert was there a short while ago, and came back."
	case event.PlaceHand:
		out.Sentence = "A person put it there."
	case event.PlaceVirtual:
		out.Sentence = fmt.Sprintf("%s says nothing itself, but %d items that rest on it began to alarm almost at once: by chance that happens %s; it must be rarer than %s.",
			out.CI, p.Roots, oneIn(p.Edge), oneIn(p.Needed))
		out.Edge = nil
	case event.PlaceOnset:
		out.Sentence = fmt.Sprintf("A second fault: %d alerts of %d items in 10 s. What ran already makes so many %s; it must be rarer than %s.",
			p.Alerts, p.Items, oneIn(p.Near), oneIn(p.Needed))
		out.Near = nil
	default:
		out.ofRoot(edge, near, need)
	}
}

// ofRoot says what was looked at when nothing explained an item.
func (out *Place) ofRoot(edge, near, need string) {
	out.Sentence = "Nothing explained it, so it began something of its own."
	if edge == "" && near == "" {
		out.Sentence = "Nothing that it rests on had alarmed lately, nor anything in its component, so it began something of its own."
	}
	if edge != "" {
		out.Others = append(out.Others, "It rests on "+edge+need+".")
	}
	if near != "" {
		out.Others = append(out.Others, near+need+".")
	}
}

// edgeWords says how good the explanation by a relation is, "" when there is none.
func (p *past) edgeWords(d *event.Placement) string {
	if d.Edge == event.NoScore || d.From == 0 {
		return ""
	}
	what := "which alarmed " + apart(d.Gap, p.orderOf(d))
	if p.silent[d.From] {
		what = "the silent cause, found " + apart(d.Gap, "")
	}
	return fmt.Sprintf("%s (%s), %s: %s", d.FromID, hopWords(d.Hops), what, likelier(d.Edge, d.Needed))
}

// nearWords says how good the explanation by the component is, "" when there is none.
func nearWords(p *event.Placement, component string) string {
	if p.Near == event.NoScore || p.Kind == event.PlaceOnset {
		return ""
	}
	who := "Something"
	if p.NearIn != 0 {
		who = p.NearIn.String()
	}
	return fmt.Sprintf("%s alarmed in the same component (%s) %s: %s", who, component, apart(p.NearGap, ""), likelier(p.Near, p.Needed))
}

func hopWords(hops uint8) string {
	if hops == 1 {
		return "1 hop"
	}
	return fmt.Sprintf("%d hops", hops)
}

// apart says how far two alarms are from each other; order is before or after, "" when that is not known.
func apart(gap event.Time, order string) string {
	text := fmt.Sprintf("%d s", gap/event.Second)
	if gap >= 2*event.Minute {
		text = span(gap)
	}
	switch {
	case gap < event.Second:
		return "at the same moment"
	case order == "":
		return "within " + text + " of it"
	}
	return text + " " + order
}

// likelier puts a score into words, so rounded that it never seems to be on the other side of what is needed.
func likelier(milliNats, needed int64) string {
	times, need := math.Exp(float64(milliNats)/1000), math.Round(math.Exp(float64(needed)/1000))
	if milliNats >= needed {
		times = max(times, need)
	}
	switch {
	case times < 1:
		return "no likelier than chance"
	case times >= 1_000_000:
		return "over a million times likelier than chance"
	case times >= 100:
		step := math.Pow(10, math.Floor(math.Log10(times))-1)
		return grouped(math.Floor(times/step)*step) + " times likelier than chance"
	case times >= 10:
		return grouped(math.Floor(times)) + " times likelier than chance"
	}
	return fmt.Sprintf("%.1f times likelier than chance", math.Floor(times*10)/10)
}

// isNeeded says how much likelier an explanation must be.
func isNeeded(milliNats int64) string {
	return grouped(math.Round(math.Exp(float64(milliNats)/1000))) + " is"
}

// oneIn puts a surprise into words.
func oneIn(milliNats int64) string {
	times := math.Exp(float64(milliNats) / 1000)
	if times >= 1_000_000 {
		return "less than once in a million"
	}
	step := max(1, math.Pow(10, math.Floor(math.Log10(max(times, 1)))-1))
	return "once in " + grouped(math.Floor(times/step)*step)
}

// grouped writes a whole number with commas between thousands.
func grouped(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
