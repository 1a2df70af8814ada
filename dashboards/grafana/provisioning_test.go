package grafana

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// environment are the variables that the page on Grafana says to set.
func environment(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/grafana.md")
	require.NoError(t, err)
	var names []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(TOCSIN_[A-Z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	return names
}

func TestProvisioningAsksTheEnvironmentForWhatIsAPlacesOwn(t *testing.T) {
	var used []string
	for _, name := range []string{"provisioning/datasources/tocsin.yml", "provisioning/datasources/tocsin-server.yml.sample", "provisioning/dashboards/tocsin.yml"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotRegexp(t, `https?://|localhost|127\.`, string(text), name)
		for _, m := range regexp.MustCompile(`: \$([A-Z_]+)`).FindAllStringSubmatch(string(text), -1) {
			used = append(used, m[1])
		}
	}
	slices.Sort(used)
	require.ElementsMatch(t, environment(t), slices.Compact(used), "docs/grafana.md lists the variables")
}

func TestBothVariantsProvideTheSourcesThatBoardsLetOneChoose(t *testing.T) {
	for name, protocol := range map[string]string{"tocsin.yml": "http", "tocsin-server.yml.sample": "native"} {
		text, err := os.ReadFile(filepath.Join("provisioning/datasources", name))
		require.NoError(t, err)
		var f struct {
			APIVersion  int `yaml:"apiVersion"`
			Datasources []struct {
				UID, Type      string
				JSONData       map[string]any    `yaml:"jsonData"`
				SecureJSONData map[string]string `yaml:"secureJsonData"`
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &f))
		require.Equal(t, 1, f.APIVersion)
		require.Len(t, f.Datasources, 2)
		history, metrics := f.Datasources[0], f.Datasources[1]
		require.Equal(t, clickhousePlugin, history.Type)
		require.Equal(t, protocol, history.JSONData["protocol"])
		require.Equal(t, map[string]string{"password": "$TOCSIN_CLICKHOUSE_PASSWORD"}, history.SecureJSONData)
		require.NotContains(t, history.JSONData, "password", "a secret is never among what Grafana shows")
		require.Equal(t, prometheusPlugin, metrics.Type)
	}
}
