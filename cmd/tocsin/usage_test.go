package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistakesOfTheCommandLineAreToldInOurOwnWords(t *testing.T) {
	for line, want := range map[string]string{
		"incident show":                                "`tocsin incident show` takes an argument, and none is given",
		"incident show INC-1 INC-2":                    "`tocsin incident show` takes 1 argument, and 2 are given",
		"incident ack":                                 "`tocsin incident ack` takes an argument, and none is given",
		"incident snooze INC-1":                        "`tocsin incident snooze` takes at least 2 arguments, and 1 is given",
		"incident assign":                              "`tocsin incident assign` takes 1 to 2 arguments, and none is given",
		"incidents extra":                              "`tocsin incidents` takes no argument, and \"extra\" is given",
		"silence add x=y":                              "one of --duration, --until is needed",
		"silence add x=y --duration 1h --until 2026":   "--duration and --until exclude each other",
		"window add x --ci a --reason r --every daily": "--every and --zone go together: --zone is missing",
		"user token ann":                               "--name is needed",
		"token new":                                    "missing: --name",
		"incident resolve INC-1 --reason":              "--reason needs a value",
		"incident snooze INC-28 -5m":                   "\"-5m\" is no flag, and no span: a span cannot be negative",
		"incident snooze INC-28 -- -5m":                "\"-5m\": a span cannot be negative",
		"incidents --limit x":                          "--limit: \"x\" is no number",
		"incidents -x":                                 "unknown flag: -x",
	} {
		var out, errs bytes.Buffer
		require.Equal(t, exitUsage, run(strings.Fields(line), strings.NewReader(""), &out, &errs), line)
		first, rest, _ := strings.Cut(errs.String(), "\n")
		require.Equal(t, "tocsin: "+want, first, line)
		require.Contains(t, rest, "hint: ", line)
	}
}
