package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func reference(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	return string(b)
}

func TestTheReferenceListsEveryKeyWithItsDefault(t *testing.T) {
	stated := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+?) \\|").FindAllStringSubmatch(reference(t), -1) {
		stated[row[1]] = strings.Trim(row[2], "`")
	}
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(Default().Redacted(), &doc))
	paths := structPaths(reflect.TypeFor[Config](), "")
	for _, path := range paths {
		require.Contains(t, stated, path)
		if !strings.Contains(path, "[]") {
			require.Equal(t, defaultText(t, doc, path), stated[path], path)
		}
	}
	for path := range stated {
		require.True(t, slices.Contains(paths, path), "the reference has %s, the file has not", path)
	}
}

// defaultText writes the default value of path as the reference does.
func defaultText(t *testing.T, doc map[string]any, path string) string {
	t.Helper()
	var v any = doc
	for key := range strings.SplitSeq(path, ".") {
		v = v.(map[string]any)[key]
	}
	text, err := yaml.Marshal(v)
	require.NoError(t, err)
	if s := strings.TrimSpace(string(text)); s != `""` && s != "[]" {
		return s
	}
	return "–"
}

func TestTheReferencesExamplesParse(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(reference(t), -1)
	require.Len(t, blocks, 3)
	for _, b := range blocks {
		_, err := Load(write(t, t.TempDir(), "tocsin.yml", b[1]))
		require.NoError(t, err)
	}
}

func TestTheReferencesErrorIsTheRealOne(t *testing.T) {
	example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(reference(t))[1]
	broken := strings.Replace(example, "4MiB", "1B", 1)
	_, err := Load(write(t, t.TempDir(), "tocsin.yml", broken))
	require.ErrorContains(t, err, `tocsin.yml:5:15: body_bytes: must be at least 1KiB (got "1B")`)
}
