package pack

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/history/reports/render"
)

// source says where a headline's figure stands.
type source struct {
	label  string
	means  string // in a few words, below the figure
	word   string // within a sentence
	report string
	where  map[string]string
	figure string // column
	n      string // column of how many it rests on
	unit   reports.Unit
	lo, hi string // columns of its interval; empty: counted, not sampled
	less   bool   // the less the better
	counts bool   // a number of things that come by chance: its interval is that of such counts
}

// sources are the eight figures of the first page.
func sources() []source {
	all := func(more ...string) map[string]string {
		where := map[string]string{"bucket": ""}
		for i := 0; i+1 < len(more); i += 2 {
			where[more[i]] = more[i+1]
		}
		return where
	}
	return []source{
		{
			label: "Incidents opened", means: "without merged and cancelled ones", word: "incidents", report: "recurrence", where: all("by", "all"), figure: "n", unit: reports.Count,
			less: true, counts: true,
		},
		{
			label: "Time to acknowledge", means: "median, from the opening", word: "time to acknowledge", report: "mtta", where: all("clock", "opened", "stratum", "all"), figure: "p50", n: "n",
			unit: reports.Seconds, lo: "p50_lo", hi: "p50_hi", less: true,
		},
		{
			label: "Time to resolve", means: "median, from the opening", word: "time to resolve", report: "mttr", where: all("clock", "resolve", "hours", "elapsed", "by", "all"), figure: "p50", n: "n",
			unit: reports.Seconds, lo: "p50_lo", hi: "p50_hi", less: true,
		},
		{
			label: "Availability", means: "of all services, of the time promised", word: "availability", report: "availability", where: all("by", "all"), figure: "share", n: "n",
			unit: reports.Ratio,
		},
		{
			label: "Open at the end", means: "backlog", word: "backlog", report: "backlog", where: all("stratum", "all"), figure: "n", unit: reports.Count, less: true, counts: true,
		},
		{
			label: "Fixed the first time", means: "not reopened, not back in 14 days", word: "first-time fix", report: "first_time_fix", where: all("resolver", "all"), figure: "share", n: "n",
			unit: reports.Ratio, lo: "lo", hi: "hi",
		},
		{
			label: "Seen before", means: "the same in the 30 days before", word: "recurrence", report: "recurrence", where: all("by", "all"), figure: "share", n: "n",
			unit: reports.Ratio, lo: "lo", hi: "hi", less: true,
		},
		{
			label: "Woken up", means: "interruptions 22:00 to 08:00", word: "interruptions at night", report: "interruptions", where: all("team", "all"), figure: "asleep", n: "n",
			unit: reports.Count, less: true, counts: true,
		},
	}
}

// headlined tells whether a figure of the first page comes from a report.
func headlined(report string) bool {
	for _, s := range sources() {
		if s.report == report {
			return true
		}
	}
	return false
}

// headline is one figure of the first page.
type headline struct {
	Label, Means, Report string
	Figure               string
	Interval             string // 95 %; empty: none
	Rests                string // on how many
	Change               string // against the period before
	Was                  string
	Verdict              verdict
	word                 string
}

type verdict string

// What a change is. A change within the intervals is no news.
const (
	better verdict = "better"
	worse  verdict = "worse"
	steady verdict = "steady" // within the intervals
	open   verdict = "open"   // nothing to compare
)

// measured is a figure with the ends of its interval.
type measured struct {
	value, lo, hi float64
	known         bool // there is a figure
	sampled       bool // there is an interval
}

// read takes a headline's figure out of a result.
func (s *source) read(r *reports.Result) measured {
	row := find(r, s.where)
	m := measured{}
	m.value, m.known = cell(r, row, s.figure)
	m.lo, m.hi = m.value, m.value
	switch {
	case !m.known:
	case s.counts:
		m.lo, m.hi, m.sampled = max(0, m.value-1.96*math.Sqrt(m.value)), m.value+1.96*math.Sqrt(m.value)+1, true
	case s.lo != "":
		lo, okLo := cell(r, row, s.lo)
		hi, okHi := cell(r, row, s.hi)
		if okLo && okHi {
			m.lo, m.hi, m.sampled = lo, hi, true
		}
	}
	return m
}

// headlines reads the figures of the first page.
func headlines(sections []*section) []headline {
	var out []headline
	for _, s := range sources() {
		h := headline{Label: s.label, Means: s.means, Report: s.report, Figure: "–", Verdict: open, word: s.word}
		for _, at := range sections {
			if at.report.Name != s.report {
				continue
			}
			now, was := s.read(at.now), s.read(at.before)
			if now.known {
				h.Figure = show(now.value, s.unit)
			}
			if now.sampled && !s.counts {
				h.Interval = show(now.lo, s.unit) + " – " + show(now.hi, s.unit)
			}
			if n, ok := cell(at.now, find(at.now, s.where), s.n); ok && s.n != "" {
				h.Rests = "n = " + count(n)
			}
			h.compare(&s, now, was)
		}
		out = append(out, h)
	}
	return out
}

// compare says how a figure moved. It is news only where the two intervals do not meet; of a median without an interval (few
// values) nothing is said.
func (h *headline) compare(s *source, now, was measured) {
	if !now.known || !was.known {
		h.Change = "nothing to compare"
		return
	}
	h.Was = show(was.value, s.unit)
	h.Change = change(now.value, was.value, s.unit)
	judged := s.lo == "" || now.sampled && was.sampled
	switch {
	case h.Was == h.Figure: // what the digits do not show is none
		h.Verdict, h.Change = steady, "no change"
	case !judged, now.lo <= was.hi && was.lo <= now.hi:
		h.Verdict = steady
	case now.value < was.value == s.less:
		h.Verdict = better
	default:
		h.Verdict = worse
	}
}

// change is the difference to the period before: in points for shares, in per cent for the rest.
func change(now, was float64, unit reports.Unit) string {
	switch {
	case now == was:
		return "no change"
	case unit == reports.Ratio:
		points := (now - was) * 100
		digits := 1
		if math.Abs(points) < 0.1 {
			digits = 3
		}
		return signed(points, digits) + " points"
	case was == 0:
		return "from none"
	}
	return signed((now-was)/was*100, 0) + " %"
}

func signed(f float64, digits int) string {
	text := fmt.Sprintf("%+.*f", digits, f)
	return strings.Replace(text, "-", "−", 1)
}

func show(f float64, unit reports.Unit) string {
	if unit == reports.Ratio && f > 0.99 && f < 1 {
		return fmt.Sprintf("%.3f %%", math.Floor(f*1e5)/1e3) // rounded down: nothing but all of it is 100 %
	}
	return render.Cell(f, reports.Column{Unit: unit}, time.UTC)
}

func count(f float64) string { return show(f, reports.Count) }

// title names a pack by its period.
func title(p reports.Params) string { return "Operations, " + name(p) }

// name calls a month by its name, and any other period by its dates.
func name(p reports.Params) string {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		zone = time.UTC
	}
	from, to := p.From.In(zone), p.To.In(zone)
	if monthBegins(from) && from.AddDate(0, 1, 0).Equal(to) {
		return from.Format("January 2006")
	}
	form := time.DateOnly
	if to.Sub(from) < 48*time.Hour {
		form = "2006-01-02 15:04"
	}
	return from.Format(form) + " to " + to.Add(-time.Millisecond).Format(form)
}
