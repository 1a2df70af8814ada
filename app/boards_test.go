package app

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/dashboards/grafana"
	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/projection"
)

// registered are the metrics of a daemon with everything in it, each with its labels.
func registered(t *testing.T) map[string][]string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "tocsin.yml")
	// Nothing answers at that broker; the consumer's metrics are there all the same. The history's are registered below, on the real engine.
	require.NoError(t, os.WriteFile(config, []byte("history: {url: none}\nkafka:\n- name: bus\n  brokers: ['127.0.0.1:1']\n  group: tocsin\n  topics: [{topic: alerts, format: tocsin}]\n"), 0o600))
	a, err := New(Options{ConfigFile: config, Data: t.TempDir(), Listen: "127.0.0.1:0", Version: "test", Stdout: io.Discard, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	history := prometheus.NewRegistry()
	chdbtest.New(t, chdb.Options{Dir: t.TempDir(), Registerer: history})
	projection.New(projection.Options{Registerer: history})

	require.Eventually(t, func() bool { return described(t, a.registry)["tocsin_search_faults_total"] != nil }, 10*time.Second, 10*time.Millisecond,
		"the search is opened when the daemon runs")
	names := described(t, a.registry, history)
	names["up"] = []string{} // Prometheus' own
	require.Greater(t, len(names), 60)
	return names
}

// described are the metrics of registries, each with its labels; those that have no value yet are among them.
func described(t *testing.T, registries ...*prometheus.Registry) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	text := regexp.MustCompile(`^Desc\{fqName: "(\w+)", .* constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	for _, registry := range registries {
		all := make(chan *prometheus.Desc)
		go func() {
			registry.Describe(all)
			close(all)
		}()
		for d := range all {
			m := text.FindStringSubmatch(d.String())
			require.NotNil(t, m, d.String())
			for pair := range strings.SplitSeq(m[2], ",") {
				name, _, _ := strings.Cut(pair, "=")
				names[m[1]] = append(names[m[1]], name)
			}
			names[m[1]] = append(names[m[1]], strings.Split(m[3], ",")...)
		}
	}
	return names
}

// asked are the expressions of the boards and of the alert rules, by where they stand.
func asked(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, b := range grafana.Boards() {
		for _, p := range b.Panels() {
			for _, m := range p.Metrics {
				all[b.Title+": "+p.Title+": "+m.Legend] = m.Expr
			}
		}
	}
	text, err := os.ReadFile("../dashboards/grafana/alerts/tocsin.yml")
	require.NoError(t, err)
	var f struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &f))
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r.Expr
		}
	}
	require.Greater(t, len(all), 80)
	return all
}

func TestBoardsAndAlertsAskForMetricsThatTheDaemonHas(t *testing.T) {
	names := registered(t)
	metric := regexp.MustCompile(`\b((?:tocsin|go|process)_\w+|up)\b(?:\{([^}]*)\})?`)
	matcher := regexp.MustCompile(`(\w+)\s*[=!]~?`)
	grouped := regexp.MustCompile(`\bby \(([^)]*)\)`)
	for where, expr := range asked(t) {
		var labels []string // of all metrics in the expression
		for _, m := range metric.FindAllStringSubmatch(expr, -1) {
			name := m[1]
			of, ok := names[name]
			if bare, cut := strings.CutSuffix(name, "_bucket"); cut && !ok {
				of, ok = names[bare]
				of = append(slices.Clone(of), "le")
			}
			require.True(t, ok, "%s: the daemon has no metric %s", where, name)
			of = append(slices.Clone(of), "job", "instance") // Prometheus' own
			labels = append(labels, of...)
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				require.Contains(t, of, l[1], "%s: %s has no such label", where, name)
			}
		}
		require.NotEmpty(t, labels, "%s: no metric in %s", where, expr)
		for _, g := range grouped.FindAllStringSubmatch(expr, -1) {
			for l := range strings.SplitSeq(g[1], ",") {
				require.Contains(t, labels, strings.TrimSpace(l), "%s: no such label", where)
			}
		}
	}
}

// What the daemon shows is worth a look on the board, or is listed here with the reason why not.
func TestEveryMetricOfTheDaemonIsOnTheBoard(t *testing.T) {
	unasked := map[string]string{
		"tocsin_api_streams_max":                       "a setting",
		"tocsin_app_heartbeat_taken_timestamp_seconds": "for who asks since when",
		"tocsin_engine_inputs_bytes_total":             "the journal's bytes are shown",
		"tocsin_engine_start_replayed_inputs":          "for the runbook of a slow start",
		"tocsin_engine_views_total":                    "for measurements",
		"tocsin_history_batch_seconds":                 "for measurements",
		"tocsin_ingest_seen_sources":                   "for measurements",
		"tocsin_ingest_seen_sources_capacity":          "a setting",
		"tocsin_journal_commits_total":                 "the engine's are shown",
		"tocsin_journal_first_seq":                     "tocsin status says it",
		"tocsin_journal_last_seq":                      "tocsin status says it",
		"tocsin_journal_records_total":                 "the engine's are shown",
		"tocsin_journal_segments":                      "the bytes are shown",
		"tocsin_kafka_alerts_total":                    "the sources' events are shown",
		"tocsin_kafka_commit_errors_total":             "a later one makes up for it",
		"tocsin_kafka_last_contact_timestamp_seconds":  "the lag grows with it",
		"tocsin_kafka_messages_total":                  "the lag is shown",
		"tocsin_kafka_retries_total":                   "the queue is shown",
		"tocsin_notify_enqueued_total":                 "what finished is shown",
		"tocsin_records_entries_total":                 "the bytes are shown",
		"tocsin_records_incidents":                     "the bytes are shown",
		"tocsin_search_bytes":                          "tocsin status says it",
		"tocsin_search_documents":                      "tocsin status says it",
		"tocsin_search_incomplete_documents":           "tocsin status says it",
		"tocsin_search_rebuilds_total":                 "the lag is shown",
		"tocsin_search_refused_total":                  "mistakes of typing",
	}
	var all strings.Builder
	for _, expr := range asked(t) {
		all.WriteString(expr + "\n")
	}
	names := registered(t)
	for name, why := range unasked {
		require.Contains(t, names, name, "in the list (%s), and the daemon has it no more", why)
		require.NotRegexp(t, `\b`+name+`\b`, all.String(), "in the list, and asked for")
	}
	for name := range names {
		if strings.HasPrefix(name, "tocsin_") && unasked[name] == "" {
			require.Regexp(t, `\b`+name+`(_bucket)?\b`, all.String(), "neither on a board nor in an alert, nor in this list")
		}
	}
}
