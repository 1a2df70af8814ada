package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheListNamesTenAPIAndNineCLITests(t *testing.T) {
	listed, err := parseExpected(expected)
	require.NoError(t, err)
	require.Len(t, listed["api"], 10)
	require.Len(t, listed["cli"], 9)
	require.Len(t, listed, len(suites()))
}

func TestALineThatIsNoTestIsRefused(t *testing.T) {
	_, err := parseExpected("# fine\n\napi TestA TestB\n")
	require.ErrorContains(t, err, `"api TestA TestB"`)
}

func TestOnlyAPrintedPassIsAPass(t *testing.T) {
	results := []*result{{test: "TestA"}, {test: "TestB"}, {test: "TestC"}, {test: "TestD"}}
	judge(results, []byte(`=== RUN   TestA
--- PASS: TestA (1.25s)
    x.go:1: log
--- FAIL: TestB (0.00s)
--- SKIP: TestC (0.00s)
    --- PASS: TestD (0.00s)
`))
	var passed []string
	for _, r := range results {
		require.Equal(t, 1, r.tries)
		if r.passed {
			passed = append(passed, r.test+" "+r.seconds)
		}
	}
	require.Equal(t, []string{"TestA 1.25"}, passed)
}

func TestAFailedTestFailsTheReport(t *testing.T) {
	var out strings.Builder
	err := report(&out, []*result{{suite: "api", test: "TestA", passed: true}, {suite: "api", test: "TestB"}})
	require.ErrorIs(t, err, errFailed)
	require.Contains(t, out.String(), "1 of 2 listed tests passed")
	require.NoError(t, report(&out, []*result{{passed: true}}))
	require.ErrorIs(t, report(&out, nil), errFailed, "nothing run is nothing passed")
}

func TestTheWrapperTranslatesTheSuitesFlags(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "alertmanager")
	require.NoError(t, os.WriteFile(script, []byte(wrapper), 0o700))
	t.Setenv("TOCSIN", "/bin/echo")
	out, err := exec.Command(script,
		"--config.file", "/x/config.yml", "--log.level", "debug", "--web.listen-address", "127.0.0.1:0",
		"--storage.path", "/x y", "--cluster.listen-address", "127.0.0.1:0", "--cluster.settle-timeout", "0s",
		"--enable-feature", "classic-mode", "--web.route-prefix", "/foo", "--cluster.peer=127.0.0.1:9").Output()
	require.NoError(t, err)
	require.Equal(t, "serve --alertmanager-config /x/config.yml --listen 127.0.0.1:0 --data /x y/data "+
		"--enable-feature classic-mode --route-prefix /foo\n", string(out))

	out, err = exec.Command(script, "--unheard-of", "1").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "no translation for --unheard-of")
}
