package message

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden messages anew")

var at = time.Date(2026, 11, 21, 3, 12, 0, 0, time.UTC)

// example is what a message of one event is made of.
func example(e Event) Data {
	d := Data{Event: e, Key: "0.17.3/ops/0", At: at, Tenant: "main", Receiver: "ops"}
	switch e {
	case StormBegan, StormEnded:
		d.Storm = &Storm{Number: 3, BeganAt: at.Add(-10 * time.Minute), Openings: 1000, Held: 980, Worst: 2, Open: []IncidentLine{{ID: "INC-7", Title: "Down: service pay", Priority: 2}}}
		if e == StormEnded {
			d.Storm.More = 14
		}
	case OutageBegan, OutageEnded:
		d.Outage = &Outage{Number: 2, Service: "shop", Kind: "down", State: "proposed", BeganAt: at.Add(-5 * time.Minute), Cause: "DiskFull on db-3", Incidents: []string{"INC-42"}}
		if e == OutageEnded {
			d.Outage.EndedAt, d.Outage.State = &at, "confirmed"
		}
	case MuteEnding:
		d.Mute = &Mute{
			Kind: "silence", ID: "5f", Matchers: []string{`instance=~"db-.*"`, `job="node"`}, Comment: "disk is\non its way", CreatedBy: "Ann",
			EndsAt: at.Add(15 * time.Minute), Firing: 2,
		}
	case Digest:
		d.Digest = []Data{example(Opened), example(Resolved)}
		d.Digest[1].Earlier = []Event{Opened, SignalLost}
	case Test:
	default:
		d.Incident = incident()
		d.Reason = reasons()[e]
		next := at.Add(30 * time.Minute)
		d.Incident.NextUpdate = &next
		if e == Worse {
			d.Incident.AcknowledgedBy, d.Incident.New = "Ann", 1
		}
	}
	return d
}

func reasons() map[Event]string {
	return map[Event]string{
		Worse: "the priority rose from P3 to P2", Escalated: "nobody has acknowledged it: step 2 of 3", Cancelled: "Ann: a test",
		Merged: "it lives on in INC-7", Absorbed: "INC-9 was merged into it", Split: "Ann took alerts out of it: into INC-43: 3 of its alerts",
		Unmerged: "the merge was undone: out of INC-7", Proposed: "proposed: merge INC-9: the same switch", Answered: "Bob accepted that INC-9 be merged into it",
		MajorBegan: "Ann leads", MajorEnded: "ended: the incident is resolved", Update: "We have found the broken disk. The shop is slow until it is replaced.",
		UpdateDue: "those who are hit wait for the next update", Chase: "ticket 4711 at Disks Ltd", Task: "task 2 for you: replace the disk",
	}
}

func incident() *Incident {
	return &Incident{
		ID: "INC-42", Title: "DiskFull: service shop", Status: "open", Severity: "critical", Priority: 2, Labels: map[string]string{"service": "shop"},
		OpenedAt: at.Add(-7 * time.Minute), Firing: 3, Total: 3,
		Alerts: []Alert{
			{Status: "firing", Severity: "critical", Labels: map[string]string{"alertname": "DiskFull", "instance": "db-3"}, Annotations: map[string]string{"summary": "3 % left\nof /var"}, GeneratorURL: "javascript:alert(1)"},
			{Status: "firing", Severity: "major", Labels: map[string]string{"alertname": "DiskFull", "instance": "db-4"}},
		},
	}
}

func TestEveryMessageReadsWellAtThree(t *testing.T) {
	tmpl, err := New("https://tocsin.example.org/", nil, nil)
	require.NoError(t, err)
	var b strings.Builder
	for _, e := range Events() {
		m := tmpl.Render(example(e))
		require.Empty(t, m.TemplateError, e)
		require.NotContains(t, m.Text, "<no value>")
		b.WriteString("== " + string(e) + "\n" + m.Title + "\n--\n" + m.Text + "\n\n")
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/messages.txt", []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/messages.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "run with -update when the new words are right")
}

func TestATemplateThatFailsLeavesPlainWordsAndSaysWhy(t *testing.T) {
	for name, text := range map[string]string{
		"no such field":   "{{ .Nothing.At.All }}",
		"writes for ever": `{{ range first 9999 .Incident.Alerts }}{{ printf "%099999d" 1 }}{{ end }}`,
		"says nothing":    "{{ if false }}x{{ end }}",
		"index of none":   "{{ index .Incident.Alerts 99 }}",
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := New("", nil, map[string]Override{"ops": {Text: text}})
			require.NoError(t, err)
			m := tmpl.Render(example(Opened))
			require.NotEmpty(t, m.TemplateError)
			require.Equal(t, "P2 opened: DiskFull: service shop (INC-42)\n3 alerts firing", m.Text)
			require.Equal(t, "P2 DiskFull: service shop (INC-42)", m.Title, "the title's template is well")
		})
	}
	_, err := New("", []Source{{"a.tmpl", "{{"}}, map[string]Override{"ops": {Title: "{{ nofunc }}"}})
	require.ErrorContains(t, err, "a.tmpl")
	require.ErrorContains(t, err, "receiver ops: title")
}

func TestFilesAndReceiversHaveTheirOwnWords(t *testing.T) {
	tmpl, err := New("", []Source{{"a.tmpl", `{{ define "title" }}ours: {{ .Incident.ID }}{{ end }}`}}, map[string]Override{"ops": {Text: `{{ template "title" . }} {{ .Incident.Title | toUpper }}`}})
	require.NoError(t, err)
	m := tmpl.Render(example(Opened))
	require.Equal(t, "ours: INC-42", m.Title)
	require.Equal(t, "ours: INC-42 DISKFULL: SERVICE SHOP", m.Text)
	other := example(Opened)
	other.Receiver = "else"
	require.Contains(t, tmpl.Render(other).Text, "3 alerts fire")
}

func TestHostileTextDoesNothing(t *testing.T) {
	d := example(Opened)
	d.Incident.Title = "<script>alert(1)</script> {{ .Key }} \u202etxt.exe \x1b[31m @channel\r\nBcc: x@example.org"
	tmpl, err := New("https://tocsin.example.org", nil, nil)
	require.NoError(t, err)
	m := tmpl.Render(d)
	require.NotContains(t, m.HTML, "<script>")
	require.Contains(t, m.Title, "{{ .Key }}", "text is data, never a template")
	for _, part := range []string{m.Title, m.Text, m.HTML} {
		require.NotContains(t, part, "\x1b")
		require.NotContains(t, part, "\u202e")
	}
	require.NotContains(t, m.Title, "\n")
	require.Empty(t, m.Data.Incident.Alerts[0].GeneratorURL, "only http and https are links")
	require.Equal(t, "javascript:alert(1)", d.Incident.Alerts[0].GeneratorURL, "what was handed in stays as it was")
}

func TestTheSubjectStaysTheSameFromOpeningToResolution(t *testing.T) {
	tmpl, err := New("", nil, nil)
	require.NoError(t, err)
	opened, resolved := tmpl.Render(example(Opened)), tmpl.Render(example(Resolved))
	require.Equal(t, "main/INC-42", opened.Subject)
	require.Equal(t, opened.Subject, resolved.Subject)
	require.False(t, opened.Resolved)
	require.True(t, resolved.Resolved)
	require.Equal(t, "main/STORM-3", tmpl.Render(example(StormBegan)).Subject)
}

func said(t *testing.T, edit func(d *Data)) Message {
	t.Helper()
	tmpl, err := New("https://tocsin.example.org", nil, nil)
	require.NoError(t, err)
	d := example(Escalated)
	edit(&d)
	m := tmpl.Render(d)
	require.Empty(t, m.TemplateError)
	return m
}

func TestAnEscalationOfWhatGotWorseSaysThatSomebodyHadIt(t *testing.T) {
	m := said(t, func(d *Data) {
		d.Since, d.Reason, d.Incident.AcknowledgedBy, d.Incident.New, d.Incident.Firing = at.Add(-5*time.Minute), "nobody has acknowledged what came since: step 2 of 3", "Ann", 2, 2
	})
	require.Equal(t, "P2 worse, and unacknowledged for 5 min: DiskFull: service shop (INC-42)", m.Title)
	require.Contains(t, m.Text, "Nobody has acknowledged what came since: step 2 of 3.")
	require.Contains(t, m.Text, "Acknowledged by Ann before it got worse.")
	require.Contains(t, m.Text, "2 alerts fire; critical.\nAll of them began after the acknowledgement.")
	require.NotContains(t, m.Text, " min", "the span stands in the title")
}

func TestOneIsOneAndWhatIsQuietIsSaidOnce(t *testing.T) {
	m := said(t, func(d *Data) {
		d.Event, d.Incident.Firing, d.Incident.Suppressed, d.Incident.New, d.Incident.AcknowledgedBy = Worse, 1, 1, 1, "Ann"
	})
	require.Contains(t, m.Text, "Acknowledged by Ann. Nobody has acknowledged what came since.")
	require.Contains(t, m.Text, "1 alert fires, quiet; critical; open for 7 min.\nIt began after the acknowledgement.")
	m = said(t, func(d *Data) { d.Event, d.Incident.Firing = SignalLost, 0 })
	require.Contains(t, m.Text, "No alert fires just now; critical; open for 7 min.")
	m = said(t, func(d *Data) {
		d.Event, d.Incident, d.Storm = StormEnded, nil, &Storm{Number: 1, BeganAt: at, Openings: 1, Held: 1}
	})
	require.Contains(t, m.Title, "Storm over: 1 incident in")
	require.Contains(t, m.Text, "From 03:12:00 to 03:12:00 UTC: 1 incident opened, 1 of them was not told singly.")
	m = said(t, func(d *Data) { *d = example(MuteEnding); d.Mute.Firing = 1 })
	require.Contains(t, m.Text, "It rings when the silence ends, unless it has cleared")
}

func TestAnEscalationInAStormListsWhatIsOpen(t *testing.T) {
	m := said(t, func(d *Data) {
		*d = example(StormBegan)
		d.Step, d.Reason, d.Storm.More = 1, "nobody has acknowledged it for 5 min: step 2 of 3", 3
	})
	require.Contains(t, m.Text, "Open, and acknowledged by nobody:\n- P2 Down: service pay (INC-7) https://tocsin.example.org/incidents/INC-7\n… and 3 more\n")
	m = said(t, func(d *Data) { *d = example(StormEnded); d.Event = Escalated })
	require.Equal(t, "Unacknowledged after a storm: 15 incidents (STORM-3)", m.Title)
}

func TestWhatIsToldOfAnIncidentThatIsOverOpensNothingAtAReceiver(t *testing.T) {
	for _, e := range []Event{Cancelled, Merged, OutageEnded} {
		require.True(t, said(t, func(d *Data) { *d = example(e) }).Resolved, e)
	}
	for _, e := range []Event{Update, MajorEnded, Task} {
		require.False(t, said(t, func(d *Data) { *d = example(e) }).Resolved, e)
		require.True(t, said(t, func(d *Data) { *d = example(e); d.Incident.Status = "resolved" }).Resolved, e)
	}
}

func TestNoServiceKnownIsSaidOnlyWhereNoLabelNamesOne(t *testing.T) {
	m := said(t, func(d *Data) { d.Event, d.Incident.Unbound = Opened, true })
	require.NotContains(t, m.Text, "no service known")
	m = said(t, func(d *Data) { d.Event, d.Incident.Unbound, d.Incident.Labels = Raised, true, nil })
	require.Contains(t, m.Text, "open for 7 min; no service known.")
}

func TestACauseIsToldWhereThereIsOneToName(t *testing.T) {
	m := said(t, func(d *Data) { d.Event = Escalated })
	require.NotContains(t, m.Text, "ikely")
	m = said(t, func(d *Data) { d.Event, d.Incident.Cause = Escalated, "likely: db-3\n (right in 31 of 40)" })
	require.Contains(t, m.Text, "\nLikely: db-3 (right in 31 of 40).\n")
	require.Contains(t, m.HTML, "Likely: db-3 (right in 31 of 40).")
	m = said(t, func(d *Data) { d.Event, d.Incident.Cause = Resolved, "it was db-3, says Ann" })
	require.Contains(t, m.Text, "\nIt was db-3, says Ann.")
}

func TestWithoutAnExternalURLNothingLinks(t *testing.T) {
	tmpl, err := New("", nil, nil)
	require.NoError(t, err)
	for _, e := range Events() {
		m := tmpl.Render(example(e))
		body, err := json.Marshal(m.Data)
		require.NoError(t, err)
		for _, part := range []string{m.Title, m.Text, m.HTML, m.Link, string(body)} {
			require.NotContains(t, part, "/incidents/", e)
			require.NotContains(t, part, "Open in Tocsin", e)
		}
		require.NotContains(t, m.Text, "\n\n", e)
		require.NotContains(t, string(body), `"link"`, e)
	}
}

func TestALinkAsksForTheTenantOfItsIncident(t *testing.T) {
	m := said(t, func(d *Data) { d.Tenant = "blue" })
	require.Equal(t, "https://tocsin.example.org/incidents/INC-42?tenant=blue", m.Link)
	require.Contains(t, m.Text, m.Link)
	m = said(t, func(d *Data) { *d = example(StormEnded); d.Tenant = "blue" })
	require.Contains(t, m.Text, "https://tocsin.example.org/incidents/INC-7?tenant=blue")
}

func TestAnInstanceStandsInFrontOfWhatReceiversKnowAMessageBy(t *testing.T) {
	tmpl, err := New("", nil, nil)
	require.NoError(t, err)
	m := tmpl.In("3f2a9c1e").Render(example(Digest))
	require.Equal(t, "3f2a9c1e/0.17.3/ops/0", m.Key)
	require.Equal(t, m.Key, m.Data.Key)
	require.Equal(t, "main/digest-3f2a9c1e/0.17.3/ops/0", m.Subject)
	m = tmpl.In("3f2a9c1e").Render(example(Opened))
	require.Equal(t, "main/INC-42", m.Subject)
	require.Equal(t, "3f2a9c1e/main/INC-42", m.Group())
	require.Equal(t, "3f2a9c1e", m.Data.Instance)
	require.Equal(t, "main/INC-42", (&Message{Subject: "main/INC-42"}).Group(), "what an older version left")
}

func TestEntriesOfADigestAreWholeData(t *testing.T) {
	tmpl, err := New("", nil, nil)
	require.NoError(t, err)
	m := tmpl.Render(example(Digest))
	for _, it := range m.Data.Digest {
		require.Equal(t, DataVersion, it.Version)
		require.Equal(t, "0.17.3/ops/0/INC-42", it.Key)
	}
}

func TestWhateverNamesSomethingIsOneLine(t *testing.T) {
	const broken = "a\r\nb\x00\tc\u2028d"
	d := example(Worse)
	i := d.Incident
	i.Title, i.Assignee, i.AcknowledgedBy, i.Team = broken, broken, broken, broken
	i.Alerts[0].Labels = map[string]string{"alertname": "\x01\x02", "instance": broken}
	tmpl, err := New("", nil, nil)
	require.NoError(t, err)
	m := tmpl.Render(d)
	require.Contains(t, m.Text, "Acknowledged by a b c d.")
	require.Contains(t, m.Text, "Owner: a b c d.")
	require.Contains(t, m.Text, "- critical Alert on a b c d: 3 % left of /var\n")
	require.Equal(t, "a b c d", m.Data.Incident.Title)
	require.Equal(t, broken, m.Data.Incident.Alerts[0].Labels["instance"], "labels are data")
	d = example(MuteEnding)
	d.Mute.Name, d.Mute.CreatedBy = broken, broken
	m = tmpl.Render(d)
	require.Contains(t, m.Text, `under the silence "a b c d", which`)
	require.Contains(t, m.Text, "Set by a b c d for: disk is on its way\n")
}
