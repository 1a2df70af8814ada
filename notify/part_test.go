package notify

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// desk is an office at noon with people who are on no rotation: cleo has a contact, dan only an address.
const desk = house + `
  - {priorities: [5], team: ops}
`

// scene runs a story at noon. What was told until then of the openings in it is forgotten with clear.
func scene(t *testing.T, story func(o *office)) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(desk, "  - {name: boss,", "  - {name: cleo, user: cleo, receivers: [other]}\n  - {name: boss,", 1))
		defer o.stop()
		noon()
		story(o)
	})
}

// opened opens an incident that somebody has, and forgets that it was told.
func (o *office) opened(id event.IncidentID, owner string, edit func(*event.IncidentState)) {
	o.core.happen(event.IncidentOpened, id, edit)
	if owner != "" {
		o.core.happen(event.IncidentAcknowledged, id, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 1, owner })
	}
	o.settle()
	o.clear()
}

// heard returns what was told since the last clear, as "event INC-1 to whom", sorted.
func (o *office) heard() (out []string) {
	o.settle()
	for name, p := range o.phones {
		for n, title := range p.titles() {
			to := name
			if addresses := p.addressees()[n]; len(addresses) > 0 {
				to = strings.ReplaceAll(strings.Join(addresses, "+"), "@example.org", "")
			}
			out = append(out, strings.ReplaceAll(title, "main/", "")+" to "+to)
		}
	}
	slices.Sort(out)
	o.clear()
	return out
}

// dossier changes what people keep on an incident.
func dossier(edit func(*event.Dossier)) func(*event.IncidentState) {
	return func(i *event.IncidentState) {
		d := event.Dossier{}
		if i.Dossier != nil {
			d = *i.Dossier
		}
		edit(&d)
		i.Dossier = &d
	}
}

func (o *office) hears(want ...string) {
	o.t.Helper()
	require.Equal(o.t, want, o.heard())
}

func TestWhatHitsMoreOrIsEditedUpwardsRings(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "", func(i *event.IncidentState) { i.Priority = 3 })
		o.core.happen(event.IncidentHit, 1, func(i *event.IncidentState) { i.Priority = 2 })
		o.hears("raised INC-1 to ann", "raised INC-1 to hook")
		o.core.by("u-bob", event.IncidentEdited, 1, "", func(i *event.IncidentState) { i.Priority = 1 })
		o.hears("raised INC-1 to ann", "raised INC-1 to hook")
		o.core.by("u-bob", event.IncidentEdited, 1, "", func(i *event.IncidentState) { i.Priority = 3 })
		o.hears()
	})
}

func TestWhatAPersonOpensRingsUnlessTheyHaveIt(t *testing.T) {
	scene(t, func(o *office) {
		o.core.by("u-dan", event.IncidentOpened, 1, "", func(i *event.IncidentState) { i.OpenedBy = "u-dan" })
		o.hears("opened INC-1 to ann", "opened INC-1 to hook")
		o.core.by("u-dan", event.IncidentOpened, 2, "", acked)
		o.hears()
	})
}

func TestWhatAPersonTakesBackIsTheirsAndPagesNobody(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "", nil)
		o.core.happen(event.IncidentResolved, 1, func(i *event.IncidentState) { i.Phase, i.ResolvedBy = event.IncidentDone, "u-bob" })
		o.heard()
		o.core.by("u-dan", event.IncidentReopened, 1, "still slow", func(i *event.IncidentState) {
			i.Phase, i.AckedAt, i.AckedBy, i.Assignee = event.IncidentOpen, 1, "u-dan", "u-cleo"
		})
		o.hears("reopened INC-1 to bob", "reopened INC-1 to other")
		time.Sleep(time.Hour)
		o.hears()
	})
}

func TestWhoeverBeginsWorkEndsTheEscalation(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "", nil)
		o.core.by("u-bob", event.IncidentBegun, 1, "", acked)
		time.Sleep(time.Hour)
		o.hears()
	})
}

func TestWhoWasToldHearsThatItWasNoneAndNobodyIsEscalatedTo(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "", nil)
		o.core.by("u-bob", event.IncidentCancelled, 1, "a test", func(i *event.IncidentState) { i.Phase = event.PhaseCancelled })
		o.settle()
		require.Contains(t, o.phones["hook"].message(0).Text, "BOB: a test.")
		require.True(t, o.phones["hook"].message(0).Resolved, "a pager closes it")
		o.hears("cancelled INC-1 to ann", "cancelled INC-1 to hook")
		time.Sleep(time.Hour)
		o.hears()
	})
}

func TestWhatIsMergedIsToldByTheOneItWentInto(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-bob", func(i *event.IncidentState) { i.Priority = 4 })
		o.opened(2, "", func(i *event.IncidentState) { i.Assignee = "u-cleo" })
		o.core.by("u-dan", event.IncidentMerged, 2, "into INC-1", func(i *event.IncidentState) { i.Phase, i.MergedInto = event.PhaseMerged, 1 })
		o.core.by("u-dan", event.IncidentAbsorbed, 1, "INC-2", dossier(func(d *event.Dossier) { d.Absorbed = []event.Absorbed{{Other: 2}} }))
		o.settle()
		require.Contains(t, o.phones["hook"].message(0).Text, "It lives on in INC-1.")
		o.hears("absorbed INC-1 to bob", "absorbed INC-1 to other", "merged INC-2 to ann", "merged INC-2 to hook")
		time.Sleep(time.Hour)
		o.hears()
		o.core.happen(event.IncidentUpdated, 1, func(i *event.IncidentState) { i.Priority = 2 })
		o.core.happen(event.IncidentResolved, 1, done)
		o.hears("resolved INC-1 to ann", "resolved INC-1 to hook")
	})
}

func TestAPriorityThatComesWithAMergeRings(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "", func(i *event.IncidentState) { i.Priority = 3 })
		o.opened(2, "", nil)
		o.core.happen(event.IncidentMerged, 2, func(i *event.IncidentState) { i.Phase, i.MergedInto = event.PhaseMerged, 1 })
		o.heard()
		o.core.happen(event.IncidentAbsorbed, 1, func(i *event.IncidentState) {
			i.Priority, i.Dossier = 2, &event.Dossier{Absorbed: []event.Absorbed{{Other: 2}}}
		})
		o.hears("raised INC-1 to ann", "raised INC-1 to hook")
	})
}

func TestAMergeThatIsUndoneRingsForWhatNobodyHas(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-bob", nil)
		o.opened(2, "", nil)
		o.core.by("u-dan", event.IncidentMerged, 2, "", func(i *event.IncidentState) { i.Phase, i.MergedInto = event.PhaseMerged, 1 })
		o.heard()
		o.core.by("u-dan", event.IncidentUnmerged, 2, "out of INC-1", func(i *event.IncidentState) { i.Phase, i.MergedInto = event.IncidentOpen, 0 })
		o.core.by("u-dan", event.IncidentUnmerged, 1, "INC-2 left it", nil)
		o.hears("unmerged INC-1 to bob", "unmerged INC-2 to ann", "unmerged INC-2 to hook")
		time.Sleep(16 * time.Minute)
		o.hears("escalated INC-2 to ann+bob")
	})
}

func TestASplitIsToldToWhoseItIs(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-bob", nil)
		o.core.by("u-dan", event.IncidentSplit, 1, "into INC-2: 3 of its alerts", nil)
		o.hears("split INC-1 to bob")
		o.core.by("u-bob", event.IncidentSplit, 1, "into INC-3: 1 of its alerts", nil)
		o.hears()
	})
}

func TestAMergeIsProposedToBothAndTheAnswerToldToWhoProposedIt(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-bob", nil)
		o.opened(2, "u-cleo", nil)
		o.core.by("u-dan", event.IncidentProposed, 1, "merge INC-2: same switch", dossier(func(d *event.Dossier) {
			d.Proposals = []event.Proposal{{Number: 1, Other: 2, By: "u-dan"}}
		}))
		o.hears("proposed INC-1 to bob", "proposed INC-1 to other")
		answer := func(d *event.Dossier) {
			d.Proposals = []event.Proposal{{Number: 1, Other: 2, By: "u-dan", Answer: event.ProposalRejected, Decided: "u-bob"}}
		}
		o.core.by("u-bob", event.IncidentAnswered, 1, "rejected: merge INC-2", dossier(answer))
		o.settle()
		require.Contains(t, o.phones["mail"].message(0).Text, "BOB rejected that INC-2 be merged into it.")
		o.hears("answered INC-1 to dan")
		o.core.by("u-bob", event.IncidentAnswered, 1, "", dossier(answer))
		o.hears()
	})
}

func TestThatItMayBeAMajorIncidentRingsNothingBesidesItsPriority(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "", func(i *event.IncidentState) { i.Priority = 1 })
		o.core.happen(event.IncidentProposed, 1, dossier(func(d *event.Dossier) { d.Proposals = []event.Proposal{{Number: 1, Why: "its priority is P1"}} }))
		o.hears()
		time.Sleep(6 * time.Minute)
		o.hears("escalated INC-1 to ann+bob")
	})
}

func TestAMajorIncidentIsToldToAllWhoHaveAPartInIt(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-bob", nil)
		major := func(edit func(*event.MajorIncident)) func(*event.IncidentState) {
			return dossier(func(d *event.Dossier) {
				m := event.MajorIncident{Since: event.FromTime(time.Now()), By: "u-bob", Commander: "u-bob", Comms: "u-cleo"}
				if d.Major != nil {
					m = *d.Major
				}
				edit(&m)
				d.Major, d.Watchers = &m, []string{"u-dan", "u-ann"}
				d.Reports = []event.Report{{Caller: "u-dan"}, {Caller: "u-eve"}, {Caller: "the baker"}}
			})
		}
		o.core.by("u-bob", event.IncidentMajor, 1, "promoted", major(func(*event.MajorIncident) {}))
		o.settle()
		require.Contains(t, o.phones["hook"].message(0).Text, "BOB made it a major incident; BOB leads.")
		o.hears("major_began INC-1 to ann", "major_began INC-1 to dan", "major_began INC-1 to hook", "major_began INC-1 to other")
		time.Sleep(time.Minute)
		o.core.by("u-bob", event.IncidentMajor, 1, "changed", major(func(m *event.MajorIncident) { m.Bridge = "https://meet" }))
		o.hears()
		o.core.by("u-cleo", event.IncidentTold, 1, "It is the disk.\nWe replace it.", major(func(m *event.MajorIncident) {
			m.NextUpdate = event.FromTime(time.Now()) + 30*event.Minute
		}))
		o.settle()
		require.Contains(t, o.phones["hook"].message(0).Text, "It is the disk. We replace it.\nNext update by 12:31 UTC.")
		o.hears("update INC-1 to ann", "update INC-1 to dan", "update INC-1 to eve", "update INC-1 to hook")
		o.core.happen(event.IncidentUpdateDue, 1, nil)
		o.hears("update_due INC-1 to other")
		o.core.happen(event.IncidentUpdateDue, 1, major(func(m *event.MajorIncident) { m.Comms = "u-nobody" }))
		o.hears("update_due INC-1 to bob")
		o.core.by("u-bob", event.IncidentResolved, 1, "", done)
		o.hears("resolved INC-1 to ann", "resolved INC-1 to dan", "resolved INC-1 to eve", "resolved INC-1 to hook")
		o.core.by("u-bob", event.IncidentMajor, 1, "ended: the incident is resolved", major(func(m *event.MajorIncident) { m.EndedAt = event.FromTime(time.Now()) }))
		o.settle()
		require.True(t, o.phones["hook"].message(0).Resolved, "a pager does not open it again")
		o.hears("major_ended INC-1 to ann", "major_ended INC-1 to dan", "major_ended INC-1 to hook")
	})
}

func TestAnUpdateThatIsDueRingsWhoIsOnCallWhereNobodyElseCanBeReached(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-nobody", dossier(func(d *event.Dossier) { d.Major = &event.MajorIncident{} }))
		o.core.happen(event.IncidentUpdateDue, 1, nil)
		o.hears("update_due INC-1 to ann", "update_due INC-1 to hook")
		time.Sleep(time.Hour)
		o.hears()
	})
}

func TestTheSupplierIsChasedByWhoseItIsElseByTheTeam(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-cleo", nil)
		o.core.by("", event.IncidentChase, 1, "ticket 4711 at Disks Ltd", nil)
		o.hears("chase INC-1 to other")
		o.opened(2, "", func(i *event.IncidentState) { i.Priority, i.Team = 4, "ops" })
		o.core.happen(event.IncidentChase, 2, nil)
		o.hears("chase INC-2 to ann", "chase INC-2 to hook")
	})
}

func TestATaskIsToldToWhoseItIsOnceAndAgainWhenItChanges(t *testing.T) {
	scene(t, func(o *office) {
		o.opened(1, "u-bob", nil)
		tasks := func(list ...event.Task) func(*event.IncidentState) {
			return dossier(func(d *event.Dossier) { d.Tasks = list })
		}
		disk, cable := event.Task{Number: 1, Title: "replace the disk", Assignee: "u-cleo"}, event.Task{Number: 2, Title: "check the cable", Assignee: "u-dan"}
		o.core.by("u-bob", event.IncidentTasked, 1, "", tasks(disk))
		o.settle()
		require.Contains(t, o.phones["other"].message(0).Text, "Task 1 is yours: replace the disk.")
		o.hears("task INC-1 to other")
		o.core.by("u-bob", event.IncidentTasked, 1, "", tasks(disk, cable))
		o.hears("task INC-1 to dan")
		disk.Assignee = "u-dan"
		o.core.by("u-bob", event.IncidentTasked, 1, "", tasks(disk, cable))
		o.hears("task INC-1 to dan")
		cable.Assignee, disk.Assignee = "u-cleo", "u-cleo"
		o.core.by("u-bob", event.IncidentTasked, 1, "", tasks(disk, cable))
		o.settle()
		require.Contains(t, o.phones["other"].message(0).Text, "Task 1 is yours: replace the disk; task 2 is yours: check the cable.")
		o.hears("task INC-1 to other")
		disk.Done = true
		o.core.by("u-dan", event.IncidentTasked, 1, "", tasks(disk, cable, event.Task{Number: 3, Title: "write it down", Assignee: "u-dan"}))
		o.hears()
	})
}

func TestAnOutageIsToldToWhoIsOnCallForItsService(t *testing.T) {
	scene(t, func(o *office) {
		now := event.FromTime(time.Now())
		outage := func(kind event.ChangeKind, edit func(*event.Outage)) {
			out := event.Outage{
				Number: 3, Tenant: "main", Service: "s-pay", Kind: event.OutageDown, State: event.OutageProposed, BeganAt: now - event.Minute,
				Cause: "Down on db-3", ByMachine: true, Known: now, Incidents: []event.IncidentID{7},
			}
			edit(&out)
			o.core.append(event.Change{Kind: kind, Outage: &out})
			o.settle()
		}
		outage(event.OutageSet, func(*event.Outage) {})
		require.Equal(t, "Down: S-PAY (OUT-3)", o.phones["mail"].message(0).Title)
		require.Contains(t, o.phones["mail"].message(0).Text, "Because of INC-7")
		o.hears("outage OUT-3 to ann")
		outage(event.OutageSet, func(out *event.Outage) { out.Incidents = append(out.Incidents, 8) })
		outage(event.OutageSet, func(out *event.Outage) { out.State = event.OutageConfirmed })
		o.hears()
		time.Sleep(24 * time.Hour) // bob is on call
		outage(event.OutageEnded, func(out *event.Outage) { out.State, out.EndedAt = event.OutageConfirmed, event.FromTime(time.Now()) })
		o.hears("outage_ended OUT-3 to ann")
		now = event.FromTime(time.Now())
		outage(event.OutageSet, func(out *event.Outage) { out.Number, out.Service = 4, "s-else" })
		o.hears("outage OUT-4 to bob", "outage OUT-4 to hook")
		outage(event.OutageSet, func(out *event.Outage) { out.Number, out.State = 4, event.OutageRejected })
		outage(event.OutageEnded, func(out *event.Outage) { out.Number, out.State, out.EndedAt = 4, event.OutageRejected, now+1 })
		outage(event.OutageSet, func(out *event.Outage) { out.Number, out.ByMachine, out.State = 5, false, event.OutageConfirmed })
		o.hears()
	})
}

func TestARouteMayLeaveOutWhatIsNoPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "{team: ops, priorities: [1, 2, 3]}", "{team: ops, events: [opened, resolved]}", 1))
		defer o.stop()
		noon()
		o.opened(1, "", nil)
		o.core.by("u-bob", event.IncidentCancelled, 1, "", func(i *event.IncidentState) { i.Phase = event.PhaseCancelled })
		o.hears()
	})
}
