package rules

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func mustCompile(t testing.TB, text string) *Condition {
	t.Helper()
	c, faults := (&parsing{}).compile(text)
	require.Empty(t, faults, text)
	return c
}

func anInput(t testing.TB) *Input {
	return &Input{
		Labels:      labelSet(t, "alertname", "DiskFull", "code", "503", "host", "db-3", "a b", "x", "team", "db"),
		Annotations: labelSet(t, "summary", "the disk of db-3 is full"),
		Severity:    event.Warning, CI: "db-3", Class: "host",
	}
}

func TestConditionsSayWhatTheySay(t *testing.T) {
	for text, want := range map[string]bool{
		`labels.team == "db"`: true, `labels.team != "db"`: false, `labels["a b"] == "x"`: true, `"db" == labels.team`: true,
		`labels.missing == ""`: true, `has(labels.missing)`: false, `has(labels.team)`: true, `"team" in labels`: true, `"x" in labels`: false,
		`annotations.summary.contains("disk")`: true, `annotations.runbook.contains("disk")`: false,
		`severity == "warning" && ci.class == "host"`: true, `severity in ["critical", "major"]`: false, `ci.id.endsWith("-3")`: true,
		`int(labels.code) >= 500`: true, `int(labels.code) == 503`: true, `int(labels.code) in [404, 503]`: true, `int(labels.code) < -5`: false,
		`int(labels.team) >= 0`: false, `!(int(labels.team) >= 0)`: false, `int(labels.team) >= 0 || true`: true, `int(labels.team) >= 0 && false`: false,
		`labels.host.matches("^db-[0-9]+$")`: true, `labels.host.matches("b-")`: true, `labels.host.startsWith(labels.team)`: true,
		`["web-", "db-"].exists(p, labels.host.startsWith(p))`: true, `["d", "b"].all(p, labels.team.contains(p))`: true,
		`[1, 503].exists(n, n == int(labels.code))`: true, `[].exists(p, p == labels.team)`: false,
		`["a", "b"].exists(p, ["a", "c"].exists(q, p == q && labels.team == "db"))`: true,
		`size(labels.host) == 4 && labels.team.size() < 3`:                          true, `(labels.team == "db") == (severity == "warning")`: true,
		`true`: true, `false`: false, `!false`: true,
	} {
		require.Equal(t, want, mustCompile(t, text).holds(anInput(t)), text)
	}
}

func TestWhatConditionsCannotSayIsRefusedWithAHint(t *testing.T) {
	for text, want := range map[string]string{
		`labels.team = "db"`:                 `not a condition`,
		`labels.team == `:                    `not a condition`,
		`lables.team == "db"`:                `there is no "lables" in conditions; did you mean "labels"?`,
		`labels.team`:                        `must be true or false, this is a text`,
		`int(labels.a) > 1.5`:                `cannot be applied to`,
		`1.5 == 1.5`:                         `there are no decimal numbers`,
		`double(labels.a) > 1`:               `there is no "double" in conditions`,
		`labels.code == 503`:                 `labels are texts: compare with "500"`,
		`labels.exists(l, l == "a")`:         `only a list that is written out`,
		`labels.team in annotations.list`:    `cannot be applied`,
		`labels[labels.team] == "x"`:         `a label's name must be written out`,
		`ci.clas == "host"`:                  `ci has no "clas"; did you mean "class"?`,
		`labels.a.matches("(")`:              `must be a regular expression`,
		`labels.a.matches(labels.b)`:         `must be written out`,
		`severity == "high"`:                 `there is no severity "high"`,
		`severity in ["critical", "warn"]`:   `there is no severity "warn"; did you mean "warning"?`,
		`[1, 2].map(x, x) == [1]`:            `there is no`,
		`labels == annotations`:              `only texts and whole numbers`,
		`{"a": "b"}.a == labels.a`:           `this cannot stand for a text`,
		`now() > 5`:                          `there is no "now"`,
		`has("x")`:                           `has takes a label`,
		`labels.team == "db" ? true : false`: `there is no`,
		`labels.a + labels.b == "ab"`:        `there is no`,
		`-int(labels.a) > 5`:                 `there is no`,
		strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100):                                             `not a condition`,
		strings.Repeat("true && ", 1000) + "true":                                                                `not a condition`,
		`[` + strings.Repeat(`"a",`, 99) + `"a"].all(x, [` + strings.Repeat(`"a",`, 99) + `"a"].all(y, x == y))`: `the condition is too long`,
		`annotations.a.matches("` + strings.Repeat("(a|b)*", 40) + `")`:                                          `steps for one alert`,
		`labels.a.matches("(x{30}){30}")`:                                                                        `steps for one alert`,
		`labels.a.matches("((a|b|c){300})*d{900}")`:                                                              `steps for one alert`,
		`!labels.a`:       `! cannot be applied to (string); a label is a text: compare it`,
		`2.5 > 1.5`:       `> cannot be applied to (double, double); there are no decimal numbers in rules`,
		`labels.a.map(x)`: `there is no "map" in conditions; known here: labels`,
	} {
		_, faults := (&parsing{}).compile(text)
		require.NotEmpty(t, faults, text)
		require.Contains(t, faults[0].message+"; "+faults[0].hint, want, text)
	}
}

func TestAFaultOfAConditionStandsWhereItIs(t *testing.T) {
	for text, want := range map[string]string{
		"suppress:\n  - name: a\n    reason: b\n    if: labels.a == \"b\" && lables.c == \"d\"\n":                  `a.yml:4:28: if: there is no "lables" in conditions; did you mean "labels"?`,
		"suppress:\n  - name: a\n    reason: b\n    if: 'lables.c == \"d\"'\n":                                     `a.yml:4:10: if: there is no "lables" in conditions; did you mean "labels"?`,
		"suppress:\n  - name: a\n    reason: b\n    if: |\n      labels.a == \"b\" &&\n      lables.c == \"d\"\n":  `a.yml:6:7: if: there is no "lables" in conditions; did you mean "labels"?`,
		"suppress:\n  - name: a\n    reason: b\n    if: >-\n      labels.a == \"b\" &&\n      lables.c == \"d\"\n": `a.yml:4:9: if: there is no "lables" in conditions; did you mean "labels"?`,
		"suppress:\n  - name: a\n    reason: b\n    if: !has(labels.c)\n":                                          `a.yml:4:9: if: begins with !, which YAML takes for something else; put the condition in quotes`,
	} {
		_, err := Parse([]File{{"a.yml", []byte(text)}})
		require.EqualError(t, err, want)
	}
}

func TestAConditionThatCostsTooMuchIsFalseAndCounted(t *testing.T) {
	s := mustParse(t, `suppress: [{name: first, match: ['a="b"'], reason: r}, {name: long, if: 'annotations.a.matches("x+y")', reason: r}]`)
	in := &Input{Annotations: event.Labels{{Name: "a", Value: strings.Repeat("x", 100_000) + "y"}}, Overruns: make([]uint64, len(s.Rules()))}
	require.Equal(t, -1, s.Suppress(in))
	require.Equal(t, -1, s.Suppress(in))
	for i, r := range s.Rules() {
		want := uint64(0)
		if r.Name == "long" {
			want = 2
		}
		require.Equal(t, want, in.Overruns[i], r.Name)
	}
	in.Annotations[0].Value = "xxy"
	require.Equal(t, 1, s.Suppress(in))
	require.Equal(t, -1, s.Suppress(&Input{Annotations: event.Labels{{Name: "a", Value: strings.Repeat("x", 100_000)}}}), "nobody counts")
}

func TestWhatAConditionAsksOfSingleLabelsIsIndexed(t *testing.T) {
	for text, want := range map[string]string{
		`labels.a == "b" && severity == "info"`:                     "a:b",
		`labels.a in ["b", "c"] && labels.d == "e"`:                 "a:b,c d:e",
		`(labels.a == "b" || labels.a in ["c"]) && labels.e != "f"`: "a:b,c",
		`labels.a == "b" || labels.c == "d"`:                        "",
		`labels.a == "b" || severity == "info"`:                     "",
		`!(labels.a == "b")`:                                        "",
		`["x", "y"].exists(v, labels.a == v)`:                       "a:x,y",
		`labels.a.startsWith("b")`:                                  "",
	} {
		var got []string
		for _, x := range mustCompile(t, text).equalities() {
			got = append(got, x.Name+":"+strings.Join(x.words, ","))
		}
		require.Equal(t, want, strings.Join(got, " "), text)
	}
}

func TestConditionsAllocateNothing(t *testing.T) {
	c := mustCompile(t, `labels.host.matches("^db-[0-9]+$") && int(labels.code) >= 500 && ["a", "d"].exists(p, labels.team.startsWith(p)) && severity != "info"`)
	in := anInput(t)
	require.True(t, c.holds(in))
	require.Zero(t, testing.AllocsPerRun(100, func() { c.holds(in) }))
}

// open is a map of labels to CEL in which a missing label is "".
type open struct{ traits.Mapper }

func (o open) Find(key ref.Val) (ref.Val, bool) {
	if v, ok := o.Mapper.Find(key); ok {
		return v, true
	}
	return types.String(""), true
}

func (o open) Get(key ref.Val) ref.Val {
	v, _ := o.Find(key)
	return v
}

// CEL's own interpreter is the model.
func TestConditionsMeanWhatTheyMeanInCEL(t *testing.T) {
	texts := cel.MapType(cel.StringType, cel.StringType)
	env, err := cel.NewEnv(cel.Variable("labels", texts), cel.Variable("annotations", texts), cel.Variable("ci", texts), cel.Variable("severity", cel.StringType),
		cel.Macros(cel.GlobalMacro("has", 1, expandHas)))
	require.NoError(t, err)
	seen := map[bool]int{}
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		text := randomTruth(rnd, 4)
		c := mustCompile(t, text)
		tree, issues := env.Compile(text)
		require.NoError(t, issues.Err(), text)
		program, err := env.Program(tree)
		require.NoError(t, err)
		for range 10 {
			in := &Input{Labels: randomLabels(t, rnd), Severity: event.Severity(rnd.IntN(6)), CI: []string{"", "1"}[rnd.IntN(2)], Class: "2"}
			in.Annotations = randomLabels(t, rnd)
			mapper := func(m map[string]string) any { return open{types.DefaultTypeAdapter.NativeToValue(m).(traits.Mapper)} }
			out, _, err := program.Eval(map[string]any{
				"labels": mapper(in.Labels.Map()), "annotations": mapper(in.Annotations.Map()), "severity": in.Severity.String(),
				"ci": mapper(map[string]string{"id": in.CI, "class": in.Class}),
			})
			want := err == nil && out == types.True
			require.Equal(t, want, c.holds(in), "seed %d: %s\n%s %s %s", seed, text, in.Labels, in.Annotations, in.Severity)
			if want {
				require.True(t, matchAll(c.equalities(), in.Labels), "the index finds it: %s", text)
			}
			seen[want]++
		}
	}
	require.Greater(t, min(seen[true], seen[false]), 500, "both come")
}

func randomText(rnd *rand.Rand) string {
	name := string(rune('a' + rnd.IntN(4)))
	return []string{"labels." + name, "labels[\"" + name + "\"]", "annotations." + name, `"1"`, `"0"`, `"12"`, `""`, "ci.id", "ci.class"}[rnd.IntN(9)]
}

func randomNumber(rnd *rand.Rand) string {
	return []string{"1", "0", "-2", "12", "int(" + randomText(rnd) + ")", "size(" + randomText(rnd) + ")", randomText(rnd) + ".size()"}[rnd.IntN(7)]
}

func randomTruth(rnd *rand.Rand, depth int) string {
	if depth == 0 {
		return "labels.a == \"1\""
	}
	deeper := func() string { return randomTruth(rnd, depth-1) }
	switch rnd.IntN(14) {
	case 0, 1, 2:
		return fmt.Sprintf("(%s && %s)", deeper(), deeper())
	case 3, 4, 5:
		return fmt.Sprintf("(%s || %s)", deeper(), deeper())
	case 6:
		return "!" + "(" + deeper() + ")"
	case 7:
		return fmt.Sprintf("%s %s %s", randomText(rnd), []string{"==", "!="}[rnd.IntN(2)], randomText(rnd))
	case 8:
		return fmt.Sprintf("%s %s %s", randomNumber(rnd), []string{"==", "!=", "<", "<=", ">", ">="}[rnd.IntN(6)], randomNumber(rnd))
	case 9:
		return fmt.Sprintf("%s in [\"0\", \"12\"]", randomText(rnd))
	case 10:
		return fmt.Sprintf("%s in [0, 12]", randomNumber(rnd))
	case 11:
		return fmt.Sprintf("%s.%s(%s)", randomText(rnd), []string{"startsWith", "endsWith", "contains"}[rnd.IntN(3)], randomText(rnd))
	case 12:
		return fmt.Sprintf("[\"1\", \"2\"].%s(v, %s == v || %s)", []string{"exists", "all"}[rnd.IntN(2)], randomText(rnd), deeper())
	default:
		return []string{"has(labels.b)", `labels.c.matches("^[01]")`, `severity == "info"`, `"d" in annotations`}[rnd.IntN(4)]
	}
}

func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		`labels.a == "b" && !has(labels.c)`, `["x", "y"].exists(p, labels["a b"].startsWith(p))`, `int(labels.code) in [1, -2] || size(ci.id) >= 3`,
		`annotations.a.matches("^(a|b)+$")`, `severity == "info" ? 1.5 : null`, `[[1], {}].all(x, x == b"y")`, `.a.b{c: 1}[0u](r'\d')`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, faults := (&parsing{}).compile(text)
		for _, fault := range faults {
			require.NotEmpty(t, fault.message)
			require.Positive(t, fault.line)
		}
		if len(faults) > 0 {
			return
		}
		require.NotNil(t, c)
		in := anInput(t)
		if c.holds(in) {
			require.True(t, matchAll(c.equalities(), in.Labels), "the index finds what holds")
		}
		require.LessOrEqual(t, c.root.estimate(), costLimit)
	})
}
