package reports_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/reports"
)

func TestTheCatalogueHasEveryReportOfTheDefinitions(t *testing.T) {
	catalogue, err := reports.Open()
	require.NoError(t, err)
	ids := map[string]bool{}
	for _, r := range catalogue.List() {
		ids[r.ID] = true
		found, err := catalogue.Find(r.Name)
		require.NoError(t, err)
		require.Same(t, r, found)
		require.Equal(t, r.Waits == "", r.SQL() != "" && r.ListSQL() != "", r.Name)
		require.NotContains(t, r.SQL()+r.ListSQL(), "{{", r.Name)
		for _, pack := range r.Packs {
			require.Equal(t, "monthly", pack, r.Name)
		}
	}
	for n := 1; n <= 31; n++ {
		require.True(t, ids[fmt.Sprintf("R%d", n)], "R%d", n)
	}
	require.True(t, ids["noise"])
	require.True(t, slices.IsSortedFunc(catalogue.Pack("monthly"), func(a, b *reports.Report) int { return len(a.ID) - len(b.ID) }), "in the order of the definitions")
	_, err = catalogue.Find("nothing")
	require.ErrorIs(t, err, reports.ErrUnknown)
	_, err = catalogue.Find("r25")
	require.ErrorIs(t, err, reports.ErrUnknown)
	require.ErrorContains(t, err, "chronic_noise")
	one, err := catalogue.Find("r8")
	require.NoError(t, err)
	require.Equal(t, "mtta", one.Name)
	_, err = catalogue.Run(t.Context(), nil, "sla_attainment", reports.Params{})
	require.ErrorIs(t, err, reports.ErrWaits)
	require.ErrorContains(t, err, "service levels")
}

func TestAnEmptyHistoryGivesRowsWithoutFigures(t *testing.T) {
	s := openStore(t)
	catalogue, err := reports.Open()
	require.NoError(t, err)
	for _, r := range catalogue.List() {
		if r.Waits != "" {
			continue
		}
		for _, hostile := range []string{"", `'; DROP TABLE incidents; --\ {zone:String} ` + "\t\n\r\x00\"`"} {
			p := reports.Params{From: at("2026-03-28 12:00:00").Time, To: at("2026-03-30 12:00:00").Time, Zone: "Europe/Berlin", Tenant: hostile, Service: hostile, Team: hostile, Person: hostile}
			result, err := catalogue.Run(t.Context(), s, r.Name, p)
			require.NoError(t, err)
			for _, row := range result.Table.Rows {
				for i, c := range r.Columns {
					if n, ok := number(row[i]); ok && c.Name == "n" && r.ID != "R25" {
						require.Zero(t, n, "%s: %v", r.Name, row)
					}
					require.NotEqual(t, "NaN", fmt.Sprint(row[i]))
				}
			}
			items, err := catalogue.Items(t.Context(), s, r.Name, p)
			require.NoError(t, err)
			require.True(t, items.List)
			require.Zero(t, items.Total, r.Name)
		}
	}
}

func TestParametersAreCheckedByFieldRuleAndHint(t *testing.T) {
	catalogue, err := reports.Open()
	require.NoError(t, err)
	good := reports.Params{From: at("2026-03-01 00:00:00").Time, To: at("2026-04-01 00:00:00").Time}
	for want, spoil := range map[string]func(*reports.Params){
		"from: must be an instant from 1970 on (as in 2026-11-01)":                                        func(p *reports.Params) { p.From = time.Time{} },
		"from: must be before to (got 2026-03-01T00:00:00Z and 2026-03-01T00:00:00Z)":                     func(p *reports.Params) { p.To = p.From },
		"from: must be at most 10 years before to (ask for several periods)":                              func(p *reports.Params) { p.From = p.From.AddDate(-11, 0, 0) },
		`zone: must be a name of the IANA time zone database (as in Europe/Berlin; got "Mars/Base")`:      func(p *reports.Params) { p.Zone = "Mars/Base" },
		`zone: must be a name of the IANA time zone database (as in Europe/Berlin; got "/etc/localtime")`: func(p *reports.Params) { p.Zone = "/etc/localtime" },
		"priority: must be 1 to 5, or 0 for any (got 6)":                                                  func(p *reports.Params) { p.Priority = 6 },
		`bucket: must be day, week or month (got "hour")`:                                                 func(p *reports.Params) { p.Bucket = "hour" },
		"team: must be at most 256 bytes (got 257)":                                                       func(p *reports.Params) { p.Team = strings.Repeat("x", 257) },
	} {
		p := good
		spoil(&p)
		_, err := catalogue.Run(t.Context(), nil, "funnel", p)
		require.EqualError(t, err, want)
	}
}

func TestASqlScriptCanBePastedAsItIs(t *testing.T) {
	p := reports.Params{From: at("2026-03-01 00:00:00").Time, To: at("2026-04-01 00:00:00").Time, Tenant: `o'hara\`}
	script, err := p.Script("SELECT {tenant:String}, {from:DateTime64(3, 'UTC')}")
	require.NoError(t, err)
	require.Equal(t, "SET param_from = '2026-03-01 00:00:00.000';\nSET param_tenant = 'o\\'hara\\\\\\\\';\nSELECT {tenant:String}, {from:DateTime64(3, 'UTC')};\n", script)
}

func TestPeriodsAreReadAsPeopleWriteThem(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	now := time.Date(2026, 3, 31, 10, 0, 0, 0, berlin) // a Tuesday, two days after the clocks went forward
	for _, c := range [][4]string{
		{"", "", "2026-03-01T10:00:00+01:00", "2026-03-31T10:00:00+02:00"},
		{"-7d", "", "2026-03-24T10:00:00+01:00", "2026-03-31T10:00:00+02:00"},
		{"-90m", "now", "2026-03-31T08:30:00+02:00", "2026-03-31T10:00:00+02:00"},
		{"last month", "", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"},
		{"Last  Week", "", "2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		{"this week", "", "2026-03-30T00:00:00+02:00", "2026-04-06T00:00:00+02:00"},
		{"last year", "last month", "2025-01-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"},
		{"yesterday", "", "2026-03-30T00:00:00+02:00", "2026-03-31T00:00:00+02:00"},
		{"", "last month", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"},
		{"2026-03-01", "2026-03-28", "2026-03-01T00:00:00+01:00", "2026-03-29T00:00:00+01:00"},
		{"2026-03-01", "", "2026-03-01T00:00:00+01:00", "2026-03-31T10:00:00+02:00"},
		{"2026-03", "2026-03", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"},
		{"2026-03-01 08:30", "2026-03-01T12:00:00Z", "2026-03-01T08:30:00+01:00", "2026-03-01T12:00:00Z"},
	} {
		from, to, err := reports.ParsePeriod(c[0], c[1], now)
		require.NoError(t, err, c)
		require.Equal(t, c[2]+" "+c[3], from.Format(time.RFC3339)+" "+to.Format(time.RFC3339), "%q to %q", c[0], c[1])
	}
	for _, bad := range []string{"next month", "2026-02-30", "-", "30d", "last"} {
		_, _, err := reports.ParsePeriod(bad, "", now)
		require.ErrorContains(t, err, "from: must be a time (as in 2026-11-01", bad)
	}
}
