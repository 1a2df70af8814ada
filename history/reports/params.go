package reports

import (
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
)

// Params are what a report is asked for. The zero value of all but From and To is a good one.
type Params struct {
	From     time.Time // the period, half-open: [From, To)
	To       time.Time
	Zone     string // IANA name; empty: UTC
	Tenant   string // empty: all
	Service  string // id; empty: any
	Team     string // empty: any
	Priority uint8  // 1 to 5; 0: any
	Bucket   string // day, week or month; empty: by the length of the period
	Person   string // login of who asks, where a report shows people nothing but their own; empty: what all may see
}

// Problem is a parameter that cannot be used.
type Problem struct {
	Field string
	Rule  string
	Hint  string
}

func (p *Problem) Error() string { return fmt.Sprintf("%s: %s (%s)", p.Field, p.Rule, p.Hint) }

const (
	day       = 24 * time.Hour
	maxPeriod = 10*365*day + 3*day
	dayLimit  = 35 * day  // to which a period is cut into days
	weekLimit = 190 * day // to which it is cut into weeks; into months above
	maxText   = 256       // bytes of a name
)

// check returns the parameters with the defaults put in.
func (p Params) check() (Params, error) {
	epoch := time.Unix(0, 0)
	switch {
	case p.From.IsZero() || p.From.Before(epoch):
		return p, &Problem{"from", "must be an instant from 1970 on", "as in 2026-11-01"}
	case p.To.IsZero() || p.To.After(time.Date(2106, 1, 1, 0, 0, 0, 0, time.UTC)):
		return p, &Problem{"to", "must be an instant before 2106", "as in 2026-12-01"}
	case !p.From.Before(p.To):
		return p, &Problem{"from", "must be before to", fmt.Sprintf("got %s and %s", p.From.Format(time.RFC3339), p.To.Format(time.RFC3339))}
	case p.To.Sub(p.From) > maxPeriod:
		return p, &Problem{"from", "must be at most 10 years before to", "ask for several periods"}
	case p.Priority > 5:
		return p, &Problem{"priority", "must be 1 to 5, or 0 for any", fmt.Sprintf("got %d", p.Priority)}
	}
	if p.Zone == "" {
		p.Zone = "UTC"
	}
	if _, _, err := zoneinfo.Load(p.Zone); err != nil {
		return p, &Problem{"zone", "must be a name of the IANA time zone database", fmt.Sprintf("as in Europe/Berlin; got %q", p.Zone)}
	}
	for field, value := range map[string]string{"tenant": p.Tenant, "service": p.Service, "team": p.Team, "person": p.Person} {
		if len(value) > maxText {
			return p, &Problem{field, fmt.Sprintf("must be at most %d bytes", maxText), fmt.Sprintf("got %d", len(value))}
		}
	}
	switch p.Bucket {
	case "":
		p.Bucket = bucketFor(p.To.Sub(p.From))
	case "day", "week", "month":
	default:
		return p, &Problem{"bucket", "must be day, week or month", fmt.Sprintf("got %q", p.Bucket)}
	}
	return p, nil
}

// bucketFor cuts a period into some ten to forty pieces.
func bucketFor(period time.Duration) string {
	switch {
	case period <= dayLimit:
		return "day"
	case period <= weekLimit:
		return "week"
	}
	return "month"
}

// parameters of every statement, with their types. The zone of times stands in the type: a server has one of its own.
func parameters() map[string]string {
	return map[string]string{
		"from": "DateTime64(3, 'UTC')", "to": "DateTime64(3, 'UTC')", "zone": "String", "tenant": "String", "service": "String",
		"team": "String", "priority": "UInt8", "bucket": "String", "person": "String",
	}
}

func parameterNames() []string {
	return []string{"from", "to", "zone", "tenant", "service", "team", "priority", "bucket", "person"}
}

func parameterList() string {
	var list []string
	for _, name := range parameterNames() {
		list = append(list, "{"+name+":"+parameters()[name]+"}")
	}
	return strings.Join(list, " ")
}

// values are the parameters as the engine reads them: text with the escapes of tab-separated values.
func (p Params) values() map[string]string {
	const form = "2006-01-02 15:04:05.000"
	text := strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
	return map[string]string{
		"from": p.From.UTC().Format(form), "to": p.To.UTC().Format(form), "zone": text.Replace(p.Zone), "tenant": text.Replace(p.Tenant),
		"service": text.Replace(p.Service), "team": text.Replace(p.Team), "priority": fmt.Sprint(p.Priority), "bucket": p.Bucket,
		"person": text.Replace(p.Person),
	}
}

// Script returns a statement with its parameters set in front, as a client of the engine takes it.
func (p Params) Script(sql string) (string, error) {
	p, err := p.check()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	values, quote := p.values(), strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, name := range parameterNames() {
		if strings.Contains(sql, "{"+name+":") {
			fmt.Fprintf(&b, "SET param_%s = '%s';\n", name, quote.Replace(values[name]))
		}
	}
	return b.String() + sql + ";\n", nil
}
