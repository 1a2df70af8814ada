package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestWhateverWasTakenAwayAReplayComesToTheSame(t *testing.T) {
	seeds := uint64(4)
	if os.Getenv("SOAK") != "" {
		seeds = 10
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			dir := t.TempDir()
			e := open(t, options(dir))
			send(t, e, alert(1, "critical"))
			ids := []event.IncidentID{1, opened(t, e, secret), opened(t, e, "two")}
			for range 60 {
				_, err := e.Do(t.Context(), anything(r, ids))
				require.NoError(t, err)
			}
			refused := func(err error) {
				if err != nil {
					var refusal *event.Refusal
					require.ErrorAs(t, err, &refusal, "%v", e.Err())
				}
			}
			for _, id := range ids {
				for _, field := range []string{"title", "ticket", "major", "task 1", "task 2", "report 1", "report 2", "proposal 1", "proposal 2"} {
					if r.IntN(2) == 0 {
						refused(e.RedactField(t.Context(), id, field, "x", "u-9"))
					}
				}
				entries, _, _, err := e.Timeline(t.Context(), id, Cursor{}, 10_000)
				require.NoError(t, err)
				for _, ch := range entries {
					if ch.Actor != "" && r.IntN(3) == 0 {
						refused(e.RedactEntry(t.Context(), id, cursorOf(&ch), "x", "u-9"))
					}
				}
			}
			require.NoError(t, e.Close())
			report, err := Replay(dir, ReplayOptions{Version: "test-1"})
			require.NoError(t, err)
			require.Zero(t, report.Differing, "%v", report.Differences)
		})
	}
}

// anything returns a command with texts that are easily taken for others.
func anything(r *rand.Rand, ids []event.IncidentID) event.Command {
	pool := []string{secret, "xyz", "ab: " + secret, `"` + secret + `"`, "bcd", "task", "of", "Ann", secret + ": y"}
	text := func() string { return pool[r.IntN(len(pool))] }
	either := func() uint64 { return uint64(ids[r.IntN(len(ids))]) }
	who := []string{"u-1", "u-2"}
	c := event.Command{Tenant: "main", Actor: who[r.IntN(2)], Incident: either(), Text: text()}
	switch r.IntN(12) {
	case 0:
		c.Kind, c.Edit = event.EditIncident, &event.IncidentEdit{Fields: event.PinTitle | event.PinCI, Title: text(), CI: text()}
	case 1:
		c.Kind, c.Task = event.SetTask, &event.Task{Title: text(), Number: uint32(r.IntN(4)), Done: r.IntN(2) == 0}
	case 2, 3:
		c.Kind, c.Report = event.TakeReport, &event.Report{Caller: text(), Text: text()}
	case 4:
		c.Kind, c.Ticket = event.SetTicket, &event.Ticket{Supplier: text(), Reference: text(), LastWord: text()}
	case 5:
		c.Kind = event.SetTicket
	case 6:
		c.Kind, c.Other = event.Merge, either()
	case 7:
		c.Kind = event.Unmerge
	case 8:
		c.Kind, c.Number, c.Accept = event.AnswerProposal, uint32(1+r.IntN(3)), r.IntN(2) == 0
	case 9:
		c.Kind, c.Major = event.SetMajor, &event.MajorIncident{Bridge: text()}
	case 10:
		c.Kind, c.Assignee = event.Assign, who[r.IntN(2)]
	default:
		c.Kind, c.Other = event.Relate, either()
	}
	return c
}
