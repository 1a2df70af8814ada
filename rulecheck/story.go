package rulecheck

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tocsin-noc/tocsin/event"
)

// story tells what happened, a line for each change that means something to people. A nil story tells nothing.
type story struct {
	lines []string
	names map[event.AlertID]string
}

func newStory() *story { return &story{names: map[event.AlertID]string{}} }

// spanWords shows a time from the start, or a duration, as rule files write it.
func spanWords(t event.Time) string {
	return model.Duration(t.Duration().Truncate(time.Millisecond)).String()
}

func (s *story) tell(since event.Time, ch *event.Change) {
	if s == nil {
		return
	}
	if ch.Claim.Full && ch.Alert.ID != 0 {
		s.names[ch.Alert.ID] = ch.Claim.Labels.String()
	}
	if words := s.words(ch); words != "" {
		s.lines = append(s.lines, fmt.Sprintf("%8s  %s", spanWords(since), words))
	}
}

func (s *story) words(ch *event.Change) string {
	name := strings.ReplaceAll(ch.Kind.String(), "_", " ")
	switch {
	case !worthTelling(ch.Kind):
		return ""
	case ch.Incident != nil:
		return s.incident(name, ch)
	case ch.Causes != nil:
		return causeWords(ch.Causes)
	case ch.Alert.ID != 0:
		return s.alert(name, ch)
	case ch.Silence != nil:
		return name + " until " + ch.Silence.EndsAt.String()
	case ch.Window != nil:
		return fmt.Sprintf("%s %q", name, ch.Window.Name)
	case ch.Text != "":
		return name + ": " + ch.Text
	}
	return name
}

// worthTelling tells whether people look for such a change in a test's story.
func worthTelling(k event.ChangeKind) bool {
	switch k {
	case event.AlertSeen, event.PositionMoved, event.CISet, event.CoreStarted, event.RulesLoaded, event.SourceAdded, event.ComponentAdded,
		event.TraceNoted, event.TraceDropped:
		return false
	default:
		return true
	}
}

func (s *story) incident(name string, ch *event.Change) string {
	i := ch.Incident
	text := fmt.Sprintf("%s %s %q P%d %s", name, i.ID, i.Title, i.Priority, i.Severity)
	if i.Team != "" {
		text += " team " + i.Team
	}
	if ch.Actor != "" {
		text += " by " + ch.Actor
	}
	if ch.Text != "" {
		text += ": " + ch.Text
	}
	return text + ledgerWords(ch.Ledger)
}

func (s *story) alert(name string, ch *event.Change) string {
	text := fmt.Sprintf("%s %s", name, s.names[ch.Alert.ID])
	if ch.Kind == event.AlertDropped {
		return text
	}
	text += ": " + strings.ReplaceAll(ch.Alert.Reason.String(), "_", " ")
	if ch.Alert.Incident != 0 {
		text += " " + ch.Alert.Incident.String()
	}
	if ch.Alert.Suppressed {
		text += ", quiet"
	}
	return text + ledgerWords(ch.Ledger)
}

func causeWords(c *event.Causes) string {
	if c.Verdict != event.NoVerdict {
		return fmt.Sprintf("cause of %s judged %s, %s, by %s", c.Incident, c.Verdict, c.VerdictOn, c.VerdictBy)
	}
	if len(c.Candidates) == 0 {
		return ""
	}
	sure := "not sure"
	if c.Confident {
		sure = "sure"
	}
	return fmt.Sprintf("cause of %s may be %s (%s)", c.Incident, c.Candidates[0].CI, sure)
}

// ledgerWords cites the rules that a decision rests on.
func ledgerWords(ledger []event.LedgerEntry) string {
	var parts []string
	for _, e := range ledger {
		part := strings.TrimSpace(e.Kind + " " + strings.Join(e.Operands, " "))
		if e.RuleSource != "" {
			part += " (" + e.RuleSource + ")"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return " [" + strings.Join(parts, "; ") + "]"
}
