package itsm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// AttributeKind is what an attribute's value must look like.
type AttributeKind uint8

// Kinds of attributes.
const (
	TextAttribute        AttributeKind = iota + 1
	CriticalityAttribute               // 1–4
	DecimalAttribute                   // 0 or more, at most four decimals
	CountAttribute                     // 0 or more, whole
	CurrencyAttribute                  // three capital letters
	DurationAttribute                  // as in 4h, 1d12h
	LinkAttribute                      // http or https
	DateAttribute                      // YYYY-MM-DD
	StockAttribute                     // in_stock, in_use, in_repair, disposed
)

// Attribute is one that Tocsin knows; others may stand beside it.
type Attribute struct {
	Name string
	Kind AttributeKind
	Doc  string
}

var serviceAttributes = [...]Attribute{
	{"calendar", TextAttribute, "the hours in which it is used and supported"},
	{"contact", TextAttribute, "whom to reach when it fails"},
	{"criticality", CriticalityAttribute, "how much hangs on it: 1 most, 4 least; 3 when not given"},
	{"currency", CurrencyAttribute, "of value_per_hour"},
	{"description", TextAttribute, "what it is for"},
	{"owner", TextAttribute, "who answers for it"},
	{"plan_tested", DateAttribute, "when its recovery plan was last tested"},
	{"rpo", DurationAttribute, "how much of its data may be lost, as time"},
	{"rto", DurationAttribute, "how soon it must be back"},
	{"runbook", LinkAttribute, "what to do when it fails"},
	{"sla", TextAttribute, "the agreement it is measured by"},
	{"team", TextAttribute, "who works on it"},
	{"tier", TextAttribute, "its class of recovery"},
	{"users", CountAttribute, "how many people use it"},
	{"value_per_hour", DecimalAttribute, "what an hour of downtime costs"},
}

var assetAttributes = [...]Attribute{
	{"bought", DateAttribute, "when"},
	{"contract", TextAttribute, "under which it is maintained"},
	{"cost_centre", TextAttribute, "who pays"},
	{"end_of_life", DateAttribute, "until when its maker supports it"},
	{"location", TextAttribute, "where it stands"},
	{"owner", TextAttribute, "who answers for it"},
	{"serial", TextAttribute, "its maker's number"},
	{"stock_state", StockAttribute, "where it is in its life as a thing"},
	{"warranty_until", DateAttribute, "until when repair is free"},
}

// ServiceAttributes lists the attributes of services, by name.
func ServiceAttributes() []Attribute { return serviceAttributes[:] }

// AssetAttributes lists the attributes of any CI that is somebody's property, by name.
func AssetAttributes() []Attribute { return assetAttributes[:] }

// Allowed says what a value of the kind looks like.
func (k AttributeKind) Allowed() string {
	switch k {
	case CriticalityAttribute:
		return "1, 2, 3 or 4"
	case DecimalAttribute:
		return "a number of 0 or more with at most four decimals, as in 1250.50"
	case CountAttribute:
		return "a whole number of 0 or more"
	case CurrencyAttribute:
		return "a currency of three capital letters, as in EUR"
	case DurationAttribute:
		return "a duration, as in 4h or 1d12h (w, d, h, m, s)"
	case LinkAttribute:
		return "a link that begins with https:// or http://"
	case DateAttribute:
		return "a date, as in 2026-11-21"
	case StockAttribute:
		return "in_stock, in_use, in_repair or disposed"
	default:
		return "text"
	}
}

// accepts tells whether a value is of the kind.
func (k AttributeKind) accepts(value string) bool {
	ok := true
	switch k {
	case CriticalityAttribute:
		ok = len(value) == 1 && value[0] >= '1' && value[0] <= '4'
	case DecimalAttribute:
		_, ok = parseDecimal(value)
	case CountAttribute:
		_, ok = parseCount(value)
	case CurrencyAttribute:
		ok = len(value) == 3 && strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	case DurationAttribute:
		_, ok = parseDuration(value)
	case LinkAttribute:
		ok = isLink(value)
	case DateAttribute:
		_, ok = parseDate(value)
	case StockAttribute:
		ok = value == "in_stock" || value == "in_use" || value == "in_repair" || value == "disposed"
	default: // any text
	}
	return ok
}

// checkAttribute says what is wrong with an attribute of a CI of a class, "" when nothing is.
func checkAttribute(class string, l event.Label) string {
	for i := range assetAttributes {
		if a := &assetAttributes[i]; a.Name == l.Name {
			return a.check(l.Value)
		}
	}
	if class != event.ServiceClass {
		return ""
	}
	for i := range serviceAttributes {
		if a := &serviceAttributes[i]; a.Name == l.Name {
			return a.check(l.Value)
		}
	}
	return ""
}

func (a *Attribute) check(value string) string {
	if a.Kind.accepts(value) {
		return ""
	}
	return fmt.Sprintf("%s must be %s, not %s", a.Name, a.Kind.Allowed(), short(value))
}

// isLink tells whether a text is a link to a page, so that nothing else is ever put behind a click.
func isLink(text string) bool {
	rest, ok := strings.CutPrefix(text, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(text, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	return ok && host != "" && !strings.ContainsAny(text, " \t\n\"<>\\")
}

// DecimalUnit is one, in the unit of Service.ValuePerHour.
const DecimalUnit = 10_000

// parseDecimal reads a number of 0 to 10¹² in units of 1/10,000.
func parseDecimal(text string) (int64, bool) {
	const digits, decimals = 12, 4
	whole, part, dot := strings.Cut(text, ".")
	if len(whole) == 0 || len(whole) > digits || dot && (len(part) == 0 || len(part) > decimals) {
		return 0, false
	}
	if strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", decimals-len(part)), 10, 64)
	return n, err == nil
}

func parseCount(text string) (uint64, bool) {
	n, err := strconv.ParseUint(text, 10, 53) // whatever reads JSON holds it
	return n, err == nil
}

func parseDate(text string) (event.Time, bool) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1970 {
		return 0, false
	}
	return event.FromTime(t), true
}

// parseDuration reads weeks, days, hours, minutes and seconds, the largest first.
func parseDuration(text string) (event.Time, bool) {
	const longest = 10 * 366 * event.Day
	units := [...]struct {
		name byte
		is   event.Time
	}{{'w', 7 * event.Day}, {'d', event.Day}, {'h', event.Hour}, {'m', event.Minute}, {'s', event.Second}}
	sum, next := event.Time(0), 0
	for rest := text; rest != ""; {
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			return 0, false
		}
		n, err := strconv.ParseUint(rest[:end], 10, 31)
		for next < len(units) && units[next].name != rest[end] {
			next++
		}
		if err != nil || next == len(units) {
			return 0, false
		}
		sum += event.Time(n) * units[next].is
		if sum > longest {
			return 0, false
		}
		next++
		rest = rest[end+1:]
	}
	return sum, text != ""
}

const (
	defaultCriticality = 3
	criticalityName    = "criticality"
)

func criticalityIn(text labelset.Reader, attributes flat.Ref) uint8 {
	return criticalityOf(labelset.Get(text, attributes, criticalityName))
}

func criticalityOf(value string) uint8 {
	if !CriticalityAttribute.accepts(value) {
		return defaultCriticality
	}
	return value[0] - '0'
}

// ImpactOf returns the impact, 1–3, of an incident that hurts a service of a criticality, 1–4.
func ImpactOf(criticality uint8) uint8 { return min(max(criticality, 1), 3) }
