package settings

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/notify/receivers"
)

// told are the problems of a text, one per line.
func told(text string) []string {
	_, err := Parse("n.yml", []byte(text))
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// inTeam is a file whose only team has these keys too; they stand on line 4.
func inTeam(keys string) string {
	return `receivers: [{name: hook, webhook: {url: 'http://a.example.org'}}, {name: mail, email: {smarthost: 'mx.example.org:25', from: t@example.org}}]
contacts: [{name: ann, user: ann, receivers: [mail]}, {name: bob, receivers: [hook]}]
teams: [{name: ops, members: [ann, bob],
` + keys + `}]
routes: [{team: ops}]
`
}

func TestAMisspeltIntervalIsNoQuietForEver(t *testing.T) {
	const misspelt = `[{wekdays: [monday], tims: [{start_time: '22:00', end_time: '24:00'}]}, {times: [{start: '22:00', end_time: '24:00'}]}]`
	for _, key := range []string{"quiet_hours: {only: ", "rotation: [{members: [ann], start: 2026-11-16 09:00, only: "} {
		end := map[bool]string{true: "}", false: "}]"}[strings.HasPrefix(key, "quiet")]
		got := strings.Join(told(inTeam(key+misspelt+end)), "\n")
		for _, want := range []string{`wekdays: unknown key; did you mean "weekdays"?`, `tims: unknown key; did you mean "times"?`,
			`start: unknown key; did you mean "start_time"?`, `start_time: missing`} {
			require.Contains(t, got, want)
		}
	}
	require.Equal(t, []string{`n.yml:4:23: wekdays: unknown key; did you mean "weekdays"?`}, told(inTeam("quiet_hours: {only: [{wekdays: [monday]}]}")))
}

func TestAnIntervalThatWouldHoldAlwaysOrNeverIsRefused(t *testing.T) {
	for interval, want := range map[string]string{
		"{}":                "n.yml:4:22: only[0]: the interval names no time: it would hold always; give it times, weekdays, days_of_month, months or years",
		"~":                 "n.yml:4:22: only[0]: the interval names no time: it would hold always; give it times, weekdays, days_of_month, months or years",
		"{times: []}":       "n.yml:4:30: times: must name at least one",
		"{weekdays: }":      "n.yml:4:33: weekdays: must name at least one",
		"{months: ['13']}":  "n.yml:4:32: months[0]: a month is between 1 and 12; as in 'november:december' or '11:12'",
		"{years: [x]}":      "n.yml:4:31: years[0]: must be a whole number or a range of them; as in '2026:2028'",
		"{weekdays: [mon]}": "n.yml:4:34: weekdays[0]: mon is not a valid weekday; as in 'monday:friday'",
		"{times: [{start_time: '22:00', end_time: '07:00'}]}":             "n.yml:4:31: times[0]: start_time must be before end_time; over midnight write two",
		"{times: [{start_time: '22:00', end_time: '25:00'}]}":             `n.yml:4:63: end_time: must be a time of day, as in 09:00 or 24:00 (got "25:00")`,
		"{weekdays: [monday], location: Europe/Berlin}":                   "n.yml:4:53: location: has no place here; the zone of the team, or of the layer, holds",
		"{weekdays: ['monday:friday'], times: [{start_time: '22:00'}]}":   "n.yml:4:60: end_time: missing",
		"{days_of_month: ['5:1'], weekdays: ['sunday'], months: ['may']}": "n.yml:4:39: days_of_month[0]: end day 1 is always before start day 5",
	} {
		got := told(inTeam("quiet_hours: {only: [" + interval + "]}"))
		require.Len(t, got, 1, interval)
		require.True(t, strings.HasPrefix(got[0], want), "%s\n%s", got[0], want)
	}
	require.Contains(t, told(inTeam("quiet_hours: {only: []}"))[0], "n.yml:4:21: only: must name at least one")
}

func TestIntervalsAreAlertmanagers(t *testing.T) {
	s, err := Parse("n.yml", []byte(inTeam(`quiet_hours: {only: [{times: [{start_time: '22:00', end_time: '24:00'}], weekdays: ['monday:friday'], months: [may, '7:8'],
  days_of_month: ['-3:-1'], years: ['2026:2028']}, {weekdays: [sunday]}]}`)))
	require.NoError(t, err)
	quiet := &s.Team("ops").Quiet
	require.True(t, quiet.Holds(time.Date(2026, 7, 29, 22, 0, 0, 0, time.UTC)))
	require.True(t, quiet.Holds(time.Date(2026, 1, 4, 12, 0, 0, 0, time.UTC)), "a Sunday")
	require.False(t, quiet.Holds(time.Date(2026, 7, 29, 21, 59, 0, 0, time.UTC)))
	require.False(t, quiet.Holds(time.Date(2026, 7, 28, 22, 0, 0, 0, time.UTC)))
}

func TestASecretIsNotRepeatedWhereverItStands(t *testing.T) {
	const secret = "hunter2"
	receiver := func(kind string) string { return "receivers: [{name: r, " + kind + "}]\n" }
	for _, text := range []string{
		receiver("slack: {api_url: 'https://hooks.example.org:hunter2/services/hunter2'}"),
		receiver("slack: {api_url: 'htp://hooks.example.org/hunter2'}"),
		receiver(`slack: {api_url: "https://hooks.example.org/hunter2\x7f"}`),
		receiver("slack: {api_url: ['https://hooks.example.org/hunter2']}"),
		receiver("slack: 'https://hooks.example.org/hunter2'"),
		receiver("msteamsv2: {webhook_url: 'https://u:hunter2@x:y/'}"),
		receiver("discord: {webhook_url_file: 'https://x/hunter2'}"),
		receiver("webhook: {url_file: 'https://x/hunter2'}"),
		receiver("webhook: {url: 'https://x:y/ hunter2'}"),
		receiver("webhook: {url: {hunter2: hunter2}}"),
		receiver("webhook: {url: 'https://x', http_config: {proxy_url: 'http://u:hunter2@x:y'}}"),
		receiver("webhook: {url: 'https://x', http_config: {basic_auth: hunter2}}"),
		receiver("webhook: {url: 'https://x', http_config: {basic_auth: {username: u, password: [hunter2]}}}"),
		receiver("webhook: {url: 'https://x', http_config: {http_headers: {X: hunter2}}}"),
		receiver("webhook: {url: 'https://x', http_config: {tls_config: {cert: hunter2, key: hunter2}}}"),
		receiver("email: {from: f, smarthost: 'u:hunter2@mx:25', auth_password: {a: hunter2}, require_tls: hunter2}"),
		receiver("telegram: {bot_token: hunter2, chat_id: hunter2}"),
		receiver("webhok: 'https://x/hunter2'"),
		"receivers: 'https://x/hunter2'\n",
		"outbound: {allow: ['https://u:hunter2@x/']}\n",
		"routes: [{receivers: ['https://x/hunter2']}]\n",
		"routes: [{match: 'https://x/hunter2', continue: 'https://x/hunter2'}]\n",
	} {
		got := told(text)
		require.NotEmpty(t, got, text)
		require.NotContains(t, strings.ReplaceAll(strings.Join(got, "\n"), "hunter2: unknown key", ""), secret, text)
	}
}

func TestAReceiversFieldsAreCheckedOneByOne(t *testing.T) {
	require.Equal(t, []string{
		`n.yml:3:35: titl: unknown key; did you mean "title"?`,
		`n.yml:4:25: channel: must be a single value`,
		`n.yml:5:31: send_resolved: must be true or false`,
		`n.yml:6:48: folow_redirects: unknown key; did you mean "follow_redirects"?`,
		`n.yml:7:23: title: must be a template of Alertmanager's; look for braces that are not closed and functions that do not exist`,
	}, slices.Compact(told(`receivers:
  - name: s
    slack: {api_url: x, fields: [{titl: x}],
               channel: [x],
               send_resolved: 7,
               http_config: {http_headers: {}, folow_redirects: x},
               title: '{{ .Foo'}
`))[1:])
	for text, want := range map[string]string{
		"slack: {api_url: <secret>}":                          "n.yml:1:40: api_url: is what Alertmanager shows in place of a secret",
		"pagerduty: ":                                         "n.yml:1:34: pagerduty: missing service or routing key",
		"webhook: {url: 'http://x', url: 'http://y'}":         "n.yml:1:50: url: given twice; first on line 1",
		"webhook: {url_file: 'https://x'}":                    "n.yml:1:43: url_file: must be the name of a file that holds the URL; write url for the URL itself",
		"webhook: {url: 'http://x'}, rate: 0/1m":              "n.yml:1:57: rate: must be a number of messages in a time",
		"webhook: {url: 'http://x'}, title: '{{ .Foo'":        "n.yml:1:58: title: must be a template: text:1: unclosed action",
		"webhook: {url: 'http://x'}, slack: {api_url: 'x:y'}": "n.yml:1:58: slack: a receiver has one kind; this one is webhook already",
	} {
		got := told("receivers: [{name: r, " + text + "}]\n")
		require.Len(t, got, 1, text)
		require.Contains(t, got[0], want)
	}
}

func TestEveryKindHasAConfiguration(t *testing.T) {
	require.Equal(t, receivers.Kinds(), slices.Sorted(maps.Keys(configurations())))
	for kind, c := range configurations() {
		keys, free := fields(c)
		require.NotEmpty(t, keys, kind)
		require.Nil(t, free, kind)
		require.Equal(t, reflect.Struct, c.Kind())
	}
}

func TestTheFirstStepHasNoAfter(t *testing.T) {
	const want = "n.yml:4:22: after: the first step is taken at once; leave after out, or put a step in front that tells somebody at once"
	require.Equal(t, []string{want}, told(inTeam("escalation: [{after: 5m, notify: [oncall]}, {after: 10m, notify: [team]}]")))
	require.Equal(t, []string{want}, told(inTeam("escalation: [{after: {P1: 0s}, notify: [oncall]}]")), "the other priorities have the default")
	require.Empty(t, told(inTeam("escalation: [{after: 0s, notify: [oncall]}]")), "that is what it does")
}

func TestStepsAreDueOneAfterTheOther(t *testing.T) {
	steps := func(second, third string) []string {
		return told(inTeam("escalation: [{notify: [oncall]}, {notify: [team]" + second + "}, {notify: [hook]" + third + "}]"))
	}
	require.Empty(t, steps(", after: {P1: 5m, P2: 15m}", ", after: {P1: 15m, P2: 45m}"))
	require.Equal(t, []string{"n.yml:4:69: after: at priority 2 the step is due after 10m, no later than the step before it (15m); after counts from the beginning"},
		steps(", after: {P1: 5m}", ", after: 10m"))
	require.Contains(t, steps("", ", after: 10m")[0], "at priority 1 the step is due after 0s, no later than the step before it (0s)")
	require.Equal(t, []string{`n.yml:4:58: after: must be a duration such as 90s, 5m, 1h30m or 1d (got "-5m")`}, steps(", after: -5m", ", after: 10m"))
}

func TestAListThatNamesNothingIsRefused(t *testing.T) {
	for _, keys := range []string{
		"escalation: [{notify: []}]", "escalation: [{notify: }]", "members: []", "rotation: [{start: 2026-11-16 09:00, members: []}]",
	} {
		got := strings.Join(told(strings.Replace(inTeam(keys), "members: [ann, bob],\n", "\n", 1)), "\n")
		require.Contains(t, got, ": must name at least one", keys)
	}
	for _, key := range []string{"tenants", "teams", "services", "priorities", "events", "match", "receivers"} {
		require.Contains(t, told("routes: [{" + key + ": []}]\n")[0], key+": must name at least one")
	}
	require.Contains(t, told("contacts: [{name: ann, receivers: }]\n")[0], "receivers: must name at least one")
}

func TestAliasesAndMergeKeys(t *testing.T) {
	s, err := Parse("n.yml", []byte(`receivers:
  - name: a
    webhook: &hook {url: 'http://a.example.org', format: alertmanager, http_config: &http {enable_http2: false}}
  - {name: b, webhook: *hook}
  - name: c
    webhook: {<<: [{format: tocsin}, *hook], url: 'http://c.example.org'}
  - &mail
    name: d
    rate: 1/1m
    email: {smarthost: 'mx.example.org:25', from: t@example.org}
  - {<<: *mail, name: e}
`))
	require.NoError(t, err)
	config := func(name string) (c receivers.Webhook) {
		require.NoError(t, s.Receiver(name).Config.Decode(&c))
		return c
	}
	require.Equal(t, config("a"), config("b"))
	require.Equal(t, "http://c.example.org", config("c").URL, "what is written out wins")
	require.Equal(t, receivers.FormatTocsin, config("c").Format, "then what is merged first")
	require.False(t, config("c").HTTPConfig.EnableHTTP2)
	require.Equal(t, "email", s.Receiver("e").Kind)
	require.Equal(t, 1, s.Receiver("e").RateN)

	require.Equal(t, []string{`n.yml:2:60: formt: unknown key; did you mean "format"?`}, told(`receivers:
  - {name: a, webhook: &hook {url: 'http://a.example.org', formt: tocsin}}
  - {name: b, webhook: *hook}
`), "told once, where it is written")
	require.Equal(t, []string{"n.yml:1:15: << takes a mapping or a list of mappings; as in <<: *name"}, told("routes: [{<<: x}]\n"))
	for _, text := range []string{"receivers: &x [*x]", "receivers: [&x {<<: *x}]"} {
		require.Contains(t, told(text)[0], "the alias *x stands inside of what it stands for")
	}
	bomb := "templates: &a0 [" + strings.Repeat("x,", 9) + "]\n"
	for i := range 9 {
		name, of := string(rune('1'+i)), string(rune('0'+i))
		bomb += "a" + name + ": &a" + name + " [" + strings.Repeat("*a"+of+",", 9) + "]\n"
	}
	require.Contains(t, told(bomb)[0], "aliases multiply this file's values too often")
	require.Len(t, told(bomb), 1)
}

func TestWhatNobodyWouldHearOfIsAMistake(t *testing.T) {
	require.Equal(t, []string{`n.yml:2:12: receivers: the contact has no address for "m": nothing would reach it; give it an email, or the user whose address holds`},
		told("receivers: [{name: m, email: {smarthost: 'mx.example.org:25', from: t@example.org}}]\ncontacts: [{name: ann, receivers: [m]}]\n"))
	none := func(keys string) []string {
		return told(strings.Replace(inTeam(keys), "members: [ann, bob],\n", "\n", 1))
	}
	require.Equal(t, []string{
		"n.yml:4:24: notify: team would reach nobody: the team has no members; give the team members; they are told too when nobody is on call",
		"n.yml:4:30: notify: oncall would reach nobody: the team has no members; give the team members; they are told too when nobody is on call",
	}, none("escalation: [{notify: [team, oncall, bob]}]"))
	require.Equal(t, []string{"n.yml:3:9: members: the team has no members, whom the second step would tell; name them, or write an escalation"},
		none("rotation: [{start: 2026-11-16 09:00, members: [ann]}]"))
}

func TestANameOfTheWrongSortIsToldAsSuch(t *testing.T) {
	require.Equal(t, []string{
		`n.yml:4:24: notify: there is no contact or receiver "ops"; ops is a team; here stands a contact, a receiver, oncall or team`,
		`n.yml:4:29: notify: there is no contact or receiver "ben"; known here: oncall, team, ann, bob, hook, mail`,
	}, told(inTeam("escalation: [{notify: [ops, ben]}]")))
	require.Equal(t, []string{`n.yml:4:23: members: there is no contact "hook"; hook is a receiver; here stands a contact`},
		told(inTeam("rotation: [{members: [hook], start: 2026-11-16 09:00}]")))
	require.Equal(t, []string{`n.yml:1:23: receivers: there is no receiver "x"; the file defines no receiver`}, told("routes: [{receivers: [x]}]\n"))
}

func TestNamesMustFitTheOutbox(t *testing.T) {
	for name, want := range map[string]string{
		"' a'": "one line without spaces around it", `"a\nb"`: "one line", "' '": "must not be empty", strings.Repeat("x", 201): "at most 200 bytes",
		"team": "has a meaning of its own",
	} {
		require.Contains(t, told("receivers: [{name: " + name + ", webhook: {url: 'http://a.example.org'}}]\n")[0], want)
	}
	require.Equal(t, []string{`n.yml:2:19: name: the name "a" is taken by another receiver or contact; first on line 1; choose another name`},
		told("receivers: [{name: a, webhook: {url: 'http://a.example.org'}}]\ncontacts: [{name: a, receivers: [a]}]\n"))
}

func TestRotationsBeginInTimesThatCanBeCounted(t *testing.T) {
	for _, start := range []string{"2026-11-16", "2026-11-16T09:00:00Z", "2026-02-30 09:00", "0001-01-01 00:00", "9999-01-01 00:00"} {
		require.Equal(t, []string{`n.yml:4:36: start: must be a date and a time of the team's zone, as in 2026-11-16 09:00 (got "` + start + `")`},
			told(inTeam("rotation: [{members: [ann], start: '"+start+"'}]")))
	}
	for _, length := range []string{"0h", "-1d", "90m", "99999999999999999999w", "2y"} {
		require.Contains(t, told(inTeam("rotation: [{members: [ann], start: 2026-11-16 09:00, length: " + length + "}]"))[0], "length: must be a number of hours")
	}
}

func TestTemplatesAreReadBeforeTheDaemonStarts(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "good.tmpl"), []byte(`{{ define "title" }}x{{ end }}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.tmpl"), []byte("\n{{ define }}"), 0o600))
	_, err := Parse(filepath.Join(dir, "n.yml"), []byte("templates: [good.tmpl, bad.tmpl, missing.tmpl]\n"))
	require.ErrorContains(t, err, "templates[1]: must be a template: bad.tmpl:2:")
	require.ErrorContains(t, err, "templates[2]: must be the name of a file that can be read")
	require.NotContains(t, err.Error(), "templates[0]")
}

func TestRoutesThatTellNobodyAreWarnedAbout(t *testing.T) {
	s, err := Parse("n.yml", []byte(inTeam("zone: UTC")))
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	s, err = Parse("n.yml", []byte(strings.Replace(inTeam("zone: UTC"), "[{team: ops}]", "[{services: [x]}, {team: ops, routes: [{tenants: [x]}]}, {receivers: [hook]}]", 1)))
	require.NoError(t, err)
	require.EqualError(t, s.Warnings, `n.yml:5:10: routes: what the route takes is told to nobody; name a team or receivers
n.yml:5:66: routes: never reached: the route on line 5 takes everything; move that one to the end, or give it continue: true`)
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile(example)
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(inTeam("quiet_hours: {only: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}")))
	f.Add([]byte("receivers: &x [*x, {<<: *x}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "_file") || strings.Contains(string(text), "templates") {
			t.Skip("it would read files")
		}
		s, err := Parse("n.yml", text)
		if err == nil {
			for i := range s.Teams {
				for _, ti := range s.Teams[i].Quiet.Hours {
					require.NotZero(t, len(ti.Times)+len(ti.Weekdays)+len(ti.DaysOfMonth)+len(ti.Months)+len(ti.Years))
				}
			}
		}
	})
}
