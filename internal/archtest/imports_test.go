package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const everything = "*"

// layers is the architecture's table: a folder, with all below it, and the folders it knows. Knowing is passed on:
// who knows correlate knows rules and event. The packages below internal are open to all, but for peers.
func layers() map[string][]string {
	return map[string][]string{
		"event":      {},
		"rules":      {"event"},
		"itsm":       {"event"},
		"correlate":  {"event", "rules", "itsm", "correlate/pairs"},
		"journal":    {},
		"engine":     {"correlate", "itsm", "journal"},
		"ingest":     {"event", "engine"},
		"history":    {"event", "rules"}, // rules for its strict reader of files
		"notify":     {"itsm", "rules"},  // rules for its strict reader of files
		"search":     {"event"},
		"api":        {"engine", "history", "search"},
		"dashboards": {"api"},
		"simulate":   {"event"},
		"evaluate":   {"correlate", "ingest", "simulate", "simulate/scenario"}, // scenarios against the real pipeline; no part of the daemon
		"rulecheck":  {"engine", "evaluate", "simulate/scenario"},              // rules on made-up alerts and on journals; no part of the daemon
		"deploy":     {},
		"app":        {everything},
		"cmd":        {"app"},
		"test":       {everything}, // programs that measure and compare; nothing ships from it

		"correlate/pairs":   {}, // hashes and slots; no events
		"simulate/scenario": {"event"},

		"internal":       {"event", "rules"}, // helpers of the shells
		"internal/flat":  {},
		"internal/peers": {},
	}
}

// row returns the table's longest entry that holds the folder.
func row(table map[string][]string, folder string) (string, bool) {
	for at := folder; ; {
		if _, ok := table[at]; ok {
			return at, true
		}
		cut := strings.LastIndexByte(at, '/')
		if cut < 0 {
			return "", false
		}
		at = at[:cut]
	}
}

// knows reports whether the row from may import the row to, directly or through what it knows.
func knows(table map[string][]string, from, to string) bool {
	switch {
	case from == to || slices.Contains(table[from], everything):
		return true
	case to == "internal/peers":
		return false
	case to == "internal" || strings.HasPrefix(to, "internal/"):
		return true
	}
	return slices.ContainsFunc(table[from], func(next string) bool { return knows(table, next, to) })
}

// importFindings checks the imports of every package, by folder.
func importFindings(table, imports map[string][]string) []string {
	var found []string
	for from, to := range imports {
		fromRow, ok := row(table, from)
		if !ok {
			found = append(found, from+": not in the table of layers; add its row there and to the architecture page")
			continue
		}
		for _, target := range to {
			toRow, ok := row(table, target)
			if ok && !knows(table, fromRow, toRow) {
				found = append(found, fmt.Sprintf("%s imports %s: %s knows only %v", from, target, fromRow, table[fromRow]))
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestImportsPointDownwards(t *testing.T) {
	imports := map[string][]string{}
	for _, l := range list(t, "-e", "./...") {
		imports[l.folder()] = nil
		for _, to := range l.Imports {
			if ours(to) {
				imports[l.folder()] = append(imports[l.folder()], folder(to))
			}
		}
	}
	require.Contains(t, imports, "internal/archtest")
	require.Empty(t, importFindings(layers(), imports))
}

func TestAnImportUpwardsIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		from, to string
		found    string
	}{
		"what the table says":        {"rules/strict", "event", ""},
		"what a known folder knows":  {"engine", "event", ""},
		"inside a folder":            {"ingest/webhook", "ingest", ""},
		"the wiring imports all":     {"app", "history/chdb", ""},
		"api may query the history":  {"api", "history", ""},
		"a helper":                   {"engine", "internal/flat", ""},
		"upwards":                    {"event", "rules", "event imports rules: event knows only []"},
		"two shells":                 {"ingest/kafka", "notify", "ingest/kafka imports notify: ingest knows only [event engine]"},
		"history and api":            {"history", "api", "history imports api: history knows only [event rules]"},
		"a test helper that ships":   {"engine", "internal/peers", "engine imports internal/peers: engine knows only [correlate itsm journal]"},
		"a helper's helper":          {"internal/labelset", "internal/flat", ""},
		"a helper that knows better": {"internal/flat", "event", "internal/flat imports event: internal/flat knows only []"},
		"an unknown folder":          {"util", "event", "util: not in the table of layers; add its row there and to the architecture page"},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			if test.found != "" {
				want = []string{test.found}
			}
			require.Equal(t, want, importFindings(layers(), map[string][]string{test.from: {test.to}}))
		})
	}
}
