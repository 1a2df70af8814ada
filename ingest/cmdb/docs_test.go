package cmdb

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/cmdb-import.md")
	require.NoError(t, err)
	return string(text)
}

// section returns what stands below the heading of a format.
func section(t *testing.T, page string, format Format) string {
	t.Helper()
	_, text, ok := strings.Cut(page, "\n## "+string(format)+"\n")
	require.True(t, ok, "no heading for %s", format)
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

func TestThePagesExamplesAreRead(t *testing.T) {
	for _, format := range Formats() {
		examples := regexp.MustCompile("(?s)```(?:yaml|json|csv)\n(.*?)```").FindAllStringSubmatch(section(t, page(t), format), -1)
		require.NotEmpty(t, examples, format)
		var in Input
		for _, example := range examples {
			in.Texts = append(in.Texts, Text{"example", []byte(example[1])})
		}
		res, err := Parse(in)
		require.NoError(t, err)
		require.Equal(t, format, res.Format)
		require.NotEmpty(t, res.CIs)
	}
}

func TestThePageListsEveryKeyAndWordOfTheSchema(t *testing.T) {
	native := section(t, page(t), Native)
	var stated []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(native, -1) {
		stated = append(stated, row[1])
	}
	n := newNative(newCall(Input{}))
	var keys []string
	for _, f := range n.serviceFields() {
		keys = append(keys, f.Key)
	}
	require.ElementsMatch(t, keys, stated)
	for _, state := range event.CIStates() {
		require.Contains(t, native, "`"+state+"`")
	}
}

func TestThePagesErrorIsTheRealOne(t *testing.T) {
	_, err := Parse(Input{Texts: []Text{{"cmdb.yml", []byte("cis:\n  - id: a\n    class: host\n    stat: live\n")}}})
	require.ErrorContains(t, err, `cmdb.yml:4:5: stat: unknown key; did you mean "state"?`)
	require.Contains(t, page(t), "`"+err.Error()+"`")
}

func TestThePagesIDsAreTheRealOnes(t *testing.T) {
	for format, ids := range map[Format][]string{
		FileSD:     {"cluster/shop-eu", "db-1.example.org", "db-1.example.org:9100", "db-1.example.org:9187"},
		Kubernetes: {"shop/deployment/web", "shop/service/web"},
		Backstage:  {"component:default/checkout"},
	} {
		example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(section(t, page(t), format))[1]
		var got []string
		for _, ci := range parse(t, example).CIs {
			got = append(got, ci.ID)
		}
		require.Equal(t, ids, got)
	}
}

func TestTheExamplesAreRead(t *testing.T) {
	for _, c := range []struct {
		format Format
		files  []string
	}{
		{Native, []string{"cmdb.yml"}},
		{CSV, []string{"cis.csv", "relations.csv"}},
		{FileSD, []string{"file_sd.json"}},
		{Kubernetes, []string{"kubernetes.yml"}},
		{Backstage, []string{"catalog-info.yaml"}},
	} {
		var in Input
		for _, name := range c.files {
			text, err := os.ReadFile(filepath.Join("../../examples/cmdb", name))
			require.NoError(t, err)
			in.Texts = append(in.Texts, Text{name, text})
		}
		res, err := Parse(in)
		require.NoError(t, err)
		require.Equal(t, c.format, res.Format)
		require.Greater(t, len(res.CIs), 2, c.format)
	}
}
