package cmdb

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func parse(t *testing.T, texts ...string) *Result {
	t.Helper()
	res, err := Parse(input(texts...))
	require.NoError(t, err)
	return res
}

func input(texts ...string) (in Input) {
	for i, text := range texts {
		in.Texts = append(in.Texts, Text{fmt.Sprintf("%c.txt", 'a'+i), []byte(text)})
	}
	return in
}

func refused(t *testing.T, want string, texts ...string) {
	t.Helper()
	res, err := Parse(input(texts...))
	require.EqualError(t, err, want)
	require.NotNil(t, res)
	require.Nil(t, res.CIs)
}

func TestTheFormatIsFoundOut(t *testing.T) {
	for text, want := range map[string]Format{
		"cis: [{id: a, class: host}]":                       Native,
		"- id: a\n  class: host\n":                          Native,
		`{"services": [{"id": "a"}]}`:                       Native,
		"\ufeff# a comment\n---\n---\nservices:\n- id: a\n": Native,
		`[{"class": "host", "id": "a"}]`:                    Native,
		"id,class\na,host\n":                                CSV,
		"\ufeffid;class\r\na;host\r\n":                      CSV,
		"id\tclass\na\thost\n":                              CSV,
		"- labels: {x: y}\n  targets: [a]":                  FileSD,
		"[{targets: [a]}]":                                  FileSD,
		`[{"targets": ["a"]}]`:                              FileSD,
		"kind: Node\napiVersion: v1\nmetadata: {name: a}":   Kubernetes,
		`{"items": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}]}`:             Kubernetes,
		"%YAML 1.1\n---\napiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: a}\n...\n": Backstage,
	} {
		in := input(text)
		in.Lenient = true // a list that is of no kind is no Kubernetes document
		res, err := Parse(in)
		require.NoError(t, err, text)
		require.Equal(t, want, res.Format, text)
	}
}

func TestWhatCannotBeToldIsRefused(t *testing.T) {
	refused(t, "there is nothing in what is to be imported")
	refused(t, "there is nothing in what is to be imported", "", "# nothing\n---\n")
	refused(t, "a.txt: cannot tell the format; name it: native, csv, file_sd, kubernetes, backstage", "colour: red")
	refused(t, "a.txt:2:2: not JSON: unexpected end of JSON input", `{"cis": [{}`+"\n ")
	refused(t, "b.txt: this is csv, but a.txt is native; import them apart", "cis: [{id: a, class: b}]", "id,class\na,b\n")
	refused(t, "a.txt: not UTF-8; save it as UTF-8", "id,class\n\xff\xfe,b\n")
	_, err := Parse(Input{Format: "xml"})
	require.EqualError(t, err, "no format xml; known here: native, csv, file_sd, kubernetes, backstage")
}

func TestAFormatThatIsNamedIsNotGuessed(t *testing.T) {
	in := input("cis: [{id: a, class: b}]")
	in.Format = FileSD
	_, err := Parse(in)
	require.EqualError(t, err, "a.txt:1:1: must be a list of groups with targets and labels")
}

func TestProblemsAreCountedBeyondThoseThatAreKept(t *testing.T) {
	for name, text := range map[string]string{
		"yaml": "cis:\n" + strings.Repeat("- id: x\n", 250),
		"json": `{"cis": [` + strings.Repeat("{\"id\": \"x\"},\n", 249) + `{"id": "x"}]}`,
		"csv":  "id,class\n" + strings.Repeat("x,\n", 250),
	} {
		res, err := Parse(input(text))
		require.ErrorContains(t, err, "\nand 150 more problems", name)
		require.Len(t, res.Problems.First, MaxProblems, name)
		require.Equal(t, 250, res.Problems.Total, name)
	}
}

func TestSizesAreBounded(t *testing.T) {
	refused(t, "the input must be at most 64MiB (got 67108865 bytes); import it in several calls",
		"id,class\n", strings.Repeat(" ", MaxBytes-8))
	long := strings.Repeat("x", maxPart)
	refused(t, "a.txt:2: an item must be at most 4MiB", "cis:\n- id: "+long+"\n")
	refused(t, "a.txt:1: a document that is no list must be at most 4MiB; write its list one item below the other, without anchors, or write JSON",
		"---\ncis: [{id: "+long+"}]\n")
	refused(t, "a.txt:2: an item must hold at most 1048576 values", "{\"cis\": [\n{\"id\": ["+strings.Repeat("0,", maxValues)+"0]}]}")
	refused(t, `a.txt:1:12: id: must be at most 512 bytes (got "`+strings.Repeat("x", 80)+`…")`, "cis: [{id: "+strings.Repeat("x", 513)+", class: host}]")
	refused(t, `a.txt:1:31: x: must be at most 4096 bytes (got "`+strings.Repeat("y", 80)+`…")`,
		"cis: [{id: a, attributes: {x: "+strings.Repeat("y", 4097)+"}, class: host}]")
}

func TestAnAliasBombIsRefusedInsteadOfExpanded(t *testing.T) {
	const message = "aliases multiply this file's values too often; write some of them out"
	bomb := "kind: List\napiVersion: v1\nitems:\n- &r {apiVersion: v1, kind: Secret, data: [" + strings.Repeat("x,", 400) + "x]}\n" +
		strings.Repeat("- *r\n", 4000)
	_, err := Parse(input(bomb))
	require.ErrorContains(t, err, message)
	refused(t, "a.txt:1: "+message, "cis: &x [*x]")
}

func TestAClusterIsPutBeforeItsObjects(t *testing.T) {
	in := input("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: n}")
	in.Cluster = "eu-1"
	res, err := Parse(in)
	require.NoError(t, err)
	require.Equal(t, []event.CI{{ID: "eu-1/default/pod/a", Class: "pod", Name: "a",
		Attributes: event.Labels{{Name: "cluster", Value: "eu-1"}, {Name: "namespace", Value: "default"}},
		Relations:  []event.Relation{{Kind: event.HostedOn, To: "eu-1/node/n"}}}}, res.CIs)
}

func TestSelectorsThatRelateAllWithAllAreStopped(t *testing.T) {
	var b strings.Builder
	for i := range 1100 {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {selector: {a: b}}\n", i)
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, labels: {a: b}}\n", i)
	}
	refused(t, "selectors pick too many objects out of too many; import one namespace at a time", b.String())
}

func TestTheTextsAreNotWrittenTo(t *testing.T) {
	text := []byte(`{"cis": [{"id": "\u0061\n", "class": "x"}, {"id": "\u0062", "class": "x"}]}`)
	before := bytes.Clone(text)
	_, _ = Parse(Input{Texts: []Text{{"a", text}}})
	require.Equal(t, string(before), string(text))
}

func TestJSONPlacesCountCharactersBehindEscapes(t *testing.T) {
	refused(t, "a.txt:2:48: x: unknown key; known here: id, class, name, state, needs, valid_from, attributes, depends_on, hosted_on, part_of, connects_to, backs_up",
		"{\"cis\": [\n{\"id\": \"\\u00e4\\\\\", \"class\": \"ä\", \"name\": \"b\",  \"x\": 1}]}")
}

func TestListsEndWhereYAMLEndsThem(t *testing.T) {
	res := parse(t, "# cis:\ncis: # all\n\n    # first\n    - id: a\n      class: x\n      attributes:\n        text: |\n          cis:\n          - id: no\n"+
		"\n    -\n      id: b\n      class: x\n    -   {id: c,\n         class: x}\nservices:\r\n- id: s\r\n\r\n---\ncis:\n- id: d\n  class: x\n# end")
	ids := make([]string, 0, len(res.CIs))
	for _, ci := range res.CIs {
		ids = append(ids, ci.ID)
	}
	require.Equal(t, []string{"a", "b", "c", "d", "s"}, ids)
	require.Equal(t, "cis:\n- id: no\n", res.CIs[0].Attributes.Get("text"))
}

func TestAnExportIsReadAsItWas(t *testing.T) {
	cis := []event.CI{
		{ID: "- a: b", Class: "null", Name: "yes", State: event.CIDiscovered, Needs: 65535, ValidFrom: 1_795_248_000_123},
		{ID: "0", Class: "1.5", Name: "007", State: event.CIRetired, Attributes: event.Labels{{Name: "#x", Value: "a\tb\n\u2028\ufeff\"\\"}, {Name: "x: y", Value: " "}}},
		{ID: "a:b", Class: "x", Relations: []event.Relation{{Kind: event.DependsOn, To: "[x]"}, {Kind: event.BacksUp, To: "a, b"}, {Kind: event.BacksUp, To: "~"}}},
		{ID: "shop", Class: event.ServiceClass, Name: "Laden für alle", State: event.CIOrdered,
			Attributes: event.Labels{{Name: "criticality", Value: "1"}, {Name: "owner", Value: "null"}, {Name: "users", Value: "0"}, {Name: "zone", Value: "true"}}},
	}
	var out bytes.Buffer
	require.NoError(t, Write(&out, slices.Values(cis)))
	res := parse(t, out.String())
	require.Equal(t, cis, res.CIs)

	var again bytes.Buffer
	require.NoError(t, Write(&again, slices.Values(res.CIs)))
	require.Equal(t, out.String(), again.String())
}

func TestAnEmptyExportIsNative(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Write(&out, slices.Values([]event.CI{})))
	require.Empty(t, parse(t, out.String()).CIs)
}

func TestAnExportThatCannotBeWrittenSaysSo(t *testing.T) {
	require.ErrorIs(t, Write(fullDisk{}, slices.Values(estate()[:1])), errFull)
}

type fullDisk struct{}

type constError string

func (e constError) Error() string { return string(e) }

const errFull constError = "disk full"

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestReadingStopsWhereNobodyWantsToKnowTheRest(t *testing.T) {
	res, err := Parse(input(`{"cis": [` + strings.Repeat("0,", 2*maxCounted) + "0]}"))
	require.Error(t, err)
	require.Equal(t, maxCounted, res.Problems.Total)
}
