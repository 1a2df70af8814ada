package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var tinySizes = sizes{
	fresh: 500, repeats: 1000, active: 100, singles: 50, memory: 300, peer: 200, tail: 100,
	step: 50 * time.Millisecond, flatOut: 50 * time.Millisecond, settle: 20 * time.Millisecond,
}

// tiny measures this binary playing Tocsin, and Alertmanager where there is one.
func tiny(t *testing.T, mode string) options {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIPPED: the benchmark reads /proc, which this system lacks")
	}
	t.Setenv(fakeVariable, mode)
	self, err := os.Executable()
	require.NoError(t, err)
	return options{tocsin: self, runs: 1, sizes: tinySizes, dir: t.TempDir(), seed: 1}
}

func TestEveryScenarioIsMeasuredOnTocsin(t *testing.T) {
	o := tiny(t, "good")
	t.Setenv("PATH", "")
	o.runs = 2
	o.json, o.md = filepath.Join(o.dir, "all.json"), filepath.Join(o.dir, "BENCHMARKS.md")
	var table, progress bytes.Buffer
	require.NoError(t, bench(t.Context(), o, &table, &progress), progress.String())
	require.Contains(t, progress.String(), "NO ALERTMANAGER FOUND")

	text, err := os.ReadFile(o.json)
	require.NoError(t, err)
	var got report
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, "fake 1.0", got.Versions[tocsinName])
	for _, s := range scenarios(o.sizes) {
		require.Contains(t, table.String(), s.id+" "+s.title)
		runs := got.Trials[s.id][tocsinName]
		require.Len(t, runs, 2)
		for _, row := range s.rows {
			require.Contains(t, runs[1], row.measure, s.id)
		}
	}
	require.Zero(t, got.Trials["f"][tocsinName][0][lost])
	require.Positive(t, got.Trials["f"][tocsinName][0][recoverySeconds])
	require.Positive(t, got.Trials["d"][tocsinName][0][rss])

	markdown, err := os.ReadFile(o.md)
	require.NoError(t, err)
	require.Contains(t, string(markdown), "| a 500 new, batch 64 | CPU-s per million |")
	left, err := filepath.Glob(filepath.Join(o.dir, "tocsin-bench-*"))
	require.NoError(t, err)
	require.Empty(t, left, "folders of the servers are removed")
}

func TestAServerThatForgetsIsFoundOut(t *testing.T) {
	o := tiny(t, "forgetful")
	t.Setenv("PATH", "")
	o.only = "f"
	var table bytes.Buffer
	require.NoError(t, bench(t.Context(), o, &table, io.Discard))
	require.Regexp(t, `of 16 sampled alerts lost +16 .*MISSED`, table.String())
}

func TestAServerThatRefusesEverythingIsAnErrorAndTheRestIsWritten(t *testing.T) {
	o := tiny(t, "broken")
	t.Setenv("PATH", "")
	o.only = "a"
	var table bytes.Buffer
	err := bench(t.Context(), o, &table, io.Discard)
	require.ErrorContains(t, err, "a on tocsin: no alert of 500 was acknowledged")
	require.Contains(t, table.String(), "not measured")
}

func TestAServerThatDoesNotStartShowsItsLastWords(t *testing.T) {
	o := tiny(t, "good")
	t.Setenv("PATH", "")
	o.only = "a"
	s := tocsinSubject(o.tocsin, false)
	s.config = "wrong"
	_, err := s.start(t.Context(), t.TempDir())
	require.ErrorContains(t, err, "ended before it was ready")
	require.ErrorContains(t, err, `unexpected config "wrong"`)
}

func TestAlertmanagerIsMeasuredBesideIt(t *testing.T) {
	_, err := exec.LookPath("prometheus-alertmanager")
	if _, other := exec.LookPath("alertmanager"); err != nil && other != nil {
		t.Skip("SKIPPED: no Alertmanager here (apt-get install prometheus-alertmanager)")
	}
	o := tiny(t, "good")
	o.only = "a,d"
	o.json = filepath.Join(o.dir, "all.json")
	require.NoError(t, bench(t.Context(), o, io.Discard, io.Discard))
	text, err := os.ReadFile(o.json)
	require.NoError(t, err)
	var got report
	require.NoError(t, json.Unmarshal(text, &got))
	require.Positive(t, got.Trials["a"][alertmanagerName][0][rate])
	require.Zero(t, got.Trials["a"][alertmanagerName][0][refused])
	require.Positive(t, got.Trials["d"][alertmanagerName][0][rss])
}

func TestFlags(t *testing.T) {
	o, err := parse([]string{"-short", "-only", "b,c2", "-runs", "3"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, shortSizes, o.sizes)
	chosen, err := choose(scenarios(o.sizes), o.only)
	require.NoError(t, err)
	require.Len(t, chosen, 2)
	chosen, err = choose(scenarios(o.sizes), "c,c1,a")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c1", "c2"}, []string{chosen[0].id, chosen[1].id, chosen[2].id})
	_, err = choose(scenarios(o.sizes), "z")
	require.ErrorContains(t, err, `no scenario "z"`)
	for _, args := range [][]string{{"-runs", "0"}, {"extra"}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err)
	}
	_, err = parse([]string{"-h"}, io.Discard)
	require.ErrorIs(t, err, flag.ErrHelp)
}
