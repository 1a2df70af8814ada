package imports

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// told reads an export without a history and returns its incidents, by number, and what was said of it.
func told(t testing.TB, m *Map, text string) (map[string]story, *Summary) {
	t.Helper()
	kept := &store{known: map[uint64]uint64{}} // it is too little to be written
	r := &run{Input: Input{Map: m, Body: strings.NewReader(text), Tenant: "main", Now: now}, store: kept, flags: map[string]int{}, out: &Summary{Rejects: []Reject{}}}
	r.bytes = &counted{r: r.Body}
	require.NoError(t, r.read(t.Context()))
	out := map[string]story{}
	for _, s := range kept.pending {
		out[s.number] = s
	}
	return out, r.sum()
}

// kinds are what happened to an incident, as kind@time.
func kinds(s story) string {
	var words []string
	for _, v := range s.versions {
		words = append(words, strings.TrimPrefix(v.kind.String(), "incident_")+"@"+time.UnixMilli(v.at).UTC().Format("02 15:04"))
	}
	return strings.Join(words, " ")
}

// randomLog makes up a log of updates as ServiceNow writes it; each incident begins with New.
func randomLog(rng *rand.Rand) (header string, lines []string) {
	states := []string{"New", "Active", "Awaiting User Info", "Awaiting Vendor", "Resolved", "Closed", "Canceled"}
	for i := range 1 + rng.IntN(20) {
		at := time.Date(2026, 3, 1+rng.IntN(25), rng.IntN(24), rng.IntN(60), 0, 0, time.UTC)
		opened, resolved := at.Format(time.DateTime), "?"
		if rng.IntN(2) == 0 {
			resolved = at.Add(time.Duration(rng.IntN(3000)) * time.Minute).Format(time.DateTime)
		}
		for n := range 1 + rng.IntN(9) {
			state := states[rng.IntN(len(states))]
			if n == 0 {
				state = states[0]
			}
			lines = append(lines, fmt.Sprintf("INC%d,%s,%s,%d,User %d,%s,%s,?,Group %d,%d - x,%d", i, state, at.Format(time.DateTime), n, rng.IntN(3), opened, resolved, rng.IntN(3), 1+rng.IntN(4), rng.IntN(3)))
			at = at.Add(time.Duration(rng.IntN(600)) * time.Minute) // sometimes in the same minute
		}
		if rng.IntN(4) == 0 {
			lines = append(lines, lines[len(lines)-1]) // said twice
		}
	}
	return "number,incident_state,sys_updated_at,sys_mod_count,sys_updated_by,opened_at,resolved_at,closed_at,assignment_group,priority,reopen_count\n", lines
}

func TestWhateverOrderRowsOfALogComeInTheyGiveTheSame(t *testing.T) {
	m := mapOf(t, "servicenow-log", Override{})
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		header, lines := randomLog(rng)
		want, said := told(t, m, header+strings.Join(lines, "\n"))
		for range 3 {
			rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			got, again := told(t, m, header+strings.Join(lines, "\n"))
			require.Len(t, got, len(want), "seed %d", seed)
			for number, s := range want {
				other := got[number]
				other.line = s.line // of its first row, which moved
				require.Equal(t, s, other, "seed %d", seed)
			}
			again.Rejects, said.Rejects = nil, nil // their lines moved
			require.Equal(t, said, again, "seed %d", seed)
		}
	}
}

// TestEveryStoryHolds checks what must be so of any incident that an import writes.
func TestEveryStoryHolds(t *testing.T) {
	m := mapOf(t, "servicenow-log", Override{})
	for seed := range uint64(300) {
		header, lines := randomLog(rand.New(rand.NewPCG(seed, 10)))
		all, _ := told(t, m, header+strings.Join(lines, "\n"))
		for number, s := range all {
			place := fmt.Sprintf("seed %d %s: %s", seed, number, kinds(s))
			require.Equal(t, event.IncidentOpened, s.versions[0].kind, place)
			require.Equal(t, s.openedAt, s.versions[0].at, place)
			require.True(t, slices.IsSortedFunc(s.versions, func(a, b state) int { return int(a.at - b.at) }), place)
			for _, v := range s.versions {
				require.Equal(t, v.phase == phaseClosed || v.phase == phaseCancelled, v.closedAt != 0, place)
				require.True(t, v.resolvedAt == 0 || v.resolvedAt >= s.openedAt, place)
				require.True(t, v.phase != phaseResolved || v.resolvedAt != 0, place)
				require.True(t, v.phase == phaseOpen || v.heldAs == "", place)
				require.Contains(t, []int32{1, 2, 3, 4, 5}, v.priority, place)
			}
		}
	}
}

func TestALogOfActivitiesTellsWhoHadItAndCountsHandOvers(t *testing.T) {
	m := mapOf(t, "service-manager-log", Override{})
	all, said := told(t, m, `Incident ID;DateStamp;IncidentActivity_Number;IncidentActivity_Type;Assignment Group;KM number;Interaction ID
IM1;07-01-2013 08:17:17;001A3689763;Reassignment;TEAM0001;KM0000553;SD0000007
IM1;04-11-2013 13:41:30;001A5849941;Reassignment;TEAM0002;KM0000553;SD0000007
IM1;06-12-2012 08:00:00;001A3544096;Open;TEAM0001;KM0000553;SD0000007
IM1;04-11-2013 13:51:18;001A5852172;Closed;TEAM0003;KM0000553;SD0000007
IM1;04-11-2013 13:41:30;001A5849940;Update from customer;TEAM0003;KM0000553;SD0000007
`)
	s := all["IM1"]
	require.Equal(t, "opened@06 08:00 assigned@07 08:17 noted@04 13:41 assigned@04 13:41 resolved@04 13:51 closed@04 13:51", kinds(s))
	last := s.versions[len(s.versions)-1]
	require.Equal(t, []any{"TEAM0002", phaseClosed, int32(2)}, []any{last.team, last.phase, s.reassignments})
	require.Equal(t, []Flag{{flagCloseResolves, 1}}, said.Flags)
	require.Equal(t, []string{"KM number", "Interaction ID"}, said.Unmapped)
}
