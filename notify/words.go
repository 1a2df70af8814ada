package notify

import (
	"strconv"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// unanswered says what an escalation waits for. How long it has waited stands in the title of an incident's message.
func unanswered(d *message.Data) string {
	switch {
	case d.Storm != nil:
		return "nobody has acknowledged it for " + roughly(d.At.Sub(d.Since))
	case d.Incident != nil && d.Incident.AcknowledgedBy != "":
		return "nobody has acknowledged what came since"
	}
	return "nobody has acknowledged it"
}

// matcherTexts writes matchers as Alertmanager does.
func matcherTexts(ms []event.Matcher) (out []string) {
	for _, m := range ms {
		op := map[[2]bool]string{{false, true}: "=", {false, false}: "!=", {true, true}: "=~", {true, false}: "!~"}[[2]bool{m.IsRegex, m.IsEqual}]
		out = append(out, m.Name+op+strconv.Quote(m.Value))
	}
	return out
}

// joined puts what somebody said behind what was done.
func joined(what, words string) string {
	switch {
	case words == "":
		return what
	case what == "":
		return words
	}
	return what + ": " + words
}
