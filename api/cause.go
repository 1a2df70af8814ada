package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Cause is what is thought of an incident's root cause. A name is called likely only when it is well ahead of the next, the machine has
// seen enough incidents of the component, and its record with people is good.
type Cause struct {
	State      string           `json:"state" enum:"likely,unsure,learning,none,right,wrong,other" doc:"likely: the machine names one; right, wrong, other: what a person said of it"`
	Sentence   string           `json:"sentence" example:"likely: db-3 (right in 31 of 40)"`
	CI         string           `json:"ci" doc:"id of the item that is likely, or that a person named; empty: none"`
	Confident  bool             `json:"confident" doc:"the first is well ahead of the second"`
	Margin     int64            `json:"margin_milli_nats" doc:"by which the first is ahead"`
	Needed     int64            `json:"needed_milli_nats" doc:"by which it must be, to be confident"`
	Learned    uint32           `json:"learned" doc:"earlier incidents of its component on which the scores rest"`
	Looked     uint32           `json:"looked" doc:"items that were weighed of those in of: the ones on which there is most evidence. Where it is less than of, the rest was not looked at"`
	Of         uint32           `json:"of" doc:"items of the incident's group of which something was said"`
	Learning   uint32           `json:"learning_incidents" doc:"below so many it is still learning, and names none"`
	Record     CauseRecord      `json:"record"`
	Verdict    string           `json:"verdict" enum:",right,wrong,other" doc:"what a person said; empty: nothing yet"`
	VerdictOn  string           `json:"verdict_on" doc:"the item that the verdict names"`
	VerdictBy  string           `json:"verdict_by"`
	VerdictAt  *time.Time       `json:"verdict_at"`
	Candidates []CauseCandidate `json:"candidates" doc:"best first, at most 5"`
}

// CauseRecord is how the machine did so far in the eyes of people, in all components of the tenant.
type CauseRecord struct {
	Judged uint32 `json:"judged"`
	Right  uint32 `json:"right"`
}

// CauseCandidate is an item that may be the cause.
type CauseCandidate struct {
	CI       string   `json:"ci"`
	Score    int64    `json:"score_milli_nats"`
	Share    uint16   `json:"share_thousandths" doc:"of all candidates' weight"`
	Evidence []Reason `json:"evidence" doc:"the heaviest first"`
}

const goodRecord = 70 // percent of verdicts that must be right for a name to be called likely

// cause shapes what is known of an incident's cause, nil when nothing is.
func (d *Desk) cause(v *correlate.View, i *event.IncidentState) *Cause {
	c, ok := v.Causes(i.ID)
	if !ok {
		return nil
	}
	settings := &v.Rules.Settings.Correlation
	record := v.CauseRecord(i.Tenant)
	out := &Cause{
		Confident: c.Confident, Margin: c.Margin, Needed: int64(settings.ConfidentMargin), Learned: c.Learned, Looked: c.Looked, Of: c.Of, Learning: uint32(settings.LearningIncidents),
		Record:  CauseRecord{record.Judged, record.Right},
		Verdict: c.Verdict.String(), VerdictOn: c.VerdictOn, VerdictBy: d.name(c.VerdictBy), VerdictAt: stamp(c.VerdictAt),
		Candidates: make([]CauseCandidate, len(c.Candidates)),
	}
	for n := range c.Candidates {
		out.Candidates[n] = candidate(&c.Candidates[n])
	}
	out.judge()
	return out
}

// NamedCause says in one sentence what an incident's cause is, "" unless the machine or a person names one.
func (d *Desk) NamedCause(v *correlate.View, i *event.IncidentState) string {
	if c := d.cause(v, i); c != nil && c.CI != "" {
		return c.Sentence
	}
	return ""
}

func candidate(c *event.Cause) CauseCandidate {
	out := CauseCandidate{CI: c.CI, Score: c.Score, Share: c.Share, Evidence: make([]Reason, len(c.Ledger))}
	for n, l := range c.Ledger {
		out.Evidence[n] = Reason{l.Kind, append([]string{}, l.Operands...), l.MilliNats, l.RuleSource, evidence(l)}
	}
	return out
}

// judge decides what people are told.
func (c *Cause) judge() {
	first := ""
	if len(c.Candidates) > 0 {
		first = c.Candidates[0].CI
	}
	switch {
	case c.Verdict == event.CauseRight.String():
		c.State, c.CI, c.Sentence = c.Verdict, c.VerdictOn, fmt.Sprintf("it was %s, says %s", c.VerdictOn, c.VerdictBy)
	case c.Verdict == event.CauseOther.String():
		c.State, c.CI, c.Sentence = c.Verdict, c.VerdictOn, fmt.Sprintf("it was %s, says %s", c.VerdictOn, c.VerdictBy)
	case c.Verdict == event.CauseWrong.String():
		c.State, c.Sentence = c.Verdict, fmt.Sprintf("it was not %s, says %s", c.VerdictOn, c.VerdictBy)
	case first == "":
		c.State, c.Sentence = "none", "no candidate for the cause"
	case c.Learned < c.Learning:
		c.State, c.Sentence = "learning", fmt.Sprintf("still learning (%d)", c.Learned)
	case !c.Confident:
		c.State, c.Sentence = "unsure", "no confident cause, "+candidateCount(len(c.Candidates))
	case c.Record.Judged > 0 && uint64(c.Record.Right)*100 < uint64(c.Record.Judged)*goodRecord:
		c.State, c.Sentence = "unsure", fmt.Sprintf("no confident cause, %s; right in only %s", candidateCount(len(c.Candidates)), c.Record)
	default:
		c.State, c.CI, c.Sentence = "likely", first, "likely: "+first
		if c.Record.Judged > 0 {
			c.Sentence += fmt.Sprintf(" (right in %s)", c.Record)
		}
	}
}

// String returns the record as people say it.
func (r CauseRecord) String() string { return fmt.Sprintf("%d of %d", r.Right, r.Judged) }

func candidateCount(n int) string {
	if n == 1 {
		return "1 candidate"
	}
	return fmt.Sprintf("%d candidates", n)
}

// evidence puts one entry of the case against an item into words.
func evidence(l event.LedgerEntry) string {
	op := append(append([]string{}, l.Operands...), "", "", "", "", "")
	switch l.Kind {
	case "surprise":
		before := "which it said in no earlier incident"
		if op[3] != "0" && op[3] != "" {
			before = "which it said in " + op[3] + " earlier incidents"
			if op[3] == "1" {
				before = "which it said in 1 earlier incident"
			}
		}
		return fmt.Sprintf("It says %s, %s, %s.", alertName(op[0], op[1]), firstOrAfter(op[2]), before)
	case "says":
		return fmt.Sprintf("It says %s different things.", op[0])
	case "topology":
		return topologyEvidence(op)
	case "parts":
		if l.MilliNats < 0 {
			return "What its parts say is too little to count."
		}
		return "What its parts say adds to that."
	}
	return strings.TrimSpace(l.Kind + " " + strings.Join(l.Operands, ", "))
}

// firstOrAfter says how long after the first alert something was said.
func firstOrAfter(text string) string {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return text + " after the first alert"
	case d < time.Second:
		return "first of all"
	}
	return apart(event.FromDuration(d), "after the first alert")
}

func topologyEvidence(op []string) string {
	items := func(n, one, many string) string {
		if n == "1" {
			return "1 item " + one
		}
		return n + " items " + many
	}
	text := "It alarmed itself"
	if op[2] == "true" {
		text = "It says nothing itself"
	}
	switch {
	case op[0] != "0":
		text += "; " + items(op[0], "that rests on it alarmed", "that rest on it alarmed")
	default:
		text += "; nothing that rests on it alarmed"
	}
	if op[1] != "0" {
		text += ", " + items(op[1], "that rests directly on it did not", "that rest directly on it did not")
	}
	if op[4] != "" {
		text += fmt.Sprintf("; of %s items of the group the first %s were looked at for that", op[4], op[3])
	}
	return text + "."
}

// CauseVerdict is what a person says of the cause that was named.
type CauseVerdict struct {
	Verdict string `json:"verdict,omitempty" enum:"right,wrong,other" doc:"of the first candidate; other: it was the item in ci"`
	CI      string `json:"ci,omitempty" maxLength:"200" doc:"id or name of the item that it was"`
}

// JudgeCause takes a person's verdict on the cause of an incident.
func (d *Desk) JudgeCause(ctx context.Context, incident string, body *CauseVerdict) (*Incident, error) {
	c := event.Command{Kind: event.JudgeCause, Text: strings.TrimSpace(body.CI)}
	switch body.Verdict {
	case event.CauseRight.String():
		c.Number = uint32(event.CauseRight)
	case event.CauseWrong.String():
		c.Number = uint32(event.CauseWrong)
	case event.CauseOther.String(), "":
		c.Number = uint32(event.CauseOther)
	}
	if c.Number != uint32(event.CauseOther) && c.Text != "" {
		return nil, invalid("right and wrong are about the first candidate, and an item is given", `give {"ci": "…"} alone when it was another item`)
	}
	if c.Number == uint32(event.CauseOther) && c.Text == "" {
		return nil, invalid("it is not said what the cause was", `give {"verdict": "right"}, {"verdict": "wrong"} or {"ci": "…"}`)
	}
	return d.Act(ctx, incident, c)
}

func (s *server) causeRoutes(sp *spec) {
	add(sp, route{method: "POST", path: "/incidents/{id}/cause", role: auth.Responder, tag: "incidents", summary: "Say whether the cause that was named is right, or what it was"},
		func(ctx context.Context, in *struct {
			IncidentPath
			Body CauseVerdict
		}) (*Incident, error) {
			return s.desk.JudgeCause(ctx, in.ID, &in.Body)
		})
	add(sp, route{method: "GET", path: "/correlation", role: auth.Viewer, tag: "system", summary: "Show what grouping and ranking have learned of each component"}, s.desk.Correlation)
}
