package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lines returns Check's findings without the directory.
func lines(dir string, found []Problem) (out []string) {
	for _, p := range found {
		out = append(out, strings.ReplaceAll(p.String(), dir+string(filepath.Separator), ""))
	}
	return out
}

func TestCheckReportsConfigurationAndRulesTogether(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "rules"), 0o700))
	write(t, dir, "rules/b.yml", "settings: {resolve_hold: 2d}\n")
	write(t, dir, "rules/a.yml", "setings: {}\n")
	path := write(t, dir, "tocsin.yml", "listen: :9595\nrule_files: [rules/*.yml, more/*.yml, rules/a.yml]\nlimits: {body_bytes: 1}\n")
	found := Check(path)
	require.Equal(t, []string{
		`tocsin.yml:3:22: body_bytes: must be at least 1KiB (got "1")`,
		`tocsin.yml: ` + ErrExposed.Error(),
		`warning: more/*.yml: rule_files: matches no file`,
		`rules/a.yml:1:1: setings: unknown key; did you mean "settings"?`,
		`rules/b.yml:1:26: resolve_hold: must be at most 1d (got "2d")`,
	}, lines(dir, found))
}

func TestCheckWarnsAboutRulesThatLookWrong(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "rules.yml", "inhibit_rules: [{source_matchers: [a=b]}]\n")
	found := Check(write(t, dir, "tocsin.yml", "rule_files: [rules.yml]\n"))
	require.Equal(t, []string{"warning: rules.yml:1:17: inhibit_rules: an inhibition rule without source or target matchers matches every alert on that side"},
		lines(dir, found))
	require.True(t, found[0].Warning)
}

func TestRuleFilesAreReadOnceInTheOrderOfTheirNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "b.yml", "b")
	write(t, dir, "a.yml", "a")
	c, err := Load(write(t, dir, "tocsin.yaml", "rule_files: [b.yml, '*.yml']\n"))
	require.NoError(t, err)
	files, warnings, err := c.ReadRules()
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Len(t, files, 2)
	require.Equal(t, "ab", string(files[0].Text)+string(files[1].Text))
	require.Equal(t, filepath.ToSlash(filepath.Join(dir, "a.yml")), files[0].Name)
}

func TestARuleFileThatCannotBeReadIsAnError(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "rules.yml"), 0o700))
	path := write(t, dir, "tocsin.yml", "rule_files: [rules.yml]\n")
	c, err := Load(path)
	require.NoError(t, err)
	_, _, err = c.ReadRules()
	require.ErrorContains(t, err, "config: rule_files: read")
	require.Len(t, Check(path), 1)
}
