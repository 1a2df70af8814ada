package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	alertmanagerModule = "github.com/prometheus/alertmanager"
	shownLog           = 64 << 10 // bytes of a failing run's output, from its end
)

type suite struct {
	name string
	path string // of its package in Alertmanager's module
}

// result is one listed test after its last try.
type result struct {
	suite, test string
	passed      bool
	tries       int
	seconds     string // of the last try, as the test binary says it; "-" when it said nothing
}

func suites() []suite {
	return []suite{{"api", "/test/with_api_v2/acceptance"}, {"cli", "/test/cli/acceptance"}}
}

// run compiles the suite and runs the listed tests; those that fail run again, up to tries times in all.
func (s suite) run(dir string, tests []string, out io.Writer) ([]*result, error) {
	binary := filepath.Join(dir, s.name+".test")
	build := exec.Command("go", "test", "-c", "-o", binary, alertmanagerModule+s.path)
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the %s suite: %w\n%s", s.name, err, text)
	}
	cwd := filepath.Join(dir, "test", s.name, "acceptance")
	if err := os.MkdirAll(cwd, 0o700); err != nil {
		return nil, err
	}
	results := make([]*result, 0, len(tests))
	for _, test := range tests {
		results = append(results, &result{suite: s.name, test: test, seconds: "-"})
	}
	for try := 1; try <= tries; try++ {
		left := failing(results)
		if len(left) == 0 {
			break
		}
		text, err := execute(binary, cwd, left)
		if err != nil {
			return nil, fmt.Errorf("run the %s suite: %w", s.name, err)
		}
		judge(left, text)
		if try == tries && len(failing(left)) > 0 {
			fmt.Fprintf(out, "---- the last try of the %s suite\n%s\n", s.name, text[max(0, len(text)-shownLog):])
		}
	}
	return results, nil
}

func failing(results []*result) []*result {
	var left []*result
	for _, r := range results {
		if !r.passed {
			left = append(left, r)
		}
	}
	return left
}

// execute runs the tests once, and returns what the binary printed. That tests failed is no error here.
func execute(binary, cwd string, tests []*result) ([]byte, error) {
	names := make([]string, 0, len(tests))
	for _, r := range tests {
		names = append(names, r.test)
	}
	cmd := exec.Command(binary, "-test.v", "-test.parallel", "8", "-test.timeout", "5m",
		"-test.run", "^("+strings.Join(names, "|")+")$")
	cmd.Dir = cwd
	cmd.Env = append(os.Environ(), "TMPDIR="+cwd) // the suites leave their data folders behind
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	return text.Bytes(), nil
}

// judge reads the verdicts. A test without one (the binary panicked, the test does not exist) has not passed.
func judge(tests []*result, text []byte) {
	verdicts := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\w+) \(([0-9.]+)s\)$`).FindAllStringSubmatch(string(text), -1) {
		verdicts[m[2]] = m
	}
	for _, r := range tests {
		r.tries++
		if m, ok := verdicts[r.test]; ok {
			r.passed, r.seconds = m[1] == "PASS", m[3]
		}
	}
}
