package pack

import (
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

const longTitle = 80 // characters of an incident's title in a sentence

// sentences are what the figures say, by fixed rules: how much there was, what moved beyond chance, and where to look.
func sentences(sections []*section, figures []headline) []string {
	return []string{volume(figures), moved(figures), look(sections)}
}

// volume says how much there was and how fast it was over.
func volume(figures []headline) string {
	opened, resolve := figures[0], figures[2]
	if opened.Figure == "–" || opened.Figure == "0" {
		return "No incident was opened in this period."
	}
	noun := "incidents were"
	if opened.Figure == "1" {
		noun = "incident was"
	}
	text := fmt.Sprintf("%s %s opened", opened.Figure, noun)
	if opened.Was != "" {
		text += " (" + opened.Was + " in the period before)"
	}
	if resolve.Figure != "–" {
		text += "; half of those resolved were over within " + resolve.Figure
	}
	return text + "."
}

// moved says what got better and what got worse, beyond the intervals.
func moved(figures []headline) string {
	var good, bad []string
	compared := false
	for _, h := range figures {
		text := h.word + " (" + h.Was + " → " + h.Figure + ")"
		switch h.Verdict {
		case better:
			good = append(good, text)
		case worse:
			bad = append(bad, text)
		case steady, open:
		}
		compared = compared || h.Verdict != open
	}
	switch {
	case !compared:
		return "There is no period before to compare with."
	case len(good)+len(bad) == 0:
		return "No figure moved beyond what chance explains."
	case len(bad) == 0:
		return "Better: " + strings.Join(good, ", ") + "; nothing got worse beyond what chance explains."
	case len(good) == 0:
		return "Worse: " + strings.Join(bad, ", ") + "; nothing got better beyond what chance explains."
	}
	return "Better: " + strings.Join(good, ", ") + ". Worse: " + strings.Join(bad, ", ") + "."
}

// look names the trouble that cost most time and the service that was there least.
func look(sections []*section) string {
	var parts []string
	if r, row := first(sections, "recurrence", "by", "signature"); row != nil {
		n, _ := cell(r, row, "n")
		share, ok := cell(r, row, "lost_share")
		if what, _ := row[r.Table.Index("title")].(string); ok {
			times := "once"
			if n > 1 {
				times = count(n) + " times"
			}
			parts = append(parts, fmt.Sprintf("most time went to “%s” (%s, %s of all time lost)", terminal.Truncate(terminal.Clean(what), longTitle), times, show(share, reports.Ratio)))
		}
	}
	if r, row := first(sections, "availability", "by", "service"); row != nil {
		down, _ := cell(r, row, "down")
		share, ok := cell(r, row, "share")
		if service, _ := row[r.Table.Index("service")].(string); ok && down > 0 {
			parts = append(parts, fmt.Sprintf("the service that was there least is %s with %s (%s down)", terminal.Truncate(terminal.Clean(service), longTitle), show(share, reports.Ratio), show(down, reports.Seconds)))
		}
	}
	if len(parts) == 0 {
		return "No trouble and no service stands out."
	}
	text := strings.Join(parts, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// first returns the first row of a report with a value: reports put the worst in front.
func first(sections []*section, report, column, value string) (*reports.Result, []any) {
	for _, s := range sections {
		if s.report.Name == report {
			return s.now, find(s.now, map[string]string{"bucket": "", column: value})
		}
	}
	return nil, nil
}
