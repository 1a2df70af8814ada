package notify

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/notify/message"
)

func TestAnOverrideThatCannotBeIsRefusedAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, withBareTeam())
		defer o.stop()
		noon()
		now := time.Now()
		for want, ov := range map[string]Override{
			`no contact "carl"`:        {Team: "ops", Who: "carl", From: now, Until: now.Add(time.Hour)},
			"must end after it starts": {Team: "ops", Who: "bob", From: now, Until: now},
			"is over already: it would have ended at 2000-01-01 11:00 UTC": {Team: "ops", Who: "bob", From: now.Add(-2 * time.Hour), Until: now.Add(-time.Hour)},
			"lasts 91 days": {Team: "ops", Who: "bob", From: now, Until: now.AddDate(0, 0, 91)},
			"team bare has no rotation, and nothing asks who is on call": {Team: "bare", Who: "bob", From: now, Until: now.Add(time.Hour)},
		} {
			_, err := o.n.SetOverride(ov)
			var refused *Refusal
			require.ErrorAs(t, err, &refused, want)
			require.Contains(t, refused.Message, want)
		}
		_, err := o.n.SetOverride(Override{Team: "ops", Who: "carl", From: now, Until: now.Add(time.Hour)})
		require.Contains(t, err.(*Refusal).Hint, "ann, bob, boss")
		_, err = o.n.SetOverride(Override{Team: "nope", Who: "bob", From: now, Until: now.Add(time.Hour)})
		require.ErrorIs(t, err, ErrNoTeam)
		require.ErrorContains(t, err, `"nope"`)
	})
}

// withBareTeam is the house with two teams that have no rotation; one of them asks who is on call.
func withBareTeam() string {
	const at = "routes:\n"
	return strings.Replace(house, at, "  - {name: bare, members: [ann, bob]}\n  - {name: asks, members: [ann, bob], escalation: [{notify: [oncall]}]}\n"+at, 1)
}

func TestATeamWithoutARotationMissesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, withBareTeam())
		defer o.stop()
		noon()
		now := time.Now()
		_, err := o.n.SetOverride(Override{Team: "asks", Who: "bob", From: now.Add(time.Hour), Until: now.Add(2 * time.Hour)})
		require.NoError(t, err)
		team := func() TeamStatus {
			teams, err := o.n.Teams()
			require.NoError(t, err)
			return teams[2]
		}
		st := team()
		require.Empty(t, st.OnCall)
		require.Empty(t, st.Gaps, "everybody is told")
		require.Len(t, st.Shifts, 1)
		time.Sleep(90 * time.Minute)
		require.Equal(t, "bob", team().OnCall)
	})
}

func TestATestNeedsSomebodyToReachAndTriesTheTemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		_, err := o.n.Test(t.Context(), "mail", nil)
		require.ErrorContains(t, err, "mail reaches people")
		_, err = o.n.Test(t.Context(), "mail", []string{"not an addr"})
		require.ErrorContains(t, err, `"not an addr" is no e-mail address`)
		m, err := o.n.Test(t.Context(), "mail", []string{"ann@example.org"})
		require.NoError(t, err)
		require.Empty(t, m.TemplateError)
		for text, want := range map[string]string{"{{ .Incident.Nope }}": "Nope", "{{ .Incident.Title }}": ""} {
			c := *o.n.config.Load()
			c.Templates, err = message.New("", nil, map[string]message.Override{"hook": {Title: text}})
			require.NoError(t, err)
			o.n.Reload(c)
			m, err = o.n.Test(t.Context(), "hook", nil)
			require.NoError(t, err, "it goes out in plain words")
			require.Contains(t, m.TemplateError, want)
			require.Equal(t, want == "", m.TemplateError == "", "a template about incidents need not say anything of a test")
		}
	})
}
