package grafana

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// promtool runs Prometheus' own checker. A laptop may lack it, the pipeline may not.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		message := "PEER MISSING: promtool: run `make deps`"
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("alerts/tocsin.yml")
	require.NoError(t, err)
	var f ruleFile
	require.NoError(t, yaml.Unmarshal(text, &f))
	var all []rule
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func TestAlertRulesRingForWhatTheyAreThereFor(t *testing.T) {
	promtool(t, "check", "rules", "alerts/tocsin.yml")
	promtool(t, "test", "rules", "alerts/tocsin_test.yml")
	text, err := os.ReadFile("alerts/tocsin_test.yml")
	require.NoError(t, err)
	for _, r := range rules(t) {
		require.Regexp(t, `alertname(: |=\\?")`+r.Alert+`\b`, string(text), "no test makes %s ring", r.Alert)
	}
}

func TestAnAlertSaysWhatIsWrongAndWhereHelpIs(t *testing.T) {
	place := regexp.MustCompile(`^https://github\.com/tocsin-noc/tocsin/blob/main/(docs/[a-z-]+\.md)#([a-z0-9-]+)$`)
	for _, r := range rules(t) {
		require.Contains(t, []string{"critical", "warning", "none"}, r.Labels["severity"], r.Alert)
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.Greater(t, len(r.Annotations["description"]), 40, r.Alert)
		m := place.FindStringSubmatch(r.Annotations["runbook_url"])
		require.NotNil(t, m, "%s: %s", r.Alert, r.Annotations["runbook_url"])
		require.Contains(t, anchors(t, m[1]), m[2], "%s: no such heading in %s", r.Alert, m[1])
	}
}

// anchors are those of a page's headings.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", page))
	require.NoError(t, err)
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
		plain := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

// Each expression of the boards becomes a rule, which Prometheus' own parser reads.
func TestPrometheusReadsEveryExpressionOfTheBoards(t *testing.T) {
	variables := strings.NewReplacer("$__rate_interval", "1m", "$job", "tocsin", "$instance", ".+")
	var all []rule
	for _, b := range Boards() {
		for _, p := range b.Panels() {
			for _, m := range p.Metrics {
				expr := variables.Replace(m.Expr)
				require.NotContains(t, expr, "$", p.Title)
				all = append(all, rule{Record: "board:expression", Expr: expr, Labels: map[string]string{"number": string(rune('A'+len(all)%26)) + p.Title}})
			}
		}
	}
	require.Greater(t, len(all), 50)
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "boards", "rules": all}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "boards.yml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	promtool(t, "check", "rules", path)
}
