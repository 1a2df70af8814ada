package settings

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/notify/message"
)

const example = "../../examples/notify/notify.yml"

func load(t *testing.T) *Settings {
	t.Helper()
	text, err := os.ReadFile(example)
	require.NoError(t, err)
	s, err := Parse(example, text)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	return s
}

// has is what a query says that has one label.
func has(name, value string) func(string) string {
	return func(asked string) string {
		if asked == name {
			return value
		}
		return ""
	}
}

func TestTheExampleIsWhatItSays(t *testing.T) {
	s := load(t)
	require.Equal(t, 60, s.Receiver("mail").RateN)
	require.Equal(t, time.Minute, s.Receiver("mail").RatePer)
	ops := s.Team("ops")
	require.Equal(t, 7, ops.Rotation[0].Days)
	require.Equal(t, "Europe/Berlin", ops.Zone.String())
	require.Equal(t, 2, ops.Quiet.Rings)
	steps := ops.Steps()
	require.Equal(t, []Whom{{OnCall, "oncall"}, {ToReceivers, "ops-hook"}}, steps[0].Notify)
	require.Equal(t, 5*time.Minute, steps[1].After[1])
	require.Equal(t, 15*time.Minute, steps[1].After[2])
	require.Equal(t, []Whom{{ToContact, "duty-manager"}}, steps[2].Notify)
	require.Equal(t, "bob", ops.Schedule(nil).At(time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)))
}

func TestRoutes(t *testing.T) {
	s := load(t)
	team := func(q Query) (out []string) {
		q.Tenant = "main"
		for _, target := range s.Route(q) {
			out = append(out, target.Team+":"+strings.Join(target.Receivers, ","))
		}
		return out
	}
	require.Equal(t, []string{"ops:"}, team(Query{Priority: 2, Event: message.Opened}))
	require.Empty(t, team(Query{Priority: 3, Event: message.Opened}), "priorities 1 and 2 are told unless a route says otherwise")
	staging := has("environment", "staging")
	require.Equal(t, []string{":old-tool"}, team(Query{Priority: 3, Label: staging, Event: message.Opened}))
	require.Equal(t, []string{"ops:"}, team(Query{Priority: 2, Label: staging, Event: message.Worse}), "an event that a route does not want goes on to the next")
}

func TestNestedRoutesInheritAndContinue(t *testing.T) {
	s, err := Parse("n.yml", []byte(`
receivers:
  - {name: a, webhook: {url: 'http://a.example.org'}}
  - {name: b, webhook: {url: 'http://b.example.org'}}
routes:
  - {services: [shop], receivers: [a], continue: true}
  - receivers: [b]
    priorities: [1, 2, 3]
    routes:
      - {tenants: [acme], receivers: [a]}
      - {match: ['x=~"y|z"'], priorities: [1]}
`))
	require.NoError(t, err)
	to := func(q Query) (out []string) {
		for _, target := range s.Route(q) {
			out = append(out, target.Receivers...)
		}
		return out
	}
	require.Equal(t, []string{"a", "b"}, to(Query{Service: "shop", Priority: 1}))
	require.Equal(t, []string{"a"}, to(Query{Tenant: "acme", Priority: 3}))
	require.Equal(t, []string{"b"}, to(Query{Label: has("x", "y"), Priority: 1}), "the receivers of the route above")
	require.Empty(t, to(Query{Label: has("x", "y"), Priority: 2}), "taken by the route below, which does not tell of it")
	require.Equal(t, []string{"b"}, to(Query{Priority: 3}))
}

func TestEveryMistakeIsToldWithItsPlace(t *testing.T) {
	_, err := Parse("n.yml", []byte(`receivers:
  - {name: a, slack: {chanel: x}}
  - {name: b}
  - {name: a, webhook: {url: 'http://x.example.org'}, rate: many}
contacts:
  - {name: ann, receivers: [nobody]}
  - {name: oncall, receivers: []}
teams:
  - {name: t, members: [bert], zone: Mars/Olympus, rotation: [{members: [ann], start: tomorrow, length: 90m}]}
  - {name: u}
  - name: v
    members: [ann]
    escalation: [{notify: [who]}, {after: 0s, notify: [ann]}]
routes:
  - {team: w, receivers: [c], priorities: [9], events: [never], match: ['{']}
outbound: {allow: ['http://x']}
colour: red
`))
	require.Error(t, err)
	for _, want := range []string{
		`n.yml:2:23: chanel: unknown key; did you mean "channel"?`, `n.yml:3:5: b: the receiver has no kind`, `the name "a" is taken`,
		`rate: must be a number of messages in a time, as in 30/1m`, `there is no receiver "nobody"`, `"oncall" has a meaning of its own`,
		`there is no contact "bert"`, `no such time zone: must be a name of the IANA database, as in Europe/Berlin (got "Mars/Olympus")`, `start: must be a date and a time`, `length: must be a number of hours`,
		`nobody would be told`, `there is no contact or receiver "who"`, `at priority 1 the step is due after 0s, no later than the step before it`, `there is no team "w"`, `there is no receiver "c"`,
		`priorities[0]: must be between 1 and 5`, `events[0]: must be one of`, `match[0]:`, `without scheme and port`, `colour: unknown key`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestNoRouteForTheWorstIsWarnedAbout(t *testing.T) {
	s, err := Parse("n.yml", []byte("receivers: [{name: a, webhook: {url: 'http://a.example.org'}}]\nroutes: [{services: [shop], receivers: [a]}]\n"))
	require.NoError(t, err)
	require.Len(t, s.Warnings, 1)
	require.ErrorContains(t, s.Warnings, "n.yml: routes: an incident of priority 1")
	s, err = Parse("n.yml", nil)
	require.NoError(t, err, "no settings are a valid state")
	require.Empty(t, s.Route(Query{Priority: 1}))
}

func TestATeamWithoutStepsHasTheDefaultOnes(t *testing.T) {
	team := load(t).Team("ops")
	team.Escalation = nil
	steps := team.Steps()
	require.Equal(t, OnCall, steps[0].Notify[0].Kind)
	require.Equal(t, 5*time.Minute, steps[1].After[1])
	require.Equal(t, 15*time.Minute, steps[1].After[2])
	team.Rotation = nil
	require.Len(t, team.Steps(), 1)
}
