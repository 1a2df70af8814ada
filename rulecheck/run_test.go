package rulecheck

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func run(t *testing.T, o Options, names ...string) []Result {
	t.Helper()
	results, problems, err := Run(names, o)
	require.NoError(t, err)
	require.Empty(t, problems)
	return results
}

func TestWhatIsExpectedAndHappensPasses(t *testing.T) {
	results := run(t, Options{}, "testdata/right.yml")
	require.Len(t, results, 3)
	for _, r := range results {
		require.True(t, r.Passed, strings.Join(r.Lines(), "\n"))
		require.Empty(t, r.Story)
	}
}

func TestEveryPlantedMistakeIsReportedAtItsPlaceAndNothingElse(t *testing.T) {
	results := run(t, Options{}, "testdata/wrong.yml")
	require.Len(t, results, 3)
	require.Equal(t, []string{`testdata/wrong.yml:9:9: at 30s: no open incident holds an alert {rack="r9"}`}, results[0].Lines())
	require.Equal(t, strings.TrimSpace(`
testdata/wrong.yml:19:15: at 1m: open incidents: expected 1, got 2
    + INC-2 "HostDown: rack r2" open P2, alerts: 1
    + INC-1 "SwitchDown: rack r1" open P2, alerts: 2
testdata/wrong.yml:22:23: at 1m: INC-1 "SwitchDown: rack r1": priority: expected P1, got P2
testdata/wrong.yml:23:19: at 1m: INC-1 "SwitchDown: rack r1": team: expected network, got none
testdata/wrong.yml:24:20: at 1m: INC-1 "SwitchDown: rack r1": cause: expected sw-1, got none
testdata/wrong.yml:26:15: at 1m: INC-1 "SwitchDown: rack r1": members: - expected and not in it, + in it and not expected
    - {host="h2"}
    + {alertname="HostDown", host="h1", rack="r1", severity="critical"}
testdata/wrong.yml:28:13: at 1m: there is no incident with the title "no such thing"; there are:
    INC-2 "HostDown: rack r2" open P2, alerts: 1
    INC-1 "SwitchDown: rack r1" open P2, alerts: 2
testdata/wrong.yml:31:21: at 1m: {alertname="HostDown", host="h1", rack="r1", severity="critical"}: reason: expected waiting, got joined
testdata/wrong.yml:32:26: at 1m: {alertname="HostDown", host="h1", rack="r1", severity="critical"}: in_incident: expected false, got true
testdata/wrong.yml:33:13: at 1m: there is no alert {host="h7"}
testdata/wrong.yml:35:9: at 20s: there is INC-2 "HostDown: rack r2" open P2, alerts: 1, which must never be
`), strings.Join(results[1].Lines(), "\n"))
	require.True(t, results[2].Passed, strings.Join(results[2].Lines(), "\n"))
}

func TestWhatPeopleDoIsDoneInATest(t *testing.T) {
	results := run(t, Options{Story: true}, "testdata/people.yml")
	require.Len(t, results, 4)
	for _, r := range results {
		require.True(t, r.Passed, strings.Join(r.Lines(), "\n"))
	}
	require.Contains(t, strings.Join(results[1].Story, "\n"), "5m  cause of INC-1 judged other, mail, by bob")
	require.Contains(t, strings.Join(results[3].Story, "\n"), `1m  window started "disks"`)
}

func TestACommandThatIsNotCarriedOutAndACauseThatIsAnotherAreFailures(t *testing.T) {
	const rest = `rule_files: [rules.yml]
topology: {cis: [{id: db-1, class: database}]}
tests:
  - name: a
    events:
      - {labels: {alertname: Down, rack: r1, severity: critical}}
      - {labels: {alertname: Down, rack: r2, severity: critical}}
      - {labels: {alertname: Disk, ci: db-1, severity: critical}}
    commands:
      - {at: 1m, acknowledge: rack="r1", by: ann}
      - {at: 1m, acknowledge: rack="r2", by: bob}
`
	rulesText, err := os.ReadFile("testdata/rules.yml")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), rulesText, 0o600))
	for name, c := range map[string]struct{ text, want string }{
		"proposed":   {"      - {at: 2m, merge: rack=\"r1\", into: rack=\"r2\", by: cyd}\n    expect: [{at: 3m, open: 3}]\n", ":12:9: at 2m: the merge is only proposed"},
		"whole":      {"      - {at: 2m, split: rack=\"r1\"}\n    expect: [{at: 3m, open: 3}]\n", ":12:9: at 2m: "},
		"nowhere":    {"      - {at: 2m, merge: rack=\"r1\", into: rack=\"r9\"}\n    expect: [{at: 3m, open: 3}]\n", `:12:9: at 2m: no open incident holds an alert {rack="r9"}`},
		"none":       {"      - {at: 2m, judge: rack=\"r9\", verdict: right}\n    expect: [{at: 3m, open: 3}]\n", `at 2m: no incident that is open or resolved holds an alert {rack="r9"}`},
		"nothing":    {"      - {at: 2m, judge: rack=\"r1\", verdict: right}\n    expect: [{at: 3m, open: 3}]\n", "at 2m: INC-1 has no candidate for its cause"},
		"unknown":    {"      - {at: 2m, judge: ci=\"db-1\", was: db-2}\n    expect: [{at: 3m, open: 3}]\n", `at 2m: there is no configuration item "db-2"`},
		"cause":      {"    expect: [{at: 3m, incidents: [{match: ci=\"db-1\", cause: db-1}]}]\n", `:12:61: at 3m: INC-3 "Disk: ci db-1": cause: expected db-1, got none`},
		"confident":  {"    expect: [{at: 3m, incidents: [{match: rack=\"r1\", confident: true}]}]\n", `confident: expected true, got false`},
		"verdict":    {"    expect: [{at: 3m, incidents: [{match: ci=\"db-1\", verdict: right}]}]\n", `verdict: expected right, got none`},
		"verdict_on": {"    expect: [{at: 3m, incidents: [{match: ci=\"db-1\", verdict_on: db-1}]}]\n", `verdict_on: expected db-1, got none`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name+".yml")
			require.NoError(t, os.WriteFile(path, []byte(rest+c.text), 0o600))
			lines := run(t, Options{}, path)[0].Lines()
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], c.want)
		})
	}
}

func TestACommandTakesTheKeysOfItsVerbAlone(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{`{at: 1m, merge: a="b"}`, ":4:17: into: missing; matchers of an alert in the incident that stays"},
		{`{at: 1m, merge: a="b", into: a="c", for: 1h}`, ":4:58: for: says nothing of merge; it takes at, by, into, reason"},
		{`{at: 1m, split: a="b", titel: x}`, `:4:40: titel: unknown key; did you mean "title"?`},
		{`{at: 1m, split: a="b", reason: x}`, ":4:48: reason: says nothing of split; it takes at, by, title"},
		{`{at: 1m, acknowledge: a="b", resolve: a="b"}`, ":4:17: a command is one of acknowledge, resolve, merge, split, judge, silence and window, with matchers"},
		{`{at: 1m, judge: a="b"}`, ":4:17: verdict: a verdict is right or wrong, or names the item that it was"},
		{`{at: 1m, judge: a="b", verdict: right, was: c}`, ":4:17: verdict: a verdict is right or wrong, or names the item that it was"},
		{`{at: 1m, judge: a="b", verdict: rigth}`, `:4:49: verdict: must be one of right, wrong (got "rigth"); did you mean "right"?`},
		{`{at: 1m, window: []}`, ":4:34: window: has no matchers"},
		{`{at: 1m, silence: []}`, ":4:35: silence: has no matchers"},
		{`{at: 1m, silence: a="b", cis: [x]}`, ":4:47: cis: says nothing of silence; it takes at, by, for, reason"},
	} {
		path := filepath.Join(t.TempDir(), "a.yml")
		text := "tests:\n  - name: a\n    events: []\n    commands: [ " + c.command + "]\n    expect: [{at: 0s, open: 0}]\n"
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, problems, err := Run([]string{path}, Options{})
		require.NoError(t, err)
		require.Len(t, problems, 1, c.command)
		require.Contains(t, problems.Error(), c.want, c.command)
	}
}

func TestEverythingThatIsWrongWithAFileComesAtOnce(t *testing.T) {
	results, problems, err := Run([]string{"testdata/malformed.yml", "testdata/right.yml"}, Options{})
	require.NoError(t, err)
	require.Empty(t, results, "nothing runs")
	for _, want := range []string{
		`malformed.yml:1:1: rule_file: unknown key; did you mean "rule_files"?`, "malformed.yml:2:11: interval: must be a duration",
		`malformed.yml:6:10: label: unknown key; did you mean "labels"?`, "malformed.yml:6:9: labels: missing", "malformed.yml:6:37: at: must be a duration",
		"malformed.yml:7:9: until: for and until say the same", "malformed.yml:7:60: kind: must be one of resender, send_once",
		"malformed.yml:9:9: a command is one of", "malformed.yml:12:26: match: must be matchers", "malformed.yml:12:47: reason: must be one of opened, held",
		"malformed.yml:13:32: priority: must be one of P1", "malformed.yml:13:61: title_matches: must be a regular expression: error parsing regexp: missing closing ): `(`",
		"malformed.yml:14:5: expect: the test expects nothing",
	} {
		require.Contains(t, problems.Error(), want)
	}
}

func TestRulesThatAreWrongAndFilesThatAreNotThereAreProblems(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("rules.yml", "nonsense: 1\n")
	rest := "tests:\n  - {name: a, events: [], expect: [{at: 0s, open: 0}]}\n"
	for _, c := range []struct{ name, text, want string }{
		{"a.yml", "rule_files: [rules.yml]\n" + rest, "rules.yml:1:1: nonsense: unknown key"},
		{"b.yml", "rule_files: [nowhere*.yml]\n" + rest, "rule_files: no file is called nowhere*.yml"},
		{"c.yml", "topology: {file: nowhere.json}\n" + rest, "c.yml:1:11: topology: open "},
		{"d.yml", rest + "  - {name: a, events: [], expect: [{at: 0s, open: 0}]}\n", `d.yml:3:5: name: the name "a" is taken at `},
	} {
		_, problems, err := Run([]string{write(c.name, c.text)}, Options{})
		require.NoError(t, err)
		require.Contains(t, problems.Error(), c.want)
	}
	_, _, err := Run([]string{filepath.Join(dir, "none.yml")}, Options{})
	require.ErrorIs(t, err, os.ErrNotExist)

	results := run(t, Options{}, write("e.yml", "tests:\n  - name: a\n    interval: 1s\n    events: [{labels: {alertname: A$n}, times: 10000}]\n    expect: [{at: 1h, open: 0}]\n"))
	require.Contains(t, results[0].Lines()[0], "e.yml:4:14: the sources would have to speak more than 1000000 times")
}

func TestTestsAreChosenByNameAndTellTheirStory(t *testing.T) {
	results := run(t, Options{Only: regexp.MustCompile("^this one"), Story: true}, "testdata/right.yml", "testdata/wrong.yml")
	require.Len(t, results, 1)
	story := strings.Join(results[0].Story, "\n")
	require.Contains(t, story, `alert firing {alertname="HostDown", rack="r2", severity="critical"}: opened INC-1`)
	require.Contains(t, story, `incident opened INC-1 "HostDown: rack r2" P2 critical`)
	require.Contains(t, story, "testdata/rules.yml:2:5", "the rule is cited")
}

func TestTheTopologyOfAFileOrWrittenOutIsKnown(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "estate.json"), []byte(`{"cis":[{"id":"db-1","class":"host"},{"id":"web","class":"service"}],"relations":[{"from":"web","type":"depends_on","to":"db-1"}]}`), 0o600))
	test := "tests:\n  - name: a\n    events: [{labels: {alertname: Down, ci: db-1, severity: critical}}]\n    expect: [{at: 1m, alerts: [{match: alertname=\"Down\", ci: db-1}]}]\n"
	for name, topology := range map[string]string{
		"file.yml":   "topology: {file: estate.json}\n",
		"inline.yml": "topology:\n  cis: [{id: db-1, class: host}, {id: web, class: service}]\n  relations: [{from: web, type: depends_on, to: db-1}]\n",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(topology+test), 0o600))
		results := run(t, Options{}, path)
		require.True(t, results[0].Passed, results[0].Lines())
	}
}

func TestASecondRunIsTheSame(t *testing.T) {
	first, again := run(t, Options{Story: true}, "testdata/right.yml"), run(t, Options{Story: true}, "testdata/right.yml")
	for i := range first {
		require.Equal(t, first[i].Story, again[i].Story)
	}
}

func TestJUnitNamesEachTestAndItsFailures(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteJUnit(&b, run(t, Options{}, "testdata/right.yml", "testdata/wrong.yml")))
	var read junitSuites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &read))
	require.Equal(t, []int{6, 2}, []int{read.Tests, read.Failures})
	require.Len(t, read.Suites, 2)
	require.NotEmpty(t, read.Seconds)
	require.NotEmpty(t, read.Suites[1].Seconds)
	require.Equal(t, "testdata/wrong.yml", read.Suites[1].Name)
	require.Contains(t, read.Suites[1].Cases[1].Failure.Text, "priority: expected P1, got P2")
	require.Nil(t, read.Suites[1].Cases[2].Failure)
}

func TestATopologyThatIsWrongIsAProblemOfTheFileAndNotAFailureOfItsTests(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	const rest = "tests:\n  - {name: a, events: [], expect: [{at: 0s, open: 0}]}\n  - {name: a, events: [], expect: [{at: 0s, open: 0}]}\n"
	_, problems, err := Run([]string{write("inline.yml", `topology:
  cis: [{id: db-1, class: host}, {id: web, class: service}, {id: web, class: pod}]
  relations:
    - {from: web, type: dependson, to: db-1}
    - {from: web, type: depends_on, to: db-2}
    - {from: web, type: part_of, to: web}
`+rest)}, Options{})
	require.NoError(t, err)
	for _, want := range []string{
		`inline.yml:2:61: id: the item "web" is given at `, `inline.yml:4:25: type: must be one of depends_on, hosted_on, part_of, connects_to, backs_up (got "dependson"); did you mean "depends_on"?`,
		`inline.yml:5:7: to: there is no item "db-2"; did you mean "db-1"?`, `inline.yml:6:7: to: the item "web" cannot have a relation to itself`,
		`inline.yml:9:5: name: the name "a" is taken at `,
	} {
		require.Contains(t, problems.Error(), want)
	}
	write("estate.json", "{\"cis\": [\n{\"id\": \"a\"},\n{\"id\": \"b\", \"class\": \"x\"}, {\"id\": \"b\", \"class\": \"x\"}]}")
	write("rules.yml", "nonsense: 1\n")
	_, problems, err = Run([]string{write("file.yml", "rule_files: [rules.yml]\ntopology: {file: estate.json}\n"+strings.Replace(rest, "name: a", "name: b", 1))}, Options{})
	require.NoError(t, err)
	for _, want := range []string{`estate.json:2: an item needs an id and a class`, `estate.json:3: item "b" is given twice`, "rules.yml:1:1: nonsense: unknown key"} {
		require.Contains(t, problems.Error(), want)
	}
}

func TestAnItemThatAnAlertNamesOrAPodThatIsToldOfComesBeforeWhatIsShipped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bind.yml")
	require.NoError(t, os.WriteFile(path, []byte(`
topology:
  cis: [{id: told, class: service}, {id: shop/deployment/web, class: deployment}, {id: shop/pod/web-bcdfgh-bcdfg, class: pod}, {id: shop/deployment/api, class: deployment}]
tests:
  - name: bound
    events:
      - {labels: {alertname: A, ci: told, namespace: shop, pod: web-bcdfgh-bcdfg, severity: critical}}
      - {labels: {alertname: B, namespace: shop, pod: web-bcdfgh-bcdfg, severity: critical}}
      - {labels: {alertname: C, namespace: shop, pod: api-bcdfgh-bcdfg, severity: critical}}
    expect:
      - at: 1m
        alerts:
          - {match: alertname="A", ci: told}
          - {match: alertname="B", ci: shop/pod/web-bcdfgh-bcdfg}
          - {match: alertname="C", ci: shop/deployment/api}
`), 0o600))
	results := run(t, Options{}, path)
	require.True(t, results[0].Passed, results[0].Lines())
}
