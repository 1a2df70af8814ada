package itsm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestServiceReadsItsAttributes(t *testing.T) {
	ci := event.CI{ID: "shop", Name: "Shop", State: event.CILive, Attributes: event.Labels{
		{Name: "criticality", Value: "1"}, {Name: "currency", Value: "EUR"}, {Name: "plan_tested", Value: "2026-11-21"},
		{Name: "rpo", Value: "1d12h"}, {Name: "rto", Value: "4h"}, {Name: "users", Value: "1200"}, {Name: "value_per_hour", Value: "1250.5"},
	}}
	require.Equal(t, Service{
		ID: "shop", Name: "Shop", State: event.CILive, Criticality: 1, ValuePerHour: 12_505_000, Currency: "EUR", Users: 1200,
		RTO: 4 * event.Hour, RPO: 36 * event.Hour, PlanTested: 20_778 * event.Day,
	}, ServiceOf(&ci))
	require.EqualValues(t, 3, ServiceOf(&event.CI{}).Criticality, "when nobody said")
}

func TestServiceAttributesTellWhatTheyAllow(t *testing.T) {
	for kind, values := range map[AttributeKind]struct{ good, bad []string }{
		TextAttribute:        {[]string{"", "anything"}, nil},
		CriticalityAttribute: {[]string{"1", "4"}, []string{"", "0", "5", "11"}},
		DecimalAttribute:     {[]string{"0", "12.5", "999999999999.9999"}, []string{"", "-1", ".5", "1.", "1e3", "1.23456", "1000000000000", "NaN"}},
		CountAttribute:       {[]string{"0", "12"}, []string{"", "-1", "1.5", "99999999999999999999"}},
		CurrencyAttribute:    {[]string{"EUR"}, []string{"", "eur", "EURO", "E1R"}},
		DurationAttribute:    {[]string{"4h", "1d12h", "90s", "2w"}, []string{"", "4", "h", "4h1d", "4x", "4h 5m", "9999w"}},
		LinkAttribute:        {[]string{"https://wiki.example/a", "http://x"}, []string{"", "ftp://x", "javascript:1", "/x", "https://"}},
		DateAttribute:        {[]string{"2026-11-21"}, []string{"", "2026-11-31", "21.11.2026", "1969-01-01"}},
		StockAttribute:       {[]string{"in_stock", "disposed"}, []string{"", "lost"}},
	} {
		for _, v := range values.good {
			require.True(t, kind.accepts(v), "%v %q", kind, v)
		}
		for _, v := range values.bad {
			require.False(t, kind.accepts(v), "%v %q", kind, v)
		}
		require.NotEmpty(t, kind.Allowed())
	}
	for _, list := range [][]Attribute{ServiceAttributes(), AssetAttributes()} {
		require.True(t, slices.IsSortedFunc(list, func(a, b Attribute) int { return compareTexts(a.Name, b.Name) }))
		for _, a := range list {
			require.NotEmpty(t, a.Doc)
			require.NotZero(t, a.Kind)
		}
	}
}

func TestServiceIsReadyOnlyWithAllThatItNeeds(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on web", "service/alone", "web")
	missing := func(s Service, f ServiceFacts) (out []string) {
		for _, c := range Ready(&s, f, noon) {
			require.Equal(t, c.OK, c.Missing == "")
			if !c.OK {
				out = append(out, c.Name)
			}
		}
		return out
	}
	facts := m.FactsOf(slotOf(t, m, "shop"))
	require.Equal(t, ServiceFacts{RestsOn: 1, Live: 1}, facts)
	require.Equal(t, []string{"owner", "sla", "contact", "runbook", "plan"}, missing(Service{}, facts))
	whole := Service{Owner: "a", SLA: "gold", Contact: "c", Runbook: "https://r", PlanTested: noon - 100*event.Day}
	require.Empty(t, missing(whole, facts))
	require.Equal(t, []string{"monitored"}, missing(whole, m.FactsOf(slotOf(t, m, "alone"))))
	require.Equal(t, []string{"monitored"}, missing(whole, ServiceFacts{RestsOn: 3}))
	require.Empty(t, missing(whole, ServiceFacts{RestsOn: 3, Bound: 1}))
	whole.PlanTested = noon - 400*event.Day
	require.Equal(t, []string{"plan"}, missing(whole, facts))
}

func TestImpactFollowsCriticality(t *testing.T) {
	for criticality, impact := range map[uint8]uint8{1: 1, 2: 2, 3: 3, 4: 3} {
		require.Equal(t, impact, ImpactOf(criticality))
	}
}
