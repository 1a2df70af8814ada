package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func small() map[string]string {
	return map[string]string{
		TopologyFile: `{"cis": [{"id": "db", "class": "Database"}, {"id": "web", "class": "Service"}],
			"relations": [{"from": "web", "type": "depends_on", "to": "db"}]}`,
		AlertsFile: `{"at": "2026-01-05T00:00:01Z", "labels": {"alertname": "Slow", "ci": "web", "peer": "db", "none": ""}, "startsAt": "2026-01-05T00:00:00.5Z"}
{"at": "2026-01-05T01:00:02.25+01:00", "labels": {"ci": "db", "alertname": "Down"}, "annotations": {"summary": "\"it\" – is"}, "startsAt": "2026-01-05T00:00:00Z", "endsAt": "2026-01-05T00:00:02Z"}

`,
		TruthFile:  "{\"fault\": \"f/1\"}\n{\"fault\": null}\n",
		FaultsFile: `[{"id": "f/1", "root": ["db"], "level": "database", "kind": "disk", "start": "2026-01-05T00:00:00Z", "end": "2026-01-05T00:10:00Z"}]`,
	}
}

func write(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestAFolderIsReadWithWhatItLeavesOut(t *testing.T) {
	s, err := Read(write(t, small()))
	require.NoError(t, err)
	start := DefaultStart()
	require.Equal(t, []Alert{
		{At: start + event.Second, StartsAt: start + 500, Labels: event.Labels{{Name: "alertname", Value: "Slow"}, {Name: "ci", Value: "web"}, {Name: "peer", Value: "db"}}},
		{
			At: start + 2250, StartsAt: start, EndsAt: start + 2*event.Second, Labels: event.Labels{{Name: "alertname", Value: "Down"}, {Name: "ci", Value: "db"}},
			Annotations: event.Labels{{Name: "summary", Value: `"it" – is`}},
		},
	}, s.Alerts)
	require.Equal(t, "db", s.Alerts[0].Charged(), "the one that was called")
	require.Equal(t, "db", s.Alerts[1].Charged())
	require.Equal(t, []string{"f/1", ""}, s.Truth)
	require.Equal(t, []Fault{{ID: "f/1", Root: []string{"db"}, Level: "database", Kind: "disk", Start: start, End: start + 10*event.Minute}}, s.Faults)
	require.Equal(t, Topology{[]CI{{"db", "Database"}, {"web", "Service"}}, []Relation{{"web", event.DependsOn, "db"}}}, s.Topology)
	require.Nil(t, s.Rules)
}

func TestTheBodyIsWhatAlertmanagerTakes(t *testing.T) {
	s, err := Read(write(t, small()))
	require.NoError(t, err)
	require.JSONEq(t, `{"labels": {"alertname": "Down", "ci": "db"}, "annotations": {"summary": "\"it\" – is"}, "startsAt": "2026-01-05T00:00:00Z", "endsAt": "2026-01-05T00:00:02Z"}`,
		strings.ReplaceAll(string(s.Alerts[1].AppendBody(nil)), ".000Z", "Z"))
}

func TestAllThatIsWrongWithAFolderIsToldAtOnceWithItsPlace(t *testing.T) {
	files := small()
	files[AlertsFile] += "{\"at\": \"yesterday\", \"labels\": {\"a\": \"b\"}}\n{\"labels\": {\"a\": \"b\"}}\nnonsense\n{\"at\": \"2026-01-05T00:00:01Z\"}\n"
	files[TruthFile] += "{\"fault\": \"f/2\"}\n{\"fault\": [1]}\n"
	files[TopologyFile] = strings.Replace(files[TopologyFile], "depends_on", "likes", 1)
	files[FaultsFile] = "[\n{\"id\": \"f/1\"},\n{\"id\": \"f/1\"}, {}]"
	dir := write(t, files)
	_, err := Read(dir)
	require.Error(t, err)
	for _, want := range []string{
		"alerts.ndjson:4: \"yesterday\" is no time", "alerts.ndjson:5: at is missing", "alerts.ndjson:6: not JSON: invalid character", "alerts.ndjson:7: labels are missing",
		"truth.ndjson:3: there is no fault \"f/2\"; faults.json must list it", "truth.ndjson:4: an id must be a text",
		"topology.json:2: relation from \"web\" to \"db\": there is no type \"likes\"", "faults.json:3: fault \"f/1\" is given twice; first on line 2", "faults.json:3: a fault has no id",
	} {
		require.ErrorContains(t, err, want)
	}
	require.Contains(t, err.Error(), dir)
}

func TestFilesThatDoNotFitEachOtherAreFound(t *testing.T) {
	files := small()
	files[TruthFile] = "{\"fault\": null}\n"
	_, err := Read(write(t, files))
	require.ErrorContains(t, err, "truth.ndjson: has 1 lines, and alerts.ndjson has 2")
	delete(files, TruthFile)
	delete(files, TopologyFile)
	_, err = Read(write(t, files))
	require.ErrorContains(t, err, "topology.json: no such file")
	require.ErrorContains(t, err, "truth.ndjson: no such file")
	files = small()
	files[FaultsFile] = "[\n{\"id\": 1,\n]"
	_, err = Read(write(t, files))
	require.ErrorContains(t, err, "faults.json:3: ")
	files = small()
	files[TopologyFile] = `{"cis": [{"id": "a", "class": "x"}, {"id": "a", "class": "x"}, {"id": "b"}], "relations": [{"type": "part_of"}]}`
	_, err = Read(write(t, files))
	for _, want := range []string{`item "a" is given twice`, `id "b", class ""`, "a relation needs from, type and to"} {
		require.ErrorContains(t, err, want)
	}
}

func TestOfManyProblemsTheFirstAreSpelledOut(t *testing.T) {
	files := small()
	files[AlertsFile] = strings.Repeat("x\n", 100)
	_, err := Read(write(t, files))
	require.ErrorContains(t, err, "alerts.ndjson:20: ")
	require.NotContains(t, err.Error(), "alerts.ndjson:21: ")
	require.ErrorContains(t, err, "alerts.ndjson: and 80 more problems")
}

func TestANumberIsAnIDToo(t *testing.T) {
	files := small()
	files[FaultsFile], files[TruthFile] = `[{"id": 7, "root": ["db"]}]`, "{\"fault\": 7}\n{\"fault\": \"7\"}\n"
	s, err := Read(write(t, files))
	require.NoError(t, err)
	require.Equal(t, []string{"7", "7"}, s.Truth)
}

func FuzzAlertLine(f *testing.F) {
	for line := range strings.Lines(small()[AlertsFile]) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := parseAlert(text, interner{})
		if err != nil {
			return
		}
		again, err := parseAlert(a.appendLine(nil), interner{})
		if len(a.Labels) == 0 {
			return // all were empty
		}
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

// broken reads a folder in which one file is otherwise, and returns what is wrong with it.
func broken(t *testing.T, name, text string) string {
	files := small()
	files[name] = text
	_, err := Read(write(t, files))
	require.Error(t, err)
	return err.Error()
}

func TestAListOfFaultsThatCannotBeReadDoesNotMakeEveryLineWrong(t *testing.T) {
	said := broken(t, FaultsFile, "[\n{\"id\": \"f/1\", \"root\": \"db\"}]")
	require.Contains(t, said, "faults.json:2: root: must be a list, and is a text; write [{")
	require.NotContains(t, said, "there is no fault")
}

func TestKeysThatAreNearlyRightAreFound(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{AlertsFile, `{"at": "2026-01-05T00:00:01Z", "labels": {"ci": "db"}, "startAt": "2026-01-05T00:00:01Z"}`, `alerts.ndjson:1: unknown key "startAt"; did you mean "startsAt"?`},
		{AlertsFile, `{"at": "2026-01-05T00:00:01Z", "lables": {"ci": "db"}}`, `alerts.ndjson:1: unknown key "lables"; did you mean "labels"?`},
		{AlertsFile, `{"at": "2026-01-05T00:00:01Z", "labels": {"ci": "db"}, "ends_at": ""}`, `unknown key "ends_at"; did you mean "endsAt"?`},
		{TruthFile, `{"falt": "f/1"}`, `truth.ndjson:1: unknown key "falt"; did you mean "fault"?`},
		{TruthFile, `{}`, `truth.ndjson:1: fault is missing; write {"fault": "f-1"}`},
		{TruthFile, `null`, `truth.ndjson:1: fault is missing`},
		{TruthFile, `{"fault": ""}`, `truth.ndjson:1: an id must not be empty`},
		{FaultsFile, `[{"id": "f/1", "roots": ["db"]}]`, `faults.json:1: fault "f/1" has no root; unknown key "roots"; did you mean "root"?`},
		{TopologyFile, `{"ciz": []}`, `topology.json:1: unknown key "ciz"; did you mean "cis"?`},
		{TopologyFile, `{"cis": [{"id": "a", "clas": "x"}]}`, `topology.json:1: an item needs an id and a class (id "a", class ""); unknown key "clas"; did you mean "class"?`},
		{TopologyFile, "{\"cis\": [{\"id\": \"a\", \"class\": \"x\"}], \"relations\": [\n{\"from\": \"a\", \"type\": \"dependson\", \"to\": \"b\"},\n{\"from\": \"a\", \"type\": \"part_of\", \"to\": \"a\"}]}",
			`topology.json:2: relation from "a" to "b": there is no type "dependson"; did you mean "depends_on"?`},
	} {
		require.Contains(t, broken(t, c.file, c.text), c.want)
	}
	files := small()
	files[AlertsFile] = strings.Replace(files[AlertsFile], `"at"`, `"fingerprint": "x", "status": {}, "at"`, 1)
	_, err := Read(write(t, files))
	require.NoError(t, err, "other keys are free")
}

func TestProblemsOfATopologyStandOnTheirLines(t *testing.T) {
	said := broken(t, TopologyFile, "{\"cis\": [\n{\"id\": \"a\", \"class\": \"x\"},\n{\"id\": 5},\n\n{\"id\": \"a\", \"class\": \"x\"}],\n\"relations\": [\n{\"from\": \"a\", \"type\": \"part_of\", \"to\": \"a\"},{\"type\": \"part_of\"}]}")
	for _, want := range []string{
		"topology.json:3: id: must be a text, and is a number; write {", `topology.json:5: item "a" is given twice; first on line 2`,
		`topology.json:7: item "a" cannot have a relation to itself`, "topology.json:7: a relation needs from, type and to",
	} {
		require.Contains(t, said, want)
	}
	require.Contains(t, broken(t, TopologyFile, ""), "topology.json: is empty; write {")
	require.Contains(t, broken(t, TopologyFile, "{\"cis\": [\n"), "topology.json:2: not JSON: unexpected end of JSON input")
	require.Contains(t, broken(t, TopologyFile, "[]"), "topology.json: must be a mapping of keys and values")
	require.Contains(t, broken(t, TopologyFile, "{} x"), "topology.json: there is something behind its end")
	require.Contains(t, broken(t, TopologyFile, "{\"cis\": 5}"), "topology.json: cis must be a list")
	require.Contains(t, broken(t, FaultsFile, "{}"), "faults.json: must be a list")
}

func TestAnAlertThatASenderCouldNotSendIsFound(t *testing.T) {
	require.Contains(t, broken(t, AlertsFile, `{"at": "2026-01-05T00:00:01Z", "labels": {"ci": ""}}`), "alerts.ndjson:1: labels are missing")
	require.Contains(t, broken(t, AlertsFile, `{"at": "2026-01-05T00:00:01Z", "labels": {"ci": "a"}, "startsAt": "2026-01-05T00:00:01Z", "endsAt": "2026-01-04T00:00:01Z"}`),
		"alerts.ndjson:1: endsAt is before startsAt")
	require.Contains(t, broken(t, AlertsFile, `{"at": "2026-01-05T00:00:01Z", "labels": {"ci": 5}}`), "alerts.ndjson:1: labels")
}

func TestTheMarkOfAnEditorIsNoPartOfAFile(t *testing.T) {
	files := small()
	for name, text := range files {
		files[name] = byteOrderMark + text
	}
	_, err := Read(write(t, files))
	require.NoError(t, err)
}

func TestWhatAScenarioHardlyMeansIsDoubted(t *testing.T) {
	files := small()
	s, err := Read(write(t, files))
	require.NoError(t, err)
	require.Empty(t, s.Doubts())
	files[TopologyFile] = `{"cis": [{"id": "web", "class": "Service"}], "relations": [{"from": "web", "type": "depends_on", "to": "db"}]}`
	files[FaultsFile] = `[{"id": "f/1", "root": ["db"]}, {"id": "f/2"}]`
	s, err = Read(write(t, files))
	require.NoError(t, err)
	require.Equal(t, []string{
		`topology.json: 1 end of a relation is no item of it, and the relation leads nowhere: "db"`,
		`alerts.ndjson: 2 alerts are charged to items that topology.json lacks, the first: "db", alert 1`,
		`faults.json: 1 root is no item of topology.json, so that nothing can name it: "db"`,
		`faults.json: 1 fault has no root, and counts as one whose cause is not found: "f/2"`,
		`faults.json: 1 fault has no alert, and does not count: "f/2"`,
	}, s.Doubts())
}
