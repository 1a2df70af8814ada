package strict

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestSizesAreReadAndWrittenWithTheirUnit(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "512": 512, "512B": 512, "4KiB": 4096, "4kB": 4000, "4KB": 4000, "1MiB": 1 << 20, "50GB": 50e9, "50 GB": 50e9,
		"3TiB": 3 << 40, "8EB": -1, "4mib": -1, "-1": -1, "": -1, "GB": -1, "1.5GiB": -1, "9999999999GiB": -1, "4i": -1,
	} {
		var got int64
		problems := Read("f", []byte("'"+text+"'"), Size(&got, 0, math.MaxInt64))
		if want < 0 {
			require.Len(t, problems, 1, text)
			continue
		}
		require.Empty(t, problems, text)
		require.Equal(t, want, got, text)
	}
	for want, v := range map[string]int64{"0B": 0, "512B": 512, "4KiB": 4096, "50GB": 50e9, "1TiB": 1 << 40, "1001B": 1001, "3kB": 3000} {
		require.Equal(t, want, FormatSize(v))
		again, err := parseSize(want)
		require.NoError(t, err)
		require.Equal(t, v, again)
	}
}

func TestAnEmptyFileLeavesEverythingAsItWas(t *testing.T) {
	d := 5 * time.Second
	for _, text := range []string{"", "# only a comment\n", "~", "x:\n"} {
		value := Mapping(Field{Key: "x", Value: Mapping(Field{Key: "y", Value: Duration(&d, 1, 0, time.Hour)})})
		require.Empty(t, Read("f", []byte(text), value), "%q", text)
	}
	require.Equal(t, 5*time.Second, d)
}

func TestAliasesAreFollowed(t *testing.T) {
	var a, b []string
	item := func(s *string) Value { return Text(s) }
	problems := Read("f", []byte("a: &l [x, y]\nb: *l\n"), Mapping(Field{Key: "a", Value: List(&a, item)}, Field{Key: "b", Value: List(&b, item)}))
	require.Empty(t, problems)
	require.Equal(t, []string{"x", "y"}, b)
	require.Equal(t, a, b)
}

func TestASecretIsNotRepeatedInTheMessage(t *testing.T) {
	problems := Read("f", []byte("hunter2"), Secret(func(string) error { return errBad }))
	require.EqualError(t, problems.Err(), "f:1:1: bad")
	problems = Read("f", []byte("hunter2"), Scalar(func(string) error { return errBad }))
	require.EqualError(t, problems.Err(), `f:1:1: bad (got "hunter2")`)
}

type constError string

func (e constError) Error() string { return string(e) }

const errBad constError = "bad"

func TestDistanceCountsInsertionsDeletionsReplacementsAndSwaps(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "ab", 0}, {"ab", "ba", 1}, {"tiemout", "timeout", 1}, {"window", "widow", 1}, {"abc", "xyz", 3}} {
		require.Equal(t, c.want, distance(c.a, c.b), "%s %s", c.a, c.b)
		require.Equal(t, c.want, distance(c.b, c.a), "%s %s", c.b, c.a)
	}
}

func TestAFileThatIsNoUTF8SaysWhereItIsNot(t *testing.T) {
	any := Mapping()
	for text, want := range map[string]string{
		"a: b\nc: ü\xffd\n":  "f:2:5: is not UTF-8; write the file as UTF-8",
		"\xff\xfea\x00:\x00": "f: is UTF-16; write it as UTF-8",
		"a:\n\tb: c\n":       "f:2:1: not YAML: found character that cannot start any token; YAML takes no tabs: indent with blanks",
		"a: [x].y\n":         "f:1: not YAML: did not find expected key; a text that begins with [",
		"a: b: c\n":          "f:1: not YAML: mapping values are not allowed in this context; a text with a colon",
	} {
		require.ErrorContains(t, Read("f", []byte(text), any).Err(), want, text)
	}
}

func TestAWordIsHeldAgainstThoseThatAreNear(t *testing.T) {
	known := []string{"has", "ci", "startsWith", "join", "value"}
	for word, want := range map[string]string{
		"map": "", "x": "", "ha": `did you mean "has"?`, "hsa": `did you mean "has"?`, "joined": `did you mean "join"?`, "start": `did you mean "startsWith"?`,
		"vlaue": `did you mean "value"?`, "nothing": "",
	} {
		require.Equal(t, want, near(word, known), word)
	}
	var s string
	require.EqualError(t, Read("f", []byte("joins"), OneOf(&s, "join", "keep_apart")).Err(), `f:1:1: must be one of join, keep_apart (got "joins"); did you mean "join"?`)
}

func TestAPlaceLeavesOutWhatIsNotKnown(t *testing.T) {
	require.Equal(t, "f", Place{File: "f"}.String())
	require.Equal(t, "f:3", Place{File: "f", Line: 3}.String())
	require.Equal(t, "f:3:4", Place{"f", 3, 4}.String())
	require.Equal(t, "message", Problem{Message: "message"}.String())
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a: &x [1, 2]\nb: {c: *x, d: 5m}\n"))
	f.Add([]byte("&x [*x]"))
	f.Add([]byte("a: &x\n  b: *x\n"))
	f.Add([]byte("? [a]\n: b\n"))
	f.Add([]byte("!!binary x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var list []string
		var d time.Duration
		b := Mapping(
			Field{Key: "c", Value: List(&list, func(s *string) Value { return Word(s) })},
			Field{Key: "d", Value: Duration(&d, 1, time.Second, time.Hour), Required: true})
		value := Mapping(Field{Key: "a", Value: List(&list, func(s *string) Value { return Text(s) })}, Field{Key: "b", Value: b},
			Field{Key: "e", Value: Pairs(func(string) Value { return b })})
		problems := Read("f", text, value)
		if d != 0 {
			require.GreaterOrEqual(t, d, time.Second)
		}
		if len(problems) == 0 {
			var doc yaml.Node
			require.NoError(t, yaml.Unmarshal(text, &doc), "what is accepted is YAML")
		}
	})
}
