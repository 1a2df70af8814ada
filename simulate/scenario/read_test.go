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
		"alerts.ndjson:4: \"yesterday\" is no time", "alerts.ndjson:5: at is missing", "alerts.ndjson:6: invalid character", "alerts.ndjson:7: labels are missing",
		"truth.ndjson:3: there is no fault \"f/2\"; faults.json must list it", "truth.ndjson:4: an id must be a text",
		"topology.json: relation from \"web\" to \"db\": there is no type \"likes\"", "faults.json: fault \"f/1\" is given twice", "faults.json: a fault has no id",
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
