package rules

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

func reference(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../docs/rules.md")
	require.NoError(t, err)
	return string(b)
}

// settingKeys lists the keys that Parse takes.
func settingKeys() (keys []string) {
	(&Settings{}).fields(func(key string, v strict.Value) strict.Value {
		keys = append(keys, key)
		return v
	})
	return keys
}

func TestTheReferenceListsEverySettingWithTheShippedDefault(t *testing.T) {
	var shipped struct{ Settings map[string]any }
	require.NoError(t, yaml.Unmarshal(defaultRules, &shipped))
	_, table, _ := strings.Cut(reference(t), "## Settings")
	stated := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		stated[row[1]] = row[2]
	}
	keys := settingKeys()
	require.Len(t, stated, len(keys))
	for _, key := range keys {
		var value any = shipped.Settings
		for part := range strings.SplitSeq(key, ".") {
			value = value.(map[string]any)[part]
		}
		text, err := yaml.Marshal(value)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(text)), stated[key], key)
	}
}

func TestTheReferencesExampleParsesAndItsErrorIsTheRealOne(t *testing.T) {
	example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(reference(t))[1]
	s := mustParse(t, example)
	require.Equal(t, "database cluster", s.Grouping[0].Name)
	require.Len(t, s.Inhibit, 1)
	_, err := Parse([]File{{Name: "rules/db.yml", Text: []byte("\n\n\ngrouping:\n  - name: x\n    group_by: []\n\n    window: 0s")}})
	require.EqualError(t, err, `rules/db.yml:8:13: window: must be at least 1s, or open (got "0s")`)
}
