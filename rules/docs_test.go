package rules

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const referenceFile = "../docs/rules.md"

func referenceText(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(referenceFile)
	require.NoError(t, err)
	return string(b)
}

// rows writes the lines of a table for keys, and for those in them.
func rows(b *strings.Builder, prefix string, keys []key) {
	for _, k := range keys {
		if k.kind == "mapping" && k.keys != nil {
			rows(b, prefix+k.name+".", k.keys)
			continue
		}
		standard := "–"
		switch {
		case k.required:
			standard = "*required*"
		case k.otherwise != "":
			standard = k.otherwise
		case k.standard != "":
			standard = "`" + k.standard + "`"
		}
		takes := k.kind
		if k.values != "" {
			takes += ": " + k.values
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", prefix, k.name, standard, takes, k.help)
		if k.kind != "list of rules" {
			rows(b, prefix+k.name+".", k.keys)
		}
	}
}

// referenceTables returns the reference's tables by the section they are of; file is that of the sections.
func referenceTables(t *testing.T) map[string]string {
	s := mustParse(t)
	top := s.keys(&parsing{})
	tables := map[string]string{}
	var file strings.Builder
	file.WriteString("| key | takes | |\n|---|---|---|\n")
	for _, k := range top {
		takes := k.kind
		fmt.Fprintf(&file, "| `%s` | %s | %s |\n", k.name, takes, k.help)
		if k.keys != nil {
			var b strings.Builder
			b.WriteString("| key | default | takes | |\n|---|---|---|---|\n")
			rows(&b, "", k.keys)
			tables[k.name] = b.String()
		}
	}
	tables["file"] = file.String()
	return tables
}

func TestTheReferenceSaysWhatTheProgramReads(t *testing.T) {
	tables := referenceTables(t)
	text := referenceText(t)
	block := regexp.MustCompile(`(?s)<!-- reference: (\w+) -->\n.*?<!-- end -->\n`)
	made := block.ReplaceAllStringFunc(text, func(old string) string {
		name := block.FindStringSubmatch(old)[1]
		table, known := tables[name]
		require.True(t, known, "a table for %q", name)
		delete(tables, name)
		return "<!-- reference: " + name + " -->\n" + table + "<!-- end -->\n"
	})
	require.Empty(t, tables, "each table stands in the reference")
	if *update {
		require.NoError(t, os.WriteFile(referenceFile, []byte(made), 0o644))
		return
	}
	same := made == text // a difference would fill the screen
	require.True(t, same, "the reference is not what the program reads; write it anew: go test ./rules -run Reference -update")
}

func TestEveryKeyIsExplained(t *testing.T) {
	var walk func(prefix string, keys []key)
	walk = func(prefix string, keys []key) {
		for _, k := range keys {
			require.NotEmpty(t, k.kind, prefix+k.name)
			require.NotEmpty(t, k.help, prefix+k.name)
			require.NotContains(t, k.help, "|", "it would end a cell of the table")
			walk(prefix+k.name+".", k.keys)
		}
	}
	walk("", new(Set).keys(&parsing{}))
}

func TestTheReferencesExamplesParseAndItsErrorIsTheRealOne(t *testing.T) {
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(referenceText(t), -1)
	require.Greater(t, len(examples), 8)
	s := mustParse(t, examples[0][1])
	require.Equal(t, "database cluster", s.Grouping[0].Name)
	require.Len(t, s.Inhibit, 1)
	for _, example := range examples {
		require.Empty(t, mustParse(t, example[1]).Warnings)
	}
	_, err := Parse([]File{{Name: "rules/db.yml", Text: []byte("\n\n\ngrouping:\n  - name: x\n    group_by: []\n\n    window: 0s")}})
	require.EqualError(t, err, `rules/db.yml:8:13: window: must be at least 1s, or open (got "0s")`)
}
