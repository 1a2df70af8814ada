package itsm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

const noon = 20_000 * event.Day

// newEstate returns a CMDB with what people wrote in short: "web depends_on db-1 db-2; db part_of".
func newEstate(t *testing.T, lines ...string) *CMDB {
	m := NewCMDB(labelset.New())
	tell(t, m, "inventory", noon, lines...)
	return m
}

// saying reads lines like "web: depends_on db-1, hosted_on vm-1", the class before a slash: "service/shop: depends_on web".
func saying(source string, lines ...string) *event.CIEdit {
	e := &event.CIEdit{Source: source}
	for _, line := range lines {
		name, relations, _ := strings.Cut(line, ":")
		class, id, ok := strings.Cut(name, "/")
		if !ok {
			class, id = "host", name
		}
		ci := event.CI{ID: id, Class: class}
		for r := range strings.SplitSeq(relations, ",") {
			if kind, to, ok := strings.Cut(strings.TrimSpace(r), " "); ok {
				ci.Relations = append(ci.Relations, event.Relation{Kind: event.ParseRelationKind(kind), To: to})
			}
		}
		e.Set = append(e.Set, ci)
	}
	return e
}

func tell(t *testing.T, m *CMDB, source string, at event.Time, lines ...string) int {
	t.Helper()
	return carryOut(t, m, saying(source, lines...), at)
}

func carryOut(t *testing.T, m *CMDB, e *event.CIEdit, at event.Time) int {
	t.Helper()
	set, refused := m.Check("main", e, at)
	require.Nil(t, refused)
	for i := range set {
		m.Put(&set[i])
	}
	m.text.Sweep()
	return len(set)
}

func refusedFor(t *testing.T, m *CMDB, e *event.CIEdit) string {
	t.Helper()
	set, refused := m.Check("main", e, noon)
	require.NotNil(t, refused)
	require.Empty(t, set)
	require.Equal(t, event.Invalid, refused.Code)
	return refused.Message
}

func slotOf(t *testing.T, m *CMDB, id string) uint32 {
	t.Helper()
	slot := m.Find("main", id)
	require.NotZero(t, slot, id)
	return slot
}

func stateOf(t *testing.T, m *CMDB, id string) event.CI {
	t.Helper()
	return m.State(slotOf(t, m, id))
}

// hitBy lists what one failing CI hurts, as in "web down".
func hitBy(t *testing.T, m *CMDB, id string) []string {
	t.Helper()
	hits, more := m.Impact([]uint32{slotOf(t, m, id)}, 100)
	require.False(t, more)
	out := []string{}
	for _, h := range hits {
		out = append(out, h.ID+" "+h.Status.String())
	}
	return out
}

func TestCMDBLetsFailureComeUp(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on web", "web: hosted_on vm", "vm: connects_to switch", "switch", "bystander")
	require.Equal(t, []string{"web down", "shop down"}, hitBy(t, m, "vm"))
	require.Empty(t, hitBy(t, m, "switch"), "neighbours pass nothing")
	hits, _ := m.Impact([]uint32{slotOf(t, m, "vm")}, 1)
	require.Equal(t, []Hit{{Slot: slotOf(t, m, "web"), ID: "web", Status: StatusDown, Hops: 1, Via: "vm", Kind: event.HostedOn}}, hits)
	_, more := m.Impact([]uint32{slotOf(t, m, "vm")}, 1)
	require.True(t, more, "a limit that is reached is told")
}

func TestCMDBOneOfThreeReplicasIsNoOutage(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on pool", "pool", "r1: part_of pool", "r2: part_of pool", "r3: part_of pool")
	require.Equal(t, []string{"pool degraded", "shop degraded"}, hitBy(t, m, "r1"))
	m.AddFailing(slotOf(t, m, "r2"), 1)
	m.AddFailing(slotOf(t, m, "r3"), 1)
	require.Equal(t, StatusDegraded, m.Status(slotOf(t, m, "shop")))
	require.Equal(t, []string{"pool down", "shop down"}, hitBy(t, m, "r1"), "the last one")
	e := saying("inventory", "pool")
	e.Set[0].Needs = 2
	carryOut(t, m, e, noon+1)
	require.Equal(t, StatusDown, m.Status(slotOf(t, m, "shop")), "one is too few now")
	m.AddFailing(slotOf(t, m, "r2"), -1)
	require.Equal(t, StatusDegraded, m.Status(slotOf(t, m, "shop")))
	m.AddFailing(slotOf(t, m, "r3"), -1)
	require.Equal(t, StatusUp, m.Status(slotOf(t, m, "shop")))
}

func TestCMDBWhatStandsInMakesAnOutageADegradation(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on db", "db", "standby: backs_up db")
	require.Equal(t, []string{"shop degraded"}, hitBy(t, m, "db"))
	require.Empty(t, hitBy(t, m, "standby"))
	m.AddFailing(slotOf(t, m, "db"), 1)
	require.Equal(t, []string{"shop down"}, hitBy(t, m, "standby"))
	tell(t, m, event.PeopleSource, noon+1, "third: backs_up db")
	m.AddFailing(slotOf(t, m, "standby"), 1)
	require.Equal(t, StatusDegraded, m.Status(slotOf(t, m, "shop")))
	carryOut(t, m, &event.CIEdit{Source: "inventory", Retire: []string{"third"}}, noon+2)
	require.Equal(t, StatusDown, m.Status(slotOf(t, m, "shop")), "what is retired stands in for nothing")
}

func TestCMDBWhatIsNotInUseNeitherFailsNorPassesAnything(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on web", "web: depends_on db", "db")
	m.AddFailing(slotOf(t, m, "db"), 1)
	require.Equal(t, StatusDown, m.Status(slotOf(t, m, "shop")))
	carryOut(t, m, &event.CIEdit{Source: "inventory", Retire: []string{"web"}}, noon+1)
	require.Equal(t, StatusUp, m.Status(slotOf(t, m, "web")))
	require.Equal(t, StatusUp, m.Status(slotOf(t, m, "shop")))
	require.Empty(t, hitBy(t, m, "db"))
	tell(t, m, "inventory", noon+2, "web: depends_on db")
	require.Equal(t, StatusDown, m.Status(slotOf(t, m, "shop")), "its own source tells of it again")
}

func TestCMDBHasNoTroubleWithThoseWhoDependOnEachOther(t *testing.T) {
	m := newEstate(t, "a: depends_on b", "b: depends_on c", "c: depends_on a", "d: depends_on a")
	require.Equal(t, []string{"d down", "c down", "b down"}, hitBy(t, m, "a"))
	m.AddFailing(slotOf(t, m, "a"), 1)
	require.Equal(t, StatusDown, m.Status(slotOf(t, m, "b")))
	m.AddFailing(slotOf(t, m, "a"), -1)
	require.Equal(t, StatusUp, m.Status(slotOf(t, m, "b")), "a circle does not hold itself down")
	hits, more := m.Deps(slotOf(t, m, "a"), 10, 10)
	require.False(t, more)
	require.Len(t, hits, 2)
}

func TestCMDBNamesWhatAServiceRestsOn(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on pool", "pool", "r1: part_of pool, hosted_on vm", "vm: hosted_on metal", "metal",
		"spare: backs_up pool", "other: depends_on pool")
	names := func(hops, limit int) (out []string, more bool) {
		hits, more := m.Deps(slotOf(t, m, "shop"), hops, limit)
		for _, h := range hits {
			out = append(out, fmt.Sprintf("%d %s via %s: %v", h.Hops, h.ID, h.Via, h.Kind))
		}
		return out, more
	}
	all, more := names(9, 9)
	require.False(t, more)
	require.Equal(t, []string{
		"1 pool via shop: depends_on", "2 r1 via pool: part_of", "2 spare via pool: backs_up", "3 vm via r1: hosted_on",
		"4 metal via vm: hosted_on",
	}, all)
	near, more := names(1, 9)
	require.False(t, more, "hops are no limit that is reached")
	require.Equal(t, all[:1], near)
	some, more := names(9, 3)
	require.True(t, more)
	require.Equal(t, all[:3], some)
}

func TestCMDBKnowsTheServicesOverAnOnset(t *testing.T) {
	m := newEstate(t, "service/shop: depends_on pool", "service/audit: depends_on r1", "pool", "r1: part_of pool", "r2: part_of pool",
		"service/old: depends_on r1")
	e := saying("inventory", "service/audit: depends_on r1", "service/old: depends_on r1")
	e.Set[0].Attributes = event.Labels{{Name: "criticality", Value: "1"}}
	e.Set[1].State = event.CIRetired
	carryOut(t, m, e, noon+1)
	require.Equal(t, []ServiceHit{
		{Slot: slotOf(t, m, "audit"), ID: "audit", Status: StatusDown, Criticality: 1, Hops: 1},
		{Slot: slotOf(t, m, "shop"), ID: "shop", Status: StatusDegraded, Criticality: 3, Hops: 2},
	}, m.ServicesOver([]uint32{slotOf(t, m, "r1")}))
	m.AddFailing(slotOf(t, m, "r1"), 1)
	require.Len(t, m.ServicesOver([]uint32{slotOf(t, m, "r1")}), 2, "that it fails already makes no difference")
	require.Equal(t, uint32(0), m.ServicesOver([]uint32{slotOf(t, m, "shop")})[0].Hops, "a service may fail itself")
}

func TestCMDBFindsByIDThenByName(t *testing.T) {
	m := NewCMDB(labelset.New())
	e := saying("inventory", "a", "b", "c", "d")
	for i, name := range []string{"web", "db", "db", "a"} {
		e.Set[i].Name = name
	}
	carryOut(t, m, e, noon)
	named := func(name string) (string, int) {
		slot, n := m.Named("main", name)
		return m.ID(slot), n
	}
	for name, want := range map[string]struct {
		id string
		n  int
	}{"web": {"a", 1}, "a": {"a", 1}, "db": {"", 2}, "none": {"", 0}} {
		id, n := named(name)
		require.Equal(t, want.id, id, name)
		require.Equal(t, want.n, n, name)
	}
	carryOut(t, m, &event.CIEdit{Source: "inventory", Retire: []string{"a", "b"}}, noon+1)
	id, _ := named("a")
	require.Equal(t, "d", id, "what is retired takes nobody's name")
	id, _ = named("db")
	require.Equal(t, "c", id)
	require.NotZero(t, m.Find("main", "a"))
	slot, n := m.Named("other", "c")
	require.Zero(t, slot, "of another tenant")
	require.Zero(t, n)
}

func TestCMDBEachSourceReplacesItsOwn(t *testing.T) {
	m := newEstate(t, "web: depends_on db, depends_on cache", "db", "cache", "vm")
	require.Equal(t, 1, tell(t, m, "kubernetes", noon+1, "web: hosted_on vm, depends_on db"))
	require.Equal(t, []event.Relation{
		{Kind: event.DependsOn, To: "cache", Source: "inventory"}, {Kind: event.DependsOn, To: "db", Source: "inventory"},
		{Kind: event.DependsOn, To: "db", Source: "kubernetes"}, {Kind: event.HostedOn, To: "vm", Source: "kubernetes"},
	}, stateOf(t, m, "web").Relations)
	require.Equal(t, 1, tell(t, m, "inventory", noon+2, "web"))
	require.Len(t, stateOf(t, m, "web").Relations, 2)

	with := func(source string, attributes ...event.Label) int {
		e := saying(source, "db")
		e.Set[0].Attributes = attributes
		return carryOut(t, m, e, noon+3)
	}
	require.Equal(t, 1, with("inventory", event.Label{Name: "owner", Value: "ann"}, event.Label{Name: "rack", Value: "4"}))
	require.Equal(t, 1, with("kubernetes", event.Label{Name: "zone", Value: "eu"}))
	require.Len(t, stateOf(t, m, "db").Attributes, 3, "another source takes nothing away")
	require.Equal(t, 1, with("inventory", event.Label{Name: "owner", Value: "bob"}))
	require.Equal(t, event.Labels{{Name: "owner", Value: "bob"}}, stateOf(t, m, "db").Attributes)
}

func TestCMDBAPersonsFieldsStayUntilTheyAreHandedBack(t *testing.T) {
	m := newEstate(t, "db", "vm", "other")
	person := saying(event.PeopleSource, "db: hosted_on vm")
	person.Set[0].State, person.Set[0].Attributes = event.CIMaintenance, event.Labels{{Name: "owner", Value: "ann"}}
	require.Equal(t, 1, carryOut(t, m, person, noon+1))
	require.Equal(t, []string{"attributes.owner", "relations", "state"}, stateOf(t, m, "db").Pinned, "the class was said before")

	machine := saying("inventory", "db: hosted_on other")
	machine.Set[0].State, machine.Set[0].Name = event.CILive, "database"
	machine.Set[0].Attributes = event.Labels{{Name: "owner", Value: "bob"}, {Name: "rack", Value: "4"}}
	require.Equal(t, 1, carryOut(t, m, machine, noon+2))
	db := stateOf(t, m, "db")
	require.Equal(t, event.CIMaintenance, db.State)
	require.Equal(t, "database", db.Name)
	require.Equal(t, event.Labels{{Name: "owner", Value: "ann"}, {Name: "rack", Value: "4"}}, db.Attributes)
	require.Equal(t, []event.Relation{{Kind: event.HostedOn, To: "vm", Source: event.PeopleSource}}, db.Relations)
	require.Zero(t, carryOut(t, m, &event.CIEdit{Source: "inventory", Retire: []string{"db"}}, noon+3))

	require.Equal(t, 1, carryOut(t, m, &event.CIEdit{Source: event.PeopleSource, Release: []string{"db"}}, noon+4))
	require.Zero(t, carryOut(t, m, &event.CIEdit{Source: event.PeopleSource, Release: []string{"db"}}, noon+4))
	require.Equal(t, 1, carryOut(t, m, machine, noon+5))
	require.Equal(t, "bob", stateOf(t, m, "db").Attributes.Get("owner"))
	require.Equal(t, event.CILive, stateOf(t, m, "db").State)
}

func TestCMDBAPersonTakesAway(t *testing.T) {
	m := newEstate(t, "db: hosted_on vm", "vm")
	e := saying("inventory", "db: hosted_on vm")
	e.Set[0].Attributes = event.Labels{{Name: "owner", Value: "ann"}}
	carryOut(t, m, e, noon+1)
	person := saying(event.PeopleSource, "db")
	person.Set[0].Attributes = event.Labels{{Name: "owner"}, {Name: "unknown"}}
	person.Set[0].Relations = make([]event.Relation, 1)
	require.Equal(t, 1, carryOut(t, m, person, noon+2))
	require.Empty(t, stateOf(t, m, "db").Attributes)
	require.Empty(t, stateOf(t, m, "db").Relations)
	require.Zero(t, carryOut(t, m, e, noon+3), "what a person took away stays away")
	require.Zero(t, carryOut(t, m, person, noon+3))
}

func TestCMDBWhatAlertsShowIsOnlyDiscovered(t *testing.T) {
	m := newEstate(t, "db")
	require.Zero(t, tell(t, m, event.AlertSource, noon+1, "pod/db"), "known better already")
	require.Equal(t, 1, tell(t, m, event.AlertSource, noon+1, "pod/web-1"))
	web := stateOf(t, m, "web-1")
	require.Equal(t, event.CIDiscovered, web.State)
	require.EqualValues(t, 50, web.Confidence)
	require.Equal(t, 1, tell(t, m, "kubernetes", noon+2, "pod/web-1"))
	web = stateOf(t, m, "web-1")
	require.Equal(t, event.CILive, web.State, "confirmed")
	require.Equal(t, "kubernetes", web.Source)
	require.EqualValues(t, 100, web.Confidence)
	require.Zero(t, tell(t, m, event.AlertSource, noon+3, "pod/web-1"))
}

func TestCMDBAPlanTakesEffectAtItsTime(t *testing.T) {
	m := newEstate(t, "service/shop", "old", "new")
	plan := saying("inventory", "service/shop: depends_on new")
	plan.Set[0].ValidFrom = noon + event.Day
	require.Equal(t, event.Never, m.NextDue())
	require.Equal(t, 1, carryOut(t, m, plan, noon+1))
	require.Zero(t, carryOut(t, m, plan, noon+2), "planned already")
	require.Equal(t, noon+event.Day, m.NextDue())
	require.Empty(t, m.Due(noon+event.Day-1))
	require.Empty(t, stateOf(t, m, "shop").Relations)

	owned := saying("kubernetes", "service/shop")
	owned.Set[0].Attributes = event.Labels{{Name: "owner", Value: "ann"}}
	require.Equal(t, 2, carryOut(t, m, owned, noon+3), "what is said now holds then, too")

	due := m.Due(noon + event.Day)
	require.Len(t, due, 1)
	require.Equal(t, due, m.Due(noon+event.Day), "asking moves nothing")
	m.Put(&due[0])
	require.Equal(t, event.Never, m.NextDue())
	shop := stateOf(t, m, "shop")
	require.Equal(t, "new", shop.Relations[0].To)
	require.Equal(t, "ann", shop.Attributes.Get("owner"))
	require.Equal(t, []string{"shop down"}, hitBy(t, m, "new"))
	require.Len(t, m.Versions("main", "shop"), 4)
}

func TestCMDBPlansOfOneCIAreBounded(t *testing.T) {
	m := newEstate(t, "db")
	for i := range event.Time(MaxCIPlans + 1) {
		e := saying("inventory", "db")
		e.Set[0].Name, e.Set[0].ValidFrom = fmt.Sprint("name ", i), noon+event.Day-i
		if i < MaxCIPlans {
			carryOut(t, m, e, noon)
			continue
		}
		require.Contains(t, refusedFor(t, m, e), "more than 20 versions of it would be planned")
	}
	require.Len(t, m.Due(noon+event.Day), MaxCIPlans)
}

func TestCMDBARetirementEndsAPlan(t *testing.T) {
	m := NewCMDB(labelset.New())
	plan := saying("inventory", "db")
	plan.Set[0].ValidFrom = noon + event.Day
	carryOut(t, m, plan, noon)
	require.NotZero(t, m.Find("main", "db"))
	slot, _ := m.Named("main", "db")
	require.Zero(t, slot, "it is not there yet")
	require.Equal(t, 1, carryOut(t, m, &event.CIEdit{Source: "inventory", Retire: []string{"db"}}, noon+1))
	due := m.Due(noon + event.Day)
	require.Len(t, due, 1)
	m.Put(&due[0])
	require.Equal(t, event.CIRetired, stateOf(t, m, "db").State)
}

func TestCMDBACorrectionOfThePastChangesWhatIsKnownOfItSince(t *testing.T) {
	m := newEstate(t, "db", "vm-1", "vm-2")
	tell(t, m, "inventory", noon+100, "db: hosted_on vm-1")
	e := saying("inventory", "db: hosted_on vm-2")
	e.Set[0].ValidFrom = noon + 50
	carryOut(t, m, e, noon+200)
	at := func(valid, known event.Time) string {
		ci, ok := m.AsOf("main", "db", valid, known)
		if !ok {
			return "unknown"
		}
		if len(ci.Relations) == 0 {
			return "nowhere"
		}
		return ci.Relations[0].To
	}
	require.Equal(t, "unknown", at(noon-1, noon+300))
	require.Equal(t, "unknown", at(noon, noon-1))
	require.Equal(t, "nowhere", at(noon+70, noon+199), "as it was known then")
	require.Equal(t, "vm-2", at(noon+70, noon+200), "as it is known now")
	require.Equal(t, "nowhere", at(noon+49, noon+200))
	require.Equal(t, "vm-1", at(noon+150, noon+199))

	then := m.WalkAsOf("main", noon+150, noon+199)
	require.Equal(t, []string{"db down"}, hitBy(t, then, "vm-1"))
	require.Equal(t, []string{"db down"}, hitBy(t, m, "vm-2"))
}

func TestCMDBForgetsWhatWasSupersededThirtyDaysAgo(t *testing.T) {
	m := newEstate(t, "db", "vm")
	tell(t, m, "inventory", noon+1, "db: hosted_on vm")
	tell(t, m, "inventory", noon+event.Day, "db")
	require.Len(t, m.Versions("main", "db"), 3)
	require.Zero(t, m.Prune(noon+CIMemory))
	require.Equal(t, 1, m.Prune(noon+CIMemory+1))
	require.Equal(t, 1, m.Prune(noon+2*CIMemory))
	require.Zero(t, m.Prune(noon+9*CIMemory), "what holds stays")
	require.Len(t, m.Versions("main", "db"), 1)
	for i := range event.Time(maxCIVersions) {
		tell(t, m, "inventory", noon+3*CIMemory+i, []string{"db: hosted_on vm", "db"}[i%2])
	}
	require.Len(t, m.Versions("main", "db"), maxCIVersions)
}

func TestCMDBDropsEverythingButANameThatOthersUse(t *testing.T) {
	m := newEstate(t, "web: depends_on db", "db: hosted_on vm", "vm")
	tell(t, m, "inventory", noon+1, "db")
	slot := slotOf(t, m, "db")
	m.AddFailing(slot, 1)
	m.Drop("main", "db")
	require.Zero(t, m.Find("main", "db"))
	require.Equal(t, 2, m.Len())
	require.Equal(t, StatusUp, m.Status(slotOf(t, m, "web")))
	tell(t, m, "inventory", noon+2, "db")
	require.Equal(t, slot, slotOf(t, m, "db"))
	require.Equal(t, StatusDown, m.Status(slotOf(t, m, "web")), "its alerts still fail")
	m.AddFailing(slot, -1)
	for _, id := range []string{"db", "web", "vm", "none"} {
		m.Drop("main", id)
	}
	m.text.Sweep()
	require.Zero(t, m.Len())
	require.Zero(t, m.recs.Stats().Used)
	require.Zero(t, m.statements.Stats().Used)
	require.Zero(t, m.edges.Stats().Used)
	require.Zero(t, m.text.Strings.Stats().Used, "no text is left")
	require.Zero(t, m.text.Blobs.Stats().Used)
}

func TestCMDBRefusesAnEditAsAWholeAndTellsAll(t *testing.T) {
	m := newEstate(t, "db-1")
	e := saying("inventory", "web: depends_on db-2, depends_on nowhere", "web", "x: depends_on x", "/y", "bad\x07id")
	e.Set[0].Attributes = event.Labels{{Name: "bought", Value: "yesterday"}, {Name: "b", Value: "1"}}
	e.Retire = []string{"db-3", "x"}
	require.Equal(t, strings.Join([]string{
		`web: is given twice`,
		`web: attribute b is given twice or out of order`,
		`web: depends_on db-2: there is no such CI (did you mean db-1?)`,
		`web: depends_on nowhere: there is no such CI`,
		`x: depends_on itself`,
		`y: needs a class`,
		`"bad\aid": the ID holds control characters`,
		`x: is given twice`,
		`db-3: there is no such CI (did you mean db-1?)`,
	}, "\n"), refusedFor(t, m, e))
	require.Equal(t, 1, m.Len())

	many := &event.CIEdit{Source: "inventory"}
	for i := range 30 {
		many.Set = append(many.Set, event.CI{ID: fmt.Sprint("ci-", i)})
	}
	lines := strings.Split(refusedFor(t, m, many), "\n")
	require.Len(t, lines, 21)
	require.Equal(t, "30 problems in all, 10 not shown", lines[20])
}

func TestCMDBRefusesWhatIsOverItsBounds(t *testing.T) {
	m := newEstate(t, "db")
	for want, spoil := range map[string]func(*event.CI){
		"the ID has more than 512 bytes":                                func(ci *event.CI) { ci.ID = strings.Repeat("x", 513) },
		"the ID is empty":                                               func(ci *event.CI) { ci.ID = "" },
		"the ID begins or ends with a space":                            func(ci *event.CI) { ci.ID = " a" },
		"the name is not UTF-8":                                         func(ci *event.CI) { ci.Name = "a\xff" },
		"the class has more than 64 bytes":                              func(ci *event.CI) { ci.Class = strings.Repeat("x", 65) },
		"is of tenant other, the edit of main":                          func(ci *event.CI) { ci.Tenant = "other" },
		"the state is none of ordered":                                  func(ci *event.CI) { ci.State = 9 },
		"the confidence is more than 100 percent":                       func(ci *event.CI) { ci.Confidence = 101 },
		"valid_from must lie within 3660 days":                          func(ci *event.CI) { ci.ValidFrom = noon + MaxCIPlanAhead + 1 },
		"attribute a has more than 4096 bytes":                          func(ci *event.CI) { ci.Attributes = event.Labels{{Name: "a", Value: strings.Repeat("x", 4097)}} },
		"1001 relations are more than 1000":                             func(ci *event.CI) { ci.Relations = make([]event.Relation, 1001) },
		"the kind of a relation is none of depends_on":                  func(ci *event.CI) { ci.Relations = []event.Relation{{Kind: 9, To: "db"}} },
		"attribute a holds control characters":                          func(ci *event.CI) { ci.Attributes = event.Labels{{Name: "a", Value: "\x00"}} },
		"65 attributes are more than 64":                                func(ci *event.CI) { ci.Attributes = manyAttributes(65) },
		"criticality must be 1, 2, 3 or 4, not high":                    func(ci *event.CI) { ci.Attributes = event.Labels{{Name: "criticality", Value: "high"}} },
		"stock_state must be in_stock, in_use, in_repair or disposed, ": func(ci *event.CI) { ci.Attributes = event.Labels{{Name: "stock_state", Value: "lost"}} },
	} {
		e := saying("inventory", "service/new")
		spoil(&e.Set[0])
		require.Contains(t, refusedFor(t, m, e), want)
	}
	require.Contains(t, refusedFor(t, m, &event.CIEdit{}), "an edit needs a source")
}

func manyAttributes(n int) (out event.Labels) {
	for i := range n {
		out = append(out, event.Label{Name: fmt.Sprintf("a%03d", i), Value: "1"})
	}
	return out
}

func TestCMDBRefusesWhatIsPartOfItself(t *testing.T) {
	m := newEstate(t, "a: part_of b", "b: part_of c", "c", "d")
	require.Equal(t, "c: part_of goes in a circle: c → a → b → c", refusedFor(t, m, saying("inventory", "c: part_of a")))
	require.Equal(t, "x: hosted_on goes in a circle: x → y → x", refusedFor(t, m, saying("inventory", "x: hosted_on y", "y: hosted_on x")))
	tell(t, m, "inventory", noon+1, "b", "c: part_of a", "d: depends_on a", "a: part_of b, depends_on d")
	require.Equal(t, []event.Relation{{Kind: event.PartOf, To: "a", Source: "inventory"}}, stateOf(t, m, "c").Relations,
		"as the edit leaves them, there is no circle")
	var long []string
	for i := range 100 {
		long = append(long, fmt.Sprintf("n%d: part_of n%d", i, (i+1)%100))
	}
	require.Contains(t, refusedFor(t, m, saying("inventory", long...)), "n19 → 80 more → n0")
}

func TestCMDBDiffNamesEachField(t *testing.T) {
	m := newEstate(t, "db: hosted_on vm", "vm")
	before := stateOf(t, m, "db")
	e := saying(event.PeopleSource, "db: hosted_on vm, depends_on vm")
	e.Set[0].Name, e.Set[0].Needs, e.Set[0].Attributes = "database", 2, event.Labels{{Name: "owner", Value: "ann"}}
	set, refused := m.Check("main", e, noon+1)
	require.Nil(t, refused)
	require.Equal(t, []FieldDiff{
		{"name", "db", "database"}, {"needs", "", "2"}, {"attributes.owner", "", "ann"}, {"relations.depends_on.vm", "", "people"},
		{"pinned.attributes.owner", "", "yes"}, {"pinned.name", "", "yes"}, {"pinned.needs", "", "yes"}, {"pinned.relations", "", "yes"},
	}, Diff(&before, &set[0]))
	require.Empty(t, Diff(&before, &before))
	back := Diff(&set[0], &event.CI{})
	require.Contains(t, back, FieldDiff{"relations.hosted_on.vm", "inventory", ""})
	require.True(t, slices.Contains(back, FieldDiff{"state", "live", ""}))
}

func TestAFileThatHoldsAPartMayNameWhatNobodyHasToldOfYet(t *testing.T) {
	m := NewCMDB(labelset.New())
	edit := &event.CIEdit{Source: "k8s.yml", Set: []event.CI{{
		ID: "web", Class: "pod", Relations: []event.Relation{{Kind: event.HostedOn, To: "node-7", Source: "k8s.yml"}},
	}}}
	_, refusal := m.Check("main", edit, 1000)
	require.ErrorContains(t, refusal, "there is no such CI")
	edit.Loose = true
	set, refusal := m.Check("main", edit, 1000)
	require.Nil(t, refusal)
	m.Put(&set[0])
	require.Zero(t, m.Find("main", "node-7"), "it is a name, and no item yet")
	set, refusal = m.Check("main", &event.CIEdit{Source: "nodes.yml", Set: []event.CI{{ID: "node-7", Class: "host"}}}, 2000)
	require.Nil(t, refusal)
	m.Put(&set[0])
	m.AddFailing(m.Find("main", "node-7"), 1)
	require.Equal(t, StatusDown, m.Status(m.Find("main", "web")), "now it is what the relation meant")
	set, refusal = m.Check("main", edit, 3000)
	require.Nil(t, refusal)
	require.Empty(t, set)
}

func TestCMDBAPlanAndWhatCameLaterKeepTheirOwnWord(t *testing.T) {
	m := NewCMDB(labelset.New())
	say := func(at, valid event.Time, source, rack string, on string) {
		ci := event.CI{ID: "db", Class: "vm", ValidFrom: valid, Attributes: event.Labels{{Name: "rack", Value: rack}}}
		if on != "" {
			ci.Relations = []event.Relation{{Kind: event.HostedOn, To: on, Source: source}}
		}
		set, refusal := m.Check("main", &event.CIEdit{Source: source, Set: []event.CI{ci}, Loose: true}, at)
		require.Nil(t, refusal)
		for i := range set {
			m.Put(&set[i])
		}
	}
	rack := func(valid, known event.Time) string {
		ci, _ := m.AsOf("main", "db", valid, known)
		return ci.Attributes.Get("rack")
	}
	say(1000, 0, "n.yml", "A", "e3")
	say(2000, 9000, event.PeopleSource, "PLAN", "e4")
	say(3000, 0, "n.yml", "B", "e5")
	require.Equal(t, "B", rack(4000, 4000), "the nightly import counts now")
	require.Equal(t, "PLAN", rack(9500, 4000), "and the plan stays as it was made")
	planned, _ := m.AsOf("main", "db", 9500, 4000)
	require.Len(t, planned.Relations, 1)
	require.Equal(t, "e4", planned.Relations[0].To)
	say(5000, 1500, event.PeopleSource, "A2", "")
	require.Equal(t, "A2", rack(2500, 5000), "the past is corrected")
	require.Equal(t, "B", rack(4000, 5000), "until what was said next")
}
