package reports_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// seeds is how many random histories are made; each is a tenant of its own in one database. The engine counts in a process of its own, where
// the race detector sees nothing: with it fewer will do, and all kinds of them are among the first. SOAK=1 makes more.
func seeds() int {
	switch {
	case os.Getenv("SOAK") != "":
		return 300
	case underRace:
		return 15
	}
	return 50
}

type itilReport struct {
	keys []string
	dumb func(*dumb) figures
	list []string // columns that sum to the length of the list
	of   []string // in which rows
}

// itilReports are the incident and service reports: which columns name a row, and the same once more without an engine.
func itilReports() map[string]itilReport {
	return map[string]itilReport{
		"detection":      {[]string{"bucket", "step"}, (*dumb).detection, []string{"n"}, []string{"whole|monitoring first"}},
		"mtta":           {[]string{"bucket", "clock", "stratum"}, (*dumb).mtta, []string{"n", "censored"}, []string{"whole|opened|all"}},
		"mttr":           {[]string{"bucket", "clock", "hours", "by", "stratum", "hour"}, (*dumb).mttr, []string{"n"}, []string{"whole|resolve|elapsed|all|all|", "whole|restore|elapsed|all|all|"}},
		"time_ownership": {[]string{"bucket", "what", "name"}, (*dumb).ownership, []string{"n"}, []string{"whole|all|all"}},
		"reopen_rate":    {[]string{"bucket", "resolver", "within"}, (*dumb).reopens, []string{"n", "immature"}, []string{"whole|person|30 days", "whole|machine|30 days"}},
		"reassignment":   {[]string{"bucket", "by", "stratum"}, (*dumb).reassignments, []string{"n"}, []string{"whole|all|all"}},
		"first_time_fix": {[]string{"bucket", "resolver"}, (*dumb).fixes, []string{"n", "immature"}, []string{"whole|all"}},
		"backlog":        {[]string{"bucket", "stratum"}, (*dumb).backlog, []string{"n"}, []string{"whole|all"}},
		"recurrence":     {[]string{"bucket", "by", "title", "ci"}, (*dumb).recurrence, []string{"n"}, []string{"whole|all|all|"}},
		"availability":   {[]string{"bucket", "by", "service"}, (*dumb).availability, []string{"n"}, []string{"whole|all|all"}},
		"interruptions":  {[]string{"bucket", "team", "note"}, (*dumb).interruptions, []string{"n"}, []string{"whole|all|", "whole|you|"}},
	}
}

func TestEveryFigureIsThatOfADumbCalculationOverRandomHistories(t *testing.T) {
	s := openStore(t)
	catalogue, err := reports.Open()
	require.NoError(t, err)
	all := &world{}
	worlds := make([]*world, seeds())
	for seed := range worlds {
		w := randomWorld(uint64(seed))
		worlds[seed] = w
		all.incidents, all.outages = append(all.incidents, w.incidents...), append(all.outages, w.outages...)
		all.items, all.messages = append(all.items, w.items...), append(all.messages, w.messages...)
	}
	s.put(all)
	for name, report := range itilReports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, took := 0, time.Duration(0)
			for seed, w := range worlds {
				p := randomParams(uint64(seed))
				result, err := catalogue.Run(t.Context(), s, name, p)
				require.NoError(t, err)
				if d := differences(keyed(result, report.keys), report.dumb(newDumb(w, p))); len(d) > 0 {
					t.Fatalf("seed %d, %+v:\n%s", seed, p, strings.Join(d[:min(len(d), 20)], "\n"))
				}
				if seed%8 == 2 { // the list has as many rows as the report counts
					items, err := catalogue.Top(t.Context(), s, name, p, 1000)
					require.NoError(t, err)
					require.Equal(t, total(keyed(result, report.keys), report), items.Total, "seed %d, %+v", seed, p)
					require.Len(t, items.Table.Rows, int(items.Total))
				}
				rows += len(result.Table.Rows)
				took += result.Took
			}
			t.Logf("%d rows, %v in the engine", rows, took.Round(time.Millisecond))
		})
	}
}

// total is how long the list behind a report must be by its figures.
func total(f figures, report itilReport) (sum uint64) {
	for _, key := range report.of {
		for _, column := range report.list {
			n, _ := number(f[key][column])
			sum += uint64(n)
		}
	}
	return sum
}

// keyed makes figures of a result.
func keyed(result *reports.Result, keys []string) figures {
	f := figures{}
	for _, row := range result.Table.Rows {
		var key []string
		for _, name := range keys {
			switch v := value(row[result.Table.Index(name)]).(type) {
			case nil:
				key = append(key, whole)
			case time.Time:
				key = append(key, v.Format(time.DateOnly))
			default:
				key = append(key, fmt.Sprint(v))
			}
		}
		figures := f.row(key...)
		for i, c := range result.Table.Columns {
			figures[c.Name] = value(row[i])
		}
	}
	return f
}

// value follows a pointer, as drivers make them of Nullable.
func value(v any) any {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil
		}
		return r.Elem().Interface()
	}
	return v
}

// differences lists what is not as it was expected to be. Figures that nobody expects are not compared; rows are.
func differences(got, want figures) (found []string) {
	for key, row := range want {
		if got[key] == nil {
			found = append(found, key+": is missing")
			continue
		}
		for name, x := range row {
			if !same(got[key][name], x) {
				found = append(found, fmt.Sprintf("%s: %s: got %v, want %v", key, name, got[key][name], x))
			}
		}
	}
	for key := range got {
		if want[key] == nil {
			found = append(found, fmt.Sprintf("%s: nobody expected it: %v", key, got[key]))
		}
	}
	slices.Sort(found)
	return found
}

func same(got, want any) bool {
	a, aok := number(got)
	b, bok := number(want)
	if aok && bok {
		return math.Abs(a-b) <= 1e-6*max(1, math.Abs(b))
	}
	return reflect.DeepEqual(got, want)
}

func number(v any) (float64, bool) {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return 0, false
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}

// randomParams asks for anything: zones with summer time and with half hours, periods that cut through open incidents.
func randomParams(seed uint64) reports.Params {
	r := rand.New(rand.NewPCG(seed, 2))
	zones := []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"}
	from := worldStart.plus(time.Duration(r.IntN(40*24*60)) * time.Minute)
	p := reports.Params{
		From: from.Time, To: from.Add(time.Duration(60+r.IntN(70*24*60)) * time.Minute), Zone: zones[r.IntN(len(zones))],
		Tenant: fmt.Sprintf("seed-%d", seed), Bucket: []string{"day", "week", "month"}[r.IntN(3)],
	}
	if r.IntN(5) == 0 {
		p.Service = pick(r, "shop", "pay")
	}
	if r.IntN(5) == 0 {
		p.Team = pick(r, "net", "db")
	}
	if r.IntN(6) == 0 {
		p.Priority = uint8(1 + r.IntN(5))
	}
	if r.IntN(8) == 0 {
		p.Person = "ann"
	}
	return p
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// worldStart lies before the change to summer time of two hemispheres.
var worldStart = at("2026-02-20 00:00:00")

// randomWorld is 90 days in which everything happens that the lifecycle allows.
func randomWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{}
	n := r.IntN(120)
	if seed%10 < 2 {
		n = int(seed % 10) // nothing, or one incident
	}
	sec := func(most int) time.Duration { return time.Duration(r.IntN(most*1000)) * time.Millisecond }
	long := func() time.Duration { // most are short, some are very long
		return sec(pick(r, 600, 7200, 86400, 20*86400, 60*86400))
	}
	tenant := fmt.Sprintf("seed-%d", seed)
	for k := range n {
		kind := r.IntN(25)
		i := &trouble{
			Shard: 1, Incident: seed*1000 + uint64(k) + 1, Version: 1, Tenant: tenant, Phase: "open", Priority: uint8(1 + r.IntN(5)),
			Title: fmt.Sprintf("trouble %d", kind), Team: pick(r, "", "net", "db", "web"), Automatic: r.IntN(4) > 0,
			Opened: worldStart.plus(sec(90 * 86400)),
		}
		i.Number, i.CI = fmt.Sprintf("INC-%d", i.Incident), "ci of "+i.Title
		if kind > 0 { // the engine knows nothing of the rest
			i.Signature = seed*100 + uint64(kind)
		}
		for _, s := range []string{"shop", "pay", "mail"} {
			if r.IntN(3) == 0 {
				i.Services = append(i.Services, s)
			}
		}
		if r.IntN(6) > 0 {
			i.FirstEvent = i.Opened.plus(-sec(900)).ptr()
			i.Received = i.Opened.plus(sec(600) - 500*time.Second).ptr()
		}
		i.changes = []version{{At: i.Opened, Phase: "open"}}
		now := i.Opened
		step := func(phase string) {
			i.changes = append(i.changes, version{At: now, Phase: phase})
		}
		if r.IntN(3) > 0 {
			i.Acked = i.Opened.plus(sec(1800)).ptr()
			now = *i.Acked
			step("open")
			if r.IntN(8) == 0 { // split off from one that had been acknowledged
				i.Acked = i.Opened.plus(-sec(1200)).ptr()
			}
		}
		for r.IntN(4) == 0 {
			now = now.plus(long())
			step("open")
		}
		for r.IntN(8) > 0 {
			now = now.plus(time.Millisecond + long())
			human := r.IntN(2) == 0
			i.Resolves, i.Phase, i.Resolved, i.ResolvedHuman = append(i.Resolves, resolve{now, human}), "resolved", now.ptr(), human
			step("resolved")
			if r.IntN(4) > 0 {
				break
			}
			now = now.plus(time.Millisecond + long())
			i.Reopens, i.Phase, i.Resolved = append(i.Reopens, now), "open", nil
			i.ReopenCount++
			step("open")
		}
		end := now.plus(time.Millisecond + long())
		switch {
		case i.Phase == "open" && r.IntN(3) == 0:
			i.Phase, i.Closed = pick(r, "cancelled", "merged"), end.ptr()
			if i.Phase == "merged" {
				i.MergedInto = 1
			}
			now = end
			step(i.Phase)
		case i.Phase == "resolved" && r.IntN(2) == 0:
			i.Phase, i.Closed = "closed", end.ptr()
			now = end
			step("closed")
		}
		if r.IntN(8) == 0 { // of another system, which tells less
			i.Origin, i.Automatic, i.FirstEvent, i.Received = "snow", false, nil, nil
			i.ReopenCount += uint32(r.IntN(2))
		}
		if i.Resolved != nil {
			if i.FirstEvent != nil && r.IntN(5) > 0 {
				i.LastClear = stamp{latest(i.FirstEvent.Time, i.Resolved.Add(-sec(300)))}.ptr()
			}
			randomPath(r, i)
		}
		w.incidents = append(w.incidents, i)
	}
	randomOutages(r, w, seed, tenant)
	for k := range r.IntN(200) {
		m := &message{
			At: worldStart.plus(sec(130 * 86400)), Instance: "a", Number: seed*1000 + uint64(k), Shard: 1, Tenant: tenant, Kind: "incident_opened", Rings: r.IntN(5) > 0,
			Team: pick(r, "net", "net", "db", "web"), Person: pick(r, "", "ann", "bob", "cyd", "dan", "eve", "fay"),
		}
		if m.Team == "web" {
			m.Person = pick(r, "ann", "bob")
		}
		if len(w.incidents) > 0 && r.IntN(4) > 0 {
			i := w.incidents[r.IntN(len(w.incidents))]
			m.Incident, m.At = i.Incident, i.Opened.plus(sec(3600))
		}
		w.messages = append(w.messages, m)
	}
	return w
}

// randomPath hands a resolved incident from team to team, and puts it on hold.
func randomPath(r *rand.Rand, i *trouble) {
	left := i.Resolved.Sub(i.Opened.Time)
	if left < 10*time.Second || r.IntN(6) == 0 {
		return
	}
	now := i.Opened
	for n := range 1 + r.IntN(5) {
		s := span{Team: pick(r, "net", "db", "web", ""), Since: now}
		if len(i.Teams) > 0 && i.Teams[len(i.Teams)-1].Team == s.Team {
			continue
		}
		if len(i.Teams) > 0 {
			i.Teams[len(i.Teams)-1].Until = now.ptr()
			i.Reassignments++
		}
		i.Teams = append(i.Teams, s)
		now = now.plus(left / time.Duration(n+6)).plus(0)
		now = stamp{now.Truncate(time.Millisecond)}
	}
	if r.IntN(2) == 0 {
		i.Teams[len(i.Teams)-1].Until = i.Resolved
	}
	since := stamp{i.Opened.Add(left / 4).Truncate(time.Millisecond)}
	if r.IntN(3) == 0 {
		i.Holds = append(i.Holds, span{Reason: pick(r, "vendor", "caller"), Since: since, Until: stamp{i.Opened.Add(left / 2).Truncate(time.Millisecond)}.ptr()})
		if r.IntN(2) == 0 {
			i.Holds = append(i.Holds, span{Reason: pick(r, "vendor", "change"), Since: stamp{i.Opened.Add(left * 3 / 4).Truncate(time.Millisecond)}})
		}
	}
}

func randomOutages(r *rand.Rand, w *world, seed uint64, tenant string) {
	minute := func(most int) time.Duration { return time.Duration(r.IntN(most)) * time.Minute }
	for k := range r.IntN(30) {
		o := &outage{
			Shard: 1, Outage: uint32(seed*100) + uint32(k) + 1, Version: 1, Tenant: tenant, Service: pick(r, "shop", "pay", "mail"), Kind: pick(r, "down", "down", "degraded", "planned"),
			State: pick(r, "confirmed", "confirmed", "proposed", "rejected"), Began: worldStart.plus(minute(100 * 1440)),
		}
		o.Known = o.Began.plus(minute(120) - time.Hour)
		o.Ended = o.Began.plus(time.Minute + minute(pick(r, 60, 1440, 5*1440))).ptr()
		for range r.IntN(3) {
			if len(w.incidents) > 0 {
				o.Incidents = append(o.Incidents, w.incidents[r.IntN(len(w.incidents))].Incident)
			}
		}
		w.outages = append(w.outages, o)
	}
	for n, id := range []string{"shop", "pay"} {
		if r.IntN(4) == 0 {
			continue
		}
		known := worldStart.plus(minute(20*1440) - 10*day)
		add := func(state string, gone bool) {
			w.items = append(w.items, &item{
				Tenant: tenant, ID: id, Known: known, Shard: 1, Seq: uint64(10*n + len(w.items)), ValidFrom: known, Gone: gone, Class: "service", Name: id, State: state,
				Attributes: map[string]string{"rto": pick(r, "", "1h", "4h30m"), "team": pick(r, "net", "db")},
			})
			known = known.plus(time.Minute + minute(60*1440))
		}
		if r.IntN(3) == 0 {
			add("ordered", false)
		}
		add("live", false)
		if r.IntN(3) == 0 {
			add("maintenance", false)
		}
		if r.IntN(3) == 0 {
			add("retired", false)
			if r.IntN(2) == 0 {
				add("retired", true)
			}
		}
	}
}
