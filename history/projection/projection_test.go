package projection_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/projection"
)

func openOn(t testing.TB, e *chdb.Engine, database string) *clickhouse.DB {
	t.Helper()
	u, err := url.Parse(e.URL())
	require.NoError(t, err)
	u.User, u.Path = url.UserPassword(e.Writer().User, e.Writer().Password), "/"+database
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{URL: u.String(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func open(t testing.TB) *clickhouse.DB {
	t.Helper()
	e, database := chdbtest.Database(t)
	return openOn(t, e, database)
}

// run has a projector follow until it has read all and recomputed what follows from it.
func run(t testing.TB, o projection.Options) *projection.Projector {
	t.Helper()
	p, stop := begun(t, o)
	even(t, p)
	stop()
	return p
}

func begun(t testing.TB, o projection.Options) (*projection.Projector, func()) {
	t.Helper()
	if o.Pace == 0 {
		o.Pace = 5 * time.Millisecond
	}
	p := projection.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		_ = p.Run(ctx)
		close(done)
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return p, stop
}

func even(t testing.TB, p *projection.Projector) {
	t.Helper()
	require.Eventually(t, func() bool {
		s := p.Status()
		return s.Even && s.Entries() == 0
	}, time.Minute, 5*time.Millisecond, "%+v", p.Status())
}

func requireSame(t *testing.T, changes []event.Change, db *clickhouse.DB) {
	t.Helper()
	want, got := count(changes).lines(event.FromTime(time.Now())), linesOf(t, db)
	var diff []string
	for _, line := range want {
		if !slices.Contains(got, line) {
			diff = append(diff, "- "+line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			diff = append(diff, "+ "+line)
		}
	}
	slices.SortFunc(diff, func(a, b string) int { return strings.Compare(a[2:], b[2:]) })
	require.Empty(t, diff, strings.Join(diff[:min(len(diff), 20)], ""))
	require.Len(t, got, len(want))
}

func TestWhatIsInTheTablesIsWhatADumbCountOfTheChangesSays(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			changes := invent(seed, 700)
			db := open(t)
			run(t, projection.Options{Source: newLog(changes), Target: db})
			requireSame(t, changes, db)
		})
	}
}

// flaky is a database from which the writer is cut off at random: before a statement, or after it and before its answer.
type flaky struct {
	*clickhouse.DB
	mu    sync.Mutex
	r     *rand.Rand
	every int
	cuts  int
	off   atomic.Bool
}

var errCut = fmt.Errorf("%w: cut off", history.ErrDown)

func (f *flaky) cut() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off.Load() || f.r.IntN(f.every) != 0 {
		return false
	}
	f.cuts++
	return true
}

func (f *flaky) around(do func() error) error {
	if f.cut() {
		return errCut
	}
	if err := do(); err != nil {
		return err
	}
	if f.cut() {
		return errCut
	}
	return nil
}

func (f *flaky) Insert(ctx context.Context, table string, columns []clickhouse.Column) error {
	return f.around(func() error { return f.DB.Insert(ctx, table, columns) })
}

func (f *flaky) Recompute(ctx context.Context, origin string, shard uint32, incidents []uint64) error {
	return f.around(func() error { return f.DB.Recompute(ctx, origin, shard, incidents) })
}

func (f *flaky) RecomputeHours(ctx context.Context, shard uint32, from, to time.Time, seq uint64) error {
	return f.around(func() error { return f.DB.RecomputeHours(ctx, shard, from, to, seq) })
}

func TestAProjectorThatIsCutOffAnywhereCountsEverythingOnce(t *testing.T) {
	cuts := 0
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			changes := invent(100+seed, 500)
			f := &flaky{DB: open(t), r: rand.New(rand.NewPCG(seed, 3)), every: 12}
			log := newLog(nil)
			// Each round the log has grown, and a new projector goes on where the last one was cut off.
			for part := range slices.Chunk(changes, len(changes)/3+1) {
				log.append(part...)
				for range 4 {
					p := projection.New(projection.Options{Source: log, Target: f, Pace: time.Millisecond, BatchRows: 40 + f.r.IntN(300)})
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(f.r.IntN(150))*time.Millisecond)
					require.NoError(t, p.Run(ctx))
					cancel()
				}
			}
			f.off.Store(true)
			cuts += f.cuts
			run(t, projection.Options{Source: log, Target: f})
			requireSame(t, changes, f.DB)
		})
	}
	require.Positive(t, cuts)
}

func TestKillingTheEngineDuringInsertsLosesAndDoublesNothing(t *testing.T) {
	e := chdbtest.New(t, chdb.Options{Dir: t.TempDir(), LongestWait: 500 * time.Millisecond})
	db := openOn(t, e, "kills")
	changes := invent(77, 150*rounds)
	log := newLog(nil)
	p, stop := begun(t, projection.Options{Source: log, Target: db, BatchRows: 50})
	defer stop()
	r := rand.New(rand.NewPCG(5, 5))
	for part := range slices.Chunk(changes, len(changes)/rounds+1) {
		log.append(part...)
		time.Sleep(time.Duration(20+r.IntN(300)) * time.Millisecond)
		kill(t, e)
	}
	even(t, p)
	stop()
	requireSame(t, changes, db)
}

// kill ends the engine's child once it runs.
func kill(t *testing.T, e *chdb.Engine) {
	t.Helper()
	require.Eventually(t, func() bool {
		pid := e.PID() // 0 while there is none, which would be all of us
		return pid > 1 && e.Healthy() == nil && syscall.Kill(pid, syscall.SIGKILL) == nil
	}, time.Minute, 5*time.Millisecond)
}

func TestADatabaseThatIsAwayIsToldOfOnceAndWhatWaitsComesIn(t *testing.T) {
	changes := invent(8, 300)
	f := &flaky{DB: open(t), r: rand.New(rand.NewPCG(1, 1)), every: 1}
	log := newLog(changes)
	var told syncBuilder
	registry := prometheus.NewRegistry()
	p, stop := begun(t, projection.Options{Source: log, Target: f, Logger: slog.New(slog.NewTextHandler(&told, nil)), Registerer: registry})
	defer stop()
	require.Eventually(t, func() bool { return !p.Status().Up && p.Status().Fault != "" }, time.Minute, time.Millisecond)
	time.Sleep(time.Second)
	require.Positive(t, p.Status().Entries())
	f.off.Store(true)
	even(t, p)
	stop()
	requireSame(t, changes, f.DB)
	require.Equal(t, 1, strings.Count(told.String(), "history stands still"))
	require.Equal(t, 1, strings.Count(told.String(), "history goes on"))
	require.Zero(t, metric(t, registry, "tocsin_history_lag_entries"))
	require.Positive(t, metric(t, registry, "tocsin_history_errors_total"))
	require.Positive(t, metric(t, registry, "tocsin_history_batches_total"))
}

func metric(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	require.Fail(t, "no such metric", name)
	return 0
}

type syncBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuilder) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuilder) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestChangesThatWereDroppedBeforeTheyWereReadAreReported(t *testing.T) {
	changes := invent(9, 600)
	half := slices.IndexFunc(changes, func(ch event.Change) bool { return ch.At > begin+event.Hour })
	db, log := open(t), newLog(slices.Clone(changes[:half]))
	run(t, projection.Options{Source: log, Target: db})
	log.append(changes[half:]...)
	through := changes[half+100].Seq
	log.drop(through)
	p := run(t, projection.Options{Source: log, Target: db})
	gaps := p.Status().Gaps
	require.Len(t, gaps, 1)
	require.Equal(t, changes[half-1].Seq+1, gaps[0].From)
	require.Equal(t, through, gaps[0].To)
	require.Equal(t, changes[half-1].At, gaps[0].Since)
	answer, err := db.Own(t.Context(), "SELECT count, text FROM log FINAL WHERE kind = 'history_gap'", nil)
	require.NoError(t, err)
	require.Equal(t, [][]any{{through - changes[half-1].Seq, fmt.Sprintf("changes %d to %d were dropped from the changes log before they were in the history", gaps[0].From, through)}}, answer.Rows)
}

func TestADatabaseOfAnotherDataFolderIsRefusedUntilItIsRebuilt(t *testing.T) {
	db := open(t)
	mine, theirs := invent(11, 300), invent(12, 300)
	other := newLog(theirs)
	other.instance = "feedf00d"
	run(t, projection.Options{Source: other, Target: db})
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO incidents (origin, incident, opened_at) VALUES ('old', 1, now())", nil))
	log := newLog(mine)
	p, stop := begun(t, projection.Options{Source: log, Target: db})
	defer stop()
	require.Eventually(t, func() bool { return strings.Contains(p.Status().Fault, "tocsin history rebuild") }, time.Minute, time.Millisecond)
	require.Contains(t, p.Status().Fault, "of feedf00d, and this is 0badcafe")
	require.NoError(t, p.Rebuild(t.Context()))
	require.ErrorIs(t, p.Rebuild(t.Context()), projection.ErrBusy)
	require.Eventually(t, func() bool { r := p.Status().Rebuild; return r != nil && !r.Ended.IsZero() }, time.Minute, time.Millisecond, "%+v", p.Status())
	stop()
	answer, err := db.Own(t.Context(), "SELECT count() FROM incidents FINAL WHERE origin = 'old'", nil)
	require.NoError(t, err)
	require.Equal(t, uint64(1), answer.Rows[0][0], "what was imported stays")
	require.NoError(t, db.Exec(t.Context(), "DELETE FROM incidents WHERE origin = 'old'", nil))
	requireSame(t, mine, db)
}

func TestARebuildThatIsCutOffIsFinishedByTheNextStart(t *testing.T) {
	db := open(t)
	changes := invent(13, 300)
	run(t, projection.Options{Source: newLog(invent(14, 300)), Target: db})
	require.NoError(t, db.Insert(t.Context(), "cursors", []clickhouse.Column{
		{Name: "instance", Data: []string{"rebuild:0badcafe"}}, {Name: "seq", Data: []uint64{1}},
	}))
	run(t, projection.Options{Source: newLog(changes), Target: db})
	requireSame(t, changes, db)
}

func TestARebuildSaysWhatTheLogHasNoMore(t *testing.T) {
	db := open(t)
	changes := invent(15, 400)
	log := newLog(slices.Clone(changes))
	p, stop := begun(t, projection.Options{Source: log, Target: db})
	defer stop()
	even(t, p)
	log.drop(changes[500].Seq)
	require.NoError(t, p.Rebuild(t.Context()))
	require.Eventually(t, func() bool { return !p.Status().Rebuild.Ended.IsZero() }, time.Minute, time.Millisecond)
	r := p.Status().Rebuild
	require.Equal(t, changes[500].Seq, r.From)
	first := changes[slices.IndexFunc(changes, func(ch event.Change) bool { return ch.Seq > r.From })]
	require.Equal(t, first.At, r.Kept)
	require.Empty(t, p.Status().Gaps, "nothing is lost that could have been kept")
}

func TestARedactedAttributeLeavesEveryVersion(t *testing.T) {
	db := open(t)
	const key = 0x1234567890abcdef
	said := func(seq uint64, owner, rack string) event.Change {
		ci := &event.CI{Tenant: "main", ID: "db-3", State: event.CILive, KnownAt: begin + event.Time(seq), Attributes: event.Labels{{Name: "owner", Value: owner}, {Name: "rack", Value: rack}}}
		return event.Change{Seq: seq, At: begin, Kind: event.CISet, CI: ci}
	}
	run(t, projection.Options{Source: newLog([]event.Change{
		said(1, "Ann", "7"), said(2, "Bo", "7"), said(3, "X", "7"), said(4, event.Redacted, "8"),
		{Seq: 5, At: begin, Kind: event.CIRedacted, CI: &event.CI{Tenant: "main", ID: "db-3"}, Text: "owner", Count: key},
		said(6, event.RedactedAs("Ann", key), "9"), said(7, "Cy", "9"),
	}), Target: db})
	answer, err := db.Own(t.Context(), "SELECT attributes FROM cis FINAL ORDER BY seq", nil)
	require.NoError(t, err)
	marked := func(owner, rack string) []any {
		return []any{map[string]string{"owner": event.RedactedAs(owner, key), "rack": rack}}
	}
	require.Equal(t, [][]any{marked("Ann", "7"), marked("Bo", "7"), marked("X", "7"), marked(event.Redacted, "8"), marked("Ann", "9"),
		{map[string]string{"owner": "Cy", "rack": "9"}}}, answer.Rows, "what differed differs, the key stays, and what is said later stays, as in the engine")
}

// taken is a feed of deliveries.
type taken []projection.Delivery

func (d taken) Deliveries(_ context.Context, after uint64, limit int) ([]projection.Delivery, error) {
	i := slices.IndexFunc(d, func(x projection.Delivery) bool { return x.Number > after })
	if i < 0 {
		return nil, nil
	}
	return d[i:min(i+limit, len(d))], nil
}

func TestDeliveriesComeInOnce(t *testing.T) {
	db := open(t)
	now := event.FromTime(time.Now())
	feed := taken{
		{Number: 1, At: now, Tenant: "main", Incident: 3, Subject: "INC-3", Kind: "incident_opened", Receiver: "night", Integration: "pagerduty", Person: "ann", Rings: true, Attempts: 2, Delay: 1500},
		{Number: 2, At: now, Tenant: "main", Subject: "storm", Receiver: "day", Integration: "email"},
	}
	log := newLog(invent(16, 10))
	for range 2 {
		p, stop := begun(t, projection.Options{Source: log, Target: db, Deliveries: feed})
		even(t, p)
		stop()
	}
	answer, err := db.Own(t.Context(), "SELECT number, incident, toString(person), rings, attempts, delay_ms, instance FROM notifications ORDER BY number", nil)
	require.NoError(t, err)
	require.Equal(t, [][]any{
		{uint64(1), uint64(3), "ann", true, uint16(2), uint32(1500), "0badcafe"}, {uint64(2), uint64(0), "", false, uint16(0), uint32(0), "0badcafe"},
	}, answer.Rows)
}

func TestTheHistoryStepsAsideWhileAlertsWait(t *testing.T) {
	changes := invent(17, 400)
	db := open(t)
	var busy atomic.Bool
	busy.Store(true)
	p, stop := begun(t, projection.Options{Source: newLog(changes), Target: db, BatchRows: 50, Busy: busy.Load})
	defer stop()
	time.Sleep(500 * time.Millisecond)
	require.Positive(t, p.Status().Entries(), "it is slow")
	busy.Store(false)
	even(t, p)
	stop()
	requireSame(t, changes, db)
}
