package chdbtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

// queries are the statements of a file of testdata, each ended by an empty line; lines that begin with -- alone tell about the next.
func queries(t *testing.T, name string) (all []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	for one := range strings.SplitSeq(string(text), "\n\n") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}

func TestTheReaderMayAskWhatAnAnalystAsks(t *testing.T) {
	e := chdbtest.Start(t)
	chdbtest.Exec(t, e, "CREATE DATABASE IF NOT EXISTS open", `CREATE TABLE IF NOT EXISTS open.facts (at DateTime64(3, 'UTC'), ci LowCardinality(String), severity UInt8, seq UInt64, labels Map(String, String))
		ENGINE = MergeTree ORDER BY seq`, "INSERT INTO open.facts SELECT toDateTime64('2026-11-01 00:00:00', 3, 'UTC') + number * 60, 'ci-' || toString(number % 7), number % 5, number, map('a', 'b') FROM numbers(1000)")
	all := queries(t, "allowed.sql")
	require.GreaterOrEqual(t, len(all), 20)
	for _, q := range all {
		if _, err := chdbtest.Ask(t.Context(), e, e.Reader(), q); err != nil {
			t.Errorf("%s\n\t%v", q, err)
		}
	}
}

func TestALongResultHasOneHeadAndOneEndInEveryFormat(t *testing.T) {
	e := chdbtest.Start(t)
	for format, once := range map[string]string{
		"CSVWithNames": `"head"`, "TSVWithNames": "head\n", "JSON": `"meta"`, "JSONCompact": `"meta"`, "JSONCompactEachRowWithNames": `["head"]`, "RowBinaryWithNames": "\x01\x04head", "Vertical": "Row 1:\n",
	} {
		text, err := chdbtest.Ask(t.Context(), e, e.Reader(), "SELECT toString(number) AS head FROM numbers(300000) FORMAT "+format)
		require.NoError(t, err, format)
		require.Equal(t, 1, strings.Count(text, once), format)
	}
	text, err := chdbtest.Ask(t.Context(), e, e.Reader(), "SELECT number AS head FROM numbers(300000) FORMAT Parquet")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(text, "PAR1"), "a file begins and ends with it")
	text, err = chdbtest.Ask(t.Context(), e, e.Reader(), "SELECT number AS head FROM numbers(300000)")
	require.NoError(t, err)
	require.Equal(t, 300000, strings.Count(text, "\n"))
	_, err = chdbtest.Ask(t.Context(), e, e.Reader(), "SELECT repeat('x', 1000) FROM numbers(1000000) FORMAT JSON")
	require.ErrorContains(t, err, "MEMORY_LIMIT_EXCEEDED", "what is made as a whole has an end")
}

func TestTheReaderIsRefusedWhatIsNotReading(t *testing.T) {
	e := chdbtest.Start(t)
	chdbtest.Exec(t, e, "CREATE DATABASE IF NOT EXISTS open", "CREATE TABLE IF NOT EXISTS open.kept (x UInt64) ENGINE = MergeTree ORDER BY x", "INSERT INTO open.kept VALUES (1)")
	all := queries(t, "hostile.sql")
	require.GreaterOrEqual(t, len(all), 60)
	for _, q := range all {
		answer, err := chdbtest.Ask(t.Context(), e, e.Reader(), q)
		if err == nil {
			t.Errorf("answered: %s\n\t%.200s", q, answer)
			continue
		}
		if !strings.Contains(err.Error(), "ACCESS_DENIED") && !strings.Contains(err.Error(), "SYNTAX_ERROR") {
			t.Logf("refused late: %s\n\t%v", q, err)
		}
	}
	kept, err := chdbtest.Ask(t.Context(), e, e.Writer(), "SELECT count(), sum(x) FROM open.kept")
	require.NoError(t, err)
	require.Equal(t, "1\t1\n", kept)
}
