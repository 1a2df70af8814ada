package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/internal/peers"
	"github.com/tocsin-noc/tocsin/journal/disk"
)

// withHistory starts a daemon that keeps a history.
func withHistory(t *testing.T, args ...string) *peers.Daemon {
	t.Helper()
	chdbtest.Library(t)
	return peers.Tocsin(t, append(args, "--history=chdb")...)
}

var historyURL = regexp.MustCompile(`history is embedded" url=(\S+)`)

// ask puts a question to the history as its reader and returns the answer's lines.
func ask(t *testing.T, d *peers.Daemon, question string) (lines []string, ok bool) {
	t.Helper()
	found := historyURL.FindAllStringSubmatch(d.Log(), -1)
	if len(found) == 0 {
		return nil, false
	}
	var reader struct{ User, Password string }
	text, err := os.ReadFile(filepath.Join(d.Data, "history", "reader.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &reader))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, found[len(found)-1][1]+"/?database=tocsin&query="+url.QueryEscape(question), nil)
	require.NoError(t, err)
	req.SetBasicAuth(reader.User, reader.Password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, false
	}
	defer func() { require.NoError(t, res.Body.Close()) }()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Logf("%d %s %v", res.StatusCode, answer, err)
		return nil, false
	}
	return strings.Fields(string(answer)), true
}

// logged counts what the changes log of a stopped daemon holds, as the questions below do.
func logged(t *testing.T, data string) (transitions, repeats, opened uint64, open map[event.IncidentID]bool) {
	t.Helper()
	l, err := disk.OpenReadOnly(filepath.Join(data, "changes"), disk.Options{Name: "changes"})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	r := l.Reader(l.First())
	defer r.Close()
	open = map[event.IncidentID]bool{}
	for {
		rec, _, err := r.Next()
		if err == io.EOF {
			return transitions, repeats, opened, open
		}
		require.NoError(t, err)
		changes, err := event.DecodeChanges(rec.Payload, rec.Seq, event.Time(rec.At))
		require.NoError(t, err)
		for i := range changes {
			ch := &changes[i]
			switch {
			case ch.Kind == event.AlertSeen:
				repeats++
			case ch.Alert.ID != 0:
				transitions++
			case ch.Incident != nil:
				if ch.Kind == event.IncidentOpened {
					opened++
				}
				open[ch.Incident.ID] = ch.Incident.Phase == event.IncidentOpen
			}
		}
	}
}

const sums = `SELECT (SELECT count() FROM transitions FINAL), (SELECT sum(repeats) FROM repeats FINAL),
	(SELECT countIf(kind = 'incident_opened') FROM incident_versions FINAL), (SELECT count() FROM incidents FINAL),
	(SELECT countIf(phase = 'open') FROM incidents FINAL)`

func TestTheHistoryHoldsWhatTheChangesLogHoldsAfterKillsOfEitherProcess(t *testing.T) {
	t.Parallel()
	rounds := 5
	if os.Getenv("SOAK") != "" {
		rounds = 30
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	d := withHistory(t)
	senders := make([]*sender, 4)
	for i := range senders {
		senders[i] = &sender{name: fmt.Sprintf("h%d", i), rng: rand.New(rand.NewPCG(seed, uint64(i+2))), beliefs: map[string]belief{}}
	}
	for round := range rounds {
		if round%2 == 1 {
			killEngine(t, d, time.Duration(rng.IntN(500))*time.Millisecond)
		}
		crash(d, senders, int64(50+rng.IntN(300)))
		d.Restart()
	}
	for _, s := range senders {
		s.check(t, instances(t, d.URL))
	}
	d.Stop() // from here on nothing happens but the start
	transitions, repeats, opened, open := logged(t, d.Data)
	d.Restart()
	still := 0
	for _, is := range open {
		if is {
			still++
		}
	}
	want := []string{number(transitions), number(repeats), number(opened), strconv.Itoa(len(open)), strconv.Itoa(still)}
	var got []string
	require.Eventually(t, func() bool {
		got, _ = ask(t, d, sums)
		return fmt.Sprint(got) == fmt.Sprint(want)
	}, 2*patience, 200*time.Millisecond, "want %v, last answer %v", want, &got)
	require.Greater(t, transitions, uint64(500))
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// killEngine ends the engine's process after a while, as a crash does.
func killEngine(t *testing.T, d *peers.Daemon, after time.Duration) {
	t.Helper()
	var killed atomic.Bool
	daemon := d.PID() // the one that runs now: the next may be starting by then
	time.AfterFunc(after, func() {
		for _, pid := range children(daemon) {
			killed.Store(syscall.Kill(pid, syscall.SIGKILL) == nil)
		}
	})
	t.Cleanup(func() { t.Log("an engine was killed:", killed.Load()) })
}

// children lists the processes that a process has started.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestAlertsAreTakenWhileTheHistorysDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 64)
	data := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.MkdirAll(data, 0o700))
	require.NoError(t, os.Symlink(disk, filepath.Join(data, "history")))
	d := withHistory(t, "--data", data)
	d.Data = data
	mustPost(t, d.URL, firing("Before", "a"))
	await(t, "the first alert in the history", func() bool {
		got, _ := ask(t, d, "SELECT count() FROM transitions")
		return len(got) == 1 && got[0] == "1"
	})
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	for i := range 20 {
		mustPost(t, d.URL, firing("Full", fmt.Sprint("b", i)))
		fill(t, ballast)
	}
	await(t, "the history to say that it stands still", func() bool {
		status := get[struct {
			Fault string `json:"fault"`
		}](t, d.URL+"/api/v1/history")
		fill(t, ballast)
		return status.Fault != ""
	})
	mustPost(t, d.URL, firing("Still", "c"))
	require.NoError(t, os.Remove(ballast))
	require.Eventually(t, func() bool {
		got, _ := ask(t, d, "SELECT count() FROM transitions FINAL")
		return len(got) == 1 && got[0] == "22"
	}, 2*patience, 200*time.Millisecond, "the history to catch up once there is room")
}
