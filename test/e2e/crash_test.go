package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// belief is what a sender knows about one of its alerts: what was acknowledged last, or nothing for sure.
type belief uint8

const (
	fires belief = iota + 1
	ended
	unsure // a request about it was under way when the daemon died
)

// sender posts batches until the daemon dies. It owns its alerts, so what it believes is in order.
type sender struct {
	name     string
	rng      *rand.Rand
	beliefs  map[string]belief
	unasked  int // number of the next new alert
	problems []string
}

// batch makes up to 20 new alerts, and ends some of the old ones.
func (s *sender) batch() (alerts []alert, after map[string]belief) {
	after = map[string]belief{}
	for range 1 + s.rng.IntN(20) {
		instance := fmt.Sprintf("%s-%d", s.name, s.unasked)
		s.unasked++
		alerts, after[instance] = append(alerts, firing("Crash"+instance[len(instance)-1:], instance)), fires
	}
	for instance, b := range s.beliefs {
		if b == fires && s.rng.IntN(10) == 0 {
			alerts, after[instance] = append(alerts, over(firing("Crash"+instance[len(instance)-1:], instance))), ended
		}
		if len(alerts) > 30 {
			break
		}
	}
	return alerts, after
}

// run posts until a request is not answered, and tells of each one that was acknowledged.
func (s *sender) run(url string, acknowledged func()) {
	for {
		alerts, after := s.batch()
		status, answer := post(url, alerts...)
		if status == http.StatusOK {
			maps.Copy(s.beliefs, after)
			acknowledged()
			continue
		}
		if status != 0 {
			s.problems = append(s.problems, fmt.Sprintf("%d %s", status, answer))
		}
		for instance := range after {
			s.beliefs[instance] = unsure
		}
		return
	}
}

// check compares the daemon's list with what the sender believes.
func (s *sender) check(t *testing.T, found map[string]int) {
	t.Helper()
	require.Empty(t, s.problems)
	for instance, b := range s.beliefs {
		switch b {
		case fires:
			require.Equal(t, 1, found[instance], "%s was acknowledged and is not there", instance)
		case ended:
			require.Zero(t, found[instance], "%s was acknowledged to be over and still fires", instance)
		case unsure:
			require.LessOrEqual(t, found[instance], 1, instance)
		}
	}
}

func TestWhatWasAcknowledgedSurvivesAKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	rounds := 5
	if os.Getenv("SOAK") != "" {
		rounds = 50
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	args := config(t, "journal: {segment_bytes: 1MiB}\nchanges: {segment_bytes: 1MiB}\nsnapshot: {interval: 1s}\n")
	d := peers.Tocsin(t, args...)
	senders := make([]*sender, 8)
	for i := range senders {
		senders[i] = &sender{name: fmt.Sprintf("s%d", i), rng: rand.New(rand.NewPCG(seed, uint64(i+2))), beliefs: map[string]belief{}}
	}
	for range rounds {
		crash(d, senders, int64(1+rng.IntN(400)))
		d.Restart()
		found := instances(t, d.URL)
		for _, s := range senders {
			s.check(t, found)
		}
	}
	d.Kill9()
	requireSound(t, d.Data)
	d.Restart()
	requireSound(t, d.Data) // beside the running daemon
}

// crash kills the daemon under load, once it has acknowledged so many requests.
func crash(d *peers.Daemon, senders []*sender, after int64) {
	var acknowledged atomic.Int64
	reached := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range senders {
		wg.Go(func() {
			s.run(d.URL, func() {
				if acknowledged.Add(1) == after {
					close(reached)
				}
			})
		})
	}
	select {
	case <-reached:
	case <-d.Gone():
	}
	d.Kill9()
	wg.Wait()
}
