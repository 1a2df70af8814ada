package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// opened opens an incident by hand and returns its number.
func opened(t *testing.T, e *Engine, title string) event.IncidentID {
	t.Helper()
	return do(t, e, event.Command{Kind: event.OpenIncident, Edit: &event.IncidentEdit{
		Fields: event.PinTitle, Title: title, Severity: event.Major,
	}}).Incident
}

func on(i event.IncidentID, c event.Command) event.Command {
	c.Incident = uint64(i)
	return c
}

func TestEachFieldOfAnIncidentIsTakenAway(t *testing.T) {
	quoted := `"so" said ` + secret // as an edit's words quote it
	for field, commands := range map[string][]event.Command{
		"title": {
			{Kind: event.EditIncident, Edit: &event.IncidentEdit{Fields: event.PinTitle, Title: quoted}},
			{Kind: event.EditIncident, Edit: &event.IncidentEdit{Fields: event.PinTitle | event.PinCI, Title: secret, CI: "db-1"}},
			{Kind: event.EditIncident, Edit: &event.IncidentEdit{Fields: event.PinTitle, Title: "the database is slow"}},
		},
		"task 1": {
			{Kind: event.SetTask, Task: &event.Task{Title: secret}},
			{Kind: event.SetTask, Task: &event.Task{Title: "another"}},
			{Kind: event.SetTask, Task: &event.Task{Number: 1, Title: "please " + secret, Done: true}},
		},
		"report 1": {
			{Kind: event.TakeReport, Report: &event.Report{Caller: secret, Text: "mail is down: " + secret}},
			{Kind: event.TakeReport, Report: &event.Report{Caller: "Ann", Text: "mail is down"}},
			{Kind: event.TakeReport, Report: &event.Report{Text: "me too"}},
		},
		"ticket": {
			{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: "Contoso", Reference: "7", LastWord: secret}},
			{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: "Contoso", Reference: "7", LastWord: secret, PromisedAt: 5}},
			{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: "Jane: " + secret, Reference: "A-7 " + secret, LastWord: "none"}, Text: "moved"},
			{Kind: event.SetTicket},
			{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: "X", Reference: secret}},
		},
		"major": {
			{Kind: event.SetMajor, Major: &event.MajorIncident{Bridge: secret}},
			{Kind: event.TellUpdate, Text: "we know"},
			{Kind: event.SetMajor, Major: &event.MajorIncident{Bridge: "other " + secret}},
		},
		"review": {
			{Kind: event.Resolve, Text: "over"},
			{Kind: event.SetReview, Review: &event.Review{Summary: secret}},
			{Kind: event.SetReview, Review: &event.Review{Summary: "again: " + secret, DoneAt: 1}},
		},
		"rating": {
			{Kind: event.Resolve, Text: "over"},
			{Kind: event.Rate, Number: 2, Text: secret},
			{Kind: event.CloseIncident, Text: "done"},
			{Kind: event.Rate, Number: 5, Text: "well: " + secret},
		},
	} {
		t.Run(field, func(t *testing.T) {
			dir := t.TempDir()
			e := open(t, options(dir))
			id := opened(t, e, "slow")
			for _, c := range commands {
				do(t, e, on(id, c))
			}
			require.NoError(t, e.Snapshot(t.Context()))
			do(t, e, on(id, event.Command{Kind: event.Note, Text: "looked at it"}))
			require.NotEmpty(t, holding(t, dir, secret))
			before := timeline(t, e)

			require.NoError(t, e.RedactField(t.Context(), id, field, "personal data", "u-9"))
			absent(t, dir, secret)
			after := timeline(t, e)
			for n := range before {
				require.Equal(t, before[n].Kind, after[n].Kind)
				require.Equal(t, before[n].Actor, after[n].Actor)
			}
			require.NoError(t, e.RedactField(t.Context(), id, field, "again", "u-9"), "twice is no error")
			require.NotEmpty(t, sound(t, e))
		})
	}
}

func TestATitleIsTakenFromTheEntriesThatQuoteIt(t *testing.T) {
	e := open(t, options(t.TempDir()))
	send(t, e, alert(1, "critical"))
	i, _ := view(t, e).Incident(1)
	do(t, e, event.Command{Kind: event.EditIncident, Incident: 1, Edit: &event.IncidentEdit{Fields: event.PinTitle, Title: secret}})
	do(t, e, event.Command{Kind: event.EditIncident, Incident: 1, Edit: &event.IncidentEdit{Fields: event.PinTitle, Title: "slow"}})
	do(t, e, event.Command{Kind: event.EditIncident, Incident: 1, Edit: &event.IncidentEdit{Release: event.PinTitle}})
	require.NoError(t, e.RedactField(t.Context(), 1, "title", "personal data", "u-9"))
	var words []string
	for _, ch := range timeline(t, e) {
		if ch.Kind == event.IncidentEdited {
			words = append(words, ch.Text)
		}
	}
	require.Equal(t, []string{
		`title "` + i.Title + `" → "[redacted]"`, `title "[redacted]" → "[redacted]"`, "title handed back to the machine",
	}, words[:3], "what the machine made of the alerts stays")
	sound(t, e)
}

func TestThePartOfASplitHasATitleOfAPersonOnlyWhenOneWasGiven(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	send(t, e, alert(1, "critical"))
	send(t, e, alert(2, "critical"))
	const into = 1
	var alerts []event.AlertID
	for a := range view(t, e).Members(into) {
		alerts = append(alerts, a.ID())
	}
	require.Len(t, alerts, 2)
	part := do(t, e, on(into, event.Command{Kind: event.Split, Alerts: alerts[:1], Text: secret + strings.Repeat(" and more", 40)})).Incident
	require.NoError(t, e.RedactField(t.Context(), part, "title", "personal data", "u-9"))
	back, _ := view(t, e).Incident(part)
	require.Equal(t, Redacted, back.Title)
	absent(t, dir, secret)
	do(t, e, on(into, event.Command{Kind: event.Merge, Other: uint64(part)}))
	nameless := do(t, e, on(into, event.Command{Kind: event.Split, Alerts: alerts[:1]})).Incident
	requireRefusal(t, e.RedactField(t.Context(), nameless, "title", "x", "u-9"), event.NotFound)
	sound(t, e)
}

func TestWordsAreTakenFromAllIncidentsThatCameToShareThem(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	one, two, three := opened(t, e, "one"), opened(t, e, "two"), opened(t, e, "three")
	long := strings.Repeat("so long ", 30) + secret
	do(t, e, on(one, event.Command{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: "Contoso", Reference: "7"}}))
	do(t, e, on(two, event.Command{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: secret, Reference: "B " + secret}}))
	do(t, e, on(two, event.Command{Kind: event.SetTask, Task: &event.Task{Title: secret}}))
	do(t, e, on(two, event.Command{Kind: event.TakeReport, Report: &event.Report{Caller: secret, Text: secret}}))
	do(t, e, on(two, event.Command{Kind: event.TakeReport, Report: &event.Report{Caller: "B. " + secret, Text: secret}}))
	do(t, e, on(one, event.Command{Kind: event.Merge, Other: uint64(two), Text: long}))
	do(t, e, on(three, event.Command{Kind: event.Relate, Other: uint64(one), Text: secret}))
	merged := said(t, e, event.IncidentAbsorbed)
	do(t, e, on(two, event.Command{Kind: event.Unmerge, Text: "no: " + secret}))
	require.NoError(t, e.Snapshot(t.Context()))

	redact := func(id event.IncidentID, field string) {
		t.Helper()
		require.NoError(t, e.RedactField(t.Context(), id, field, "personal data", "u-9"))
	}
	redact(two, "ticket")
	redact(two, "task 1")
	redact(one, "report 1")
	redact(one, "report 2")
	require.NoError(t, e.RedactEntry(t.Context(), one, merged, "personal data", "u-9"))
	require.NoError(t, e.RedactEntry(t.Context(), one, said(t, e, event.IncidentLinked), "personal data", "u-9"))
	require.NoError(t, e.RedactEntry(t.Context(), one, said(t, e, event.IncidentUnmerged), "personal data", "u-9"))
	i, _ := view(t, e).Incident(one)
	require.Len(t, i.Dossier.Reports, 2)
	require.NotEqual(t, i.Dossier.Reports[0].Caller, i.Dossier.Reports[1].Caller, "two callers stay two")
	require.Equal(t, event.MergeUndone+": "+Redacted, i.Dossier.Proposals[0].Why)
	absent(t, dir, secret)
	sound(t, e)
}

func TestAProposalsWhyIsTakenAway(t *testing.T) {
	for _, entry := range []bool{false, true} {
		dir := t.TempDir()
		e := open(t, options(dir))
		one, two := opened(t, e, "one"), opened(t, e, "two")
		do(t, e, on(one, event.Command{Kind: event.Assign, Assignee: "ann"}))
		do(t, e, on(two, event.Command{Kind: event.Assign, Assignee: "bob"}))
		do(t, e, on(one, event.Command{Kind: event.Merge, Other: uint64(two), Text: secret}))
		at := said(t, e, event.IncidentProposed)
		res, err := e.Do(t.Context(), event.Command{
			Kind: event.AnswerProposal, Tenant: "main", Actor: "u-2", Incident: uint64(one), Number: 1, Accept: true, Text: "yes",
		})
		require.NoError(t, err)
		require.Nil(t, res.Err)
		if entry {
			require.NoError(t, e.RedactEntry(t.Context(), one, at, "personal data", "u-9"))
		} else {
			require.NoError(t, e.RedactField(t.Context(), one, "proposal 1", "personal data", "u-9"))
		}
		absent(t, dir, secret)
		sound(t, e)
	}
}

func TestWhatIsSaidInAnEntryGoesAndWhatWasDoneStays(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	id := opened(t, e, "one")
	do(t, e, on(id, event.Command{Kind: event.Hold, Until: event.FromTime(time.Now().Add(time.Hour)), HeldAs: event.HoldVendor, Text: secret}))
	do(t, e, on(id, event.Command{Kind: event.SetMajor, Major: &event.MajorIncident{}, Text: secret}))
	do(t, e, on(id, event.Command{Kind: event.TellUpdate, Text: secret}))
	do(t, e, on(id, event.Command{Kind: event.SetTicket, Ticket: &event.Ticket{Supplier: "Contoso", Reference: "7"}, Text: secret}))
	want := map[event.ChangeKind]string{
		event.IncidentHeld: "it waits for the vendor: [redacted]", event.IncidentMajor: "promoted: [redacted]", event.IncidentTold: "[redacted]",
		event.IncidentTicket: "ticket 7 of Contoso: [redacted]",
	}
	for kind := range want {
		require.NoError(t, e.RedactEntry(t.Context(), id, said(t, e, kind), "personal data", "u-9"), kind)
	}
	for _, ch := range timeline(t, e) {
		if text := want[ch.Kind]; text != "" {
			require.Equal(t, text, ch.Text)
		}
	}
	i, _ := view(t, e).Incident(id)
	require.Equal(t, event.HoldVendor, i.HeldAs)
	absent(t, dir, secret)
	sound(t, e)
}

func TestTheCauseOfAnOutageIsTakenAway(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	do(t, e, event.Command{Kind: event.EditCIs, CIs: &event.CIEdit{Source: event.PeopleSource, Set: []event.CI{
		{ID: "mail", Class: event.ServiceClass, Name: "Mail", State: event.CILive},
	}}})
	set := func(o event.Outage) uint32 {
		return do(t, e, event.Command{Kind: event.SetOutage, Outage: &o}).Number
	}
	n := set(event.Outage{Service: "mail", Kind: event.OutageDown, Cause: secret})
	require.Equal(t, n, set(event.Outage{Number: n, Cause: secret, State: event.OutageRejected}))
	require.Equal(t, n, set(event.Outage{Number: n, Cause: "then " + secret}))
	other := set(event.Outage{Service: "mail", Kind: event.OutageDegraded, Cause: "slow disk"})
	require.NoError(t, e.Snapshot(t.Context()))
	requireRefusal(t, e.RedactOutage(t.Context(), "blue", n, "x", "u-9"), event.NotFound)
	requireRefusal(t, e.RedactOutage(t.Context(), "main", 99, "x", "u-9"), event.NotFound)
	require.NoError(t, e.RedactOutage(t.Context(), "main", n, "personal data", "u-9"))
	require.NoError(t, e.RedactOutage(t.Context(), "main", n, "again", "u-9"))
	for o := range view(t, e).Outages("main") {
		if o.Number == other {
			require.Equal(t, "slow disk", o.Cause)
			continue
		}
		require.True(t, event.IsRedacted(o.Cause), o.Cause)
		require.Equal(t, event.OutageConfirmed, o.State)
	}
	absent(t, dir, secret)
	sound(t, e)
}

func TestAnAttributeIsTakenFromEveryVersionOfAnItem(t *testing.T) {
	dir := t.TempDir()
	e := open(t, options(dir))
	put := func(source, id, contact string) {
		do(t, e, event.Command{Kind: event.EditCIs, CIs: &event.CIEdit{Source: source, Set: []event.CI{{
			ID: id, Class: event.ServiceClass, Name: id, State: event.CILive,
			Attributes: event.Labels{{Name: "contact", Value: contact}, {Name: "criticality", Value: "2"}},
		}}}})
	}
	put("netbox", "mail", secret)
	put("netbox", "mail", secret) // says nothing new
	put("netbox", "mail", "then "+secret)
	put("netbox", "mail", "the desk")
	put("netbox", "web", "the web team")
	do(t, e, event.Command{Kind: event.EditCIs, CIs: &event.CIEdit{Source: event.PeopleSource, Set: []event.CI{{
		ID: "mail", ValidFrom: event.FromTime(time.Now().Add(time.Hour)), Attributes: event.Labels{{Name: "contact", Value: "from then on " + secret}},
	}}}})
	require.NoError(t, e.Snapshot(t.Context()))
	requireRefusal(t, e.RedactAttribute(t.Context(), "main", "mail", "criticality", "x", "u-9"), event.Invalid)
	requireRefusal(t, e.RedactAttribute(t.Context(), "main", "mail", "owner", "x", "u-9"), event.NotFound)
	requireRefusal(t, e.RedactAttribute(t.Context(), "blue", "mail", "contact", "x", "u-9"), event.NotFound)
	require.NoError(t, e.RedactAttribute(t.Context(), "main", "mail", "contact", "personal data", "u-9"))
	require.NoError(t, e.RedactAttribute(t.Context(), "main", "mail", "contact", "again", "u-9"))
	absent(t, dir, secret)
	put("netbox", "mail", "somebody new")
	require.NotEmpty(t, holding(t, dir, "the web team"))
	sound(t, e)
}

func TestWhatNobodyWroteIsNoFieldToTakeAway(t *testing.T) {
	e := open(t, options(t.TempDir()))
	send(t, e, alert(1, "critical"))
	do(t, e, event.Command{Kind: event.SetTask, Incident: 1, Task: &event.Task{Title: secret}})
	for field, code := range map[string]event.RefusalCode{
		"title": event.NotFound, "ticket": event.NotFound, "task 2": event.NotFound, "report 1": event.NotFound,
		"task": event.Invalid, "task x": event.Invalid, "task 0": event.Invalid, "title 1": event.Invalid, "words": event.Invalid, "": event.Invalid,
	} {
		requireRefusal(t, e.RedactField(t.Context(), 1, field, "x", "u-9"), code)
	}
	requireRefusal(t, e.RedactField(t.Context(), 7, "title", "x", "u-9"), event.NotFound)
	err := e.RedactEntry(t.Context(), 1, said(t, e, event.IncidentTasked), "x", "u-9")
	requireRefusal(t, err, event.Invalid)
	require.ErrorContains(t, err, "--field 'task 1'")
}

func TestAFieldWhoseRedactionWasCutShortIsFinishedByAskingAgain(t *testing.T) {
	for _, steps := range []int{0, 1, 2, 3} {
		dir := t.TempDir()
		e := open(t, options(dir))
		id := opened(t, e, "slow")
		do(t, e, on(id, event.Command{Kind: event.SetTask, Task: &event.Task{Title: secret}}))
		do(t, e, on(id, event.Command{Kind: event.Note, Text: "waiting"}))
		v := view(t, e)
		w, err := e.fieldOf(v, id, "task 1")
		require.NoError(t, err)
		end, err := e.collect(t.Context(), w, 0, "u-9")
		require.NoError(t, err)
		require.NoError(t, e.wordsAnew(t.Context(), w, "u-9"))
		end, err = e.collect(t.Context(), w, end, "u-9")
		require.NoError(t, err)
		s := &sweep{incidents: w.incidents, change: w.hide, command: w.hideCommand}
		inputs, err := s.inputs(t.Context(), e, end)
		require.NoError(t, err)
		require.Len(t, inputs, 1)
		if steps > 0 {
			require.NoError(t, e.journal.RedactAll(inputs, "cut short"))
		}
		if steps > 1 {
			require.NoError(t, e.records.Redact(id, 0, 0, func(ch *event.Change) (bool, bool) { return w.hide(ch), true }))
		}
		if steps > 2 {
			require.NoError(t, s.logs(t.Context(), e, end, "cut short"))
		}
		left := crash(t, dir)
		require.NoError(t, e.Close())
		e = open(t, options(left))
		require.NoError(t, e.RedactField(t.Context(), id, "task 1", "personal data", "u-9"))
		require.Len(t, sound(t, e), 1)
	}
}
