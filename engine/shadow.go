package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
)

// What callers decide on about the shadow.
var (
	ErrShadowRuns = errors.New("engine: a shadow runs already")
	ErrNoShadow   = errors.New("engine: no shadow runs")
)

const (
	// shadowBehind is how many inputs a shadow may be behind.
	shadowBehind = 200_000
	// shadowAlerts bounds what a shadow remembers: each time that an alert began to fire.
	shadowAlerts = 2_000_000
	// shadowSpell is how long it works in one go while alerts come in; then it rests twice as long.
	shadowSpell = 2 * time.Millisecond
	// shadowPause is how long it waits before it looks again whether the changes of an input are durable.
	shadowPause = 10 * time.Millisecond
)

// ShadowRequest says under which rules to run a shadow.
type ShadowRequest struct {
	Rules     []byte // rules.Bundle; the caller has checked it
	Version   string // of those rules, for people
	By        string // who asked for it
	MaxBehind uint64 // inputs; more ends it. 0: 200,000
	MaxAlerts int    // that it remembers; more end it. 0: 2,000,000
}

// ShadowStatus says how the shadow does, or how the last one ended.
type ShadowStatus struct {
	Running   bool
	Version   string // of its rules
	By        string
	StartedAt time.Time // zero: there was none since the data was made, or nothing is known of it any more
	FromSeq   uint64    // the state that it began with
	Seq       uint64    // the last input that it stepped
	Behind    uint64    // inputs
	EndedAt   time.Time
	Ended     string // why, "" while it runs
	Live      contrast.Figures
	Other     contrast.Figures
	Asked     contrast.Asked
}

// A shadow is a second state with other rules. It begins as a copy of the live one and steps the same inputs:
//
//	stepper ──▶ changes log ──▶ ┌────────┐
//	                            │ shadow │ ──▶ what differs
//	committer ──▶ journal ────▶ └────────┘
//
// The journal is its queue and its lag the queue's length: nobody waits for it, and one that falls too far behind ends. Its goroutine
// owns everything but what is atomic.
type shadow struct {
	e       *Engine
	q       ShadowRequest
	started time.Time
	stop    context.CancelFunc
	done    chan struct{}
	asks    chan shadowAsk

	from, seq atomic.Uint64
	rested    time.Time       // when it last gave way
	heard     uint64          // what was acknowledged then
	view      *correlate.View // what it begins with, nil once it has
	pair      *contrast.Pair
	rival     *contrast.Rival
	log       journal.Reader // of the changes log
	next      journal.Record // of it, not yet followed
	have      bool
}

// shadowAsk is somebody's wish to know; want nil: no differences.
type shadowAsk struct {
	want  func(tenant string) bool
	reply chan shadowAnswer
}

// shadowAnswer is what the shadow says when it is asked.
type shadowAnswer struct {
	live, other contrast.Figures
	asked       contrast.Asked
	differences []contrast.Difference
}

// shadowPlace holds the shadow, or what is known of the last one.
type shadowPlace struct {
	mu      sync.Mutex
	current *shadow // nil: none runs
	ended   ShadowStatus
}

// StartShadow copies the state and runs the copy under other rules from here on. It returns at once; Shadow says how it does.
func (e *Engine) StartShadow(ctx context.Context, q ShadowRequest) error {
	if q.MaxBehind == 0 {
		q.MaxBehind = shadowBehind
	}
	if q.MaxAlerts == 0 {
		q.MaxAlerts = shadowAlerts
	}
	e.shadow.mu.Lock()
	defer e.shadow.mu.Unlock()
	if e.shadow.current != nil {
		return ErrShadowRuns
	}
	e.shadowed.Store(true) // before the view: what is stepped after it moves settled
	v, err := e.View(ctx)
	if err != nil {
		e.shadowed.Store(false)
		return err
	}
	run, stop := context.WithCancel(context.Background())
	s := &shadow{e: e, q: q, started: time.Now(), stop: stop, done: make(chan struct{}), asks: make(chan shadowAsk), view: v}
	s.from.Store(v.Seq)
	s.seq.Store(v.Seq)
	if err := s.mark(); err != nil {
		stop()
		e.shadowed.Store(false)
		return err
	}
	e.shadow.current = s
	e.log.Info("shadow of other rules starts", "rules", q.Version, "seq", v.Seq)
	go func() {
		defer close(s.done)
		err := s.run(run)
		if run.Err() == nil {
			s.giveUp(err)
		}
	}()
	return nil
}

// StopShadow ends the shadow.
func (e *Engine) StopShadow(by string) error {
	e.shadow.mu.Lock()
	s := e.shadow.current
	e.shadow.mu.Unlock()
	if s == nil {
		return ErrNoShadow
	}
	s.stop()
	<-s.done
	s.leave("stopped by " + by)
	return nil
}

// Shadow says how the shadow does, without what needs its goroutine.
func (e *Engine) Shadow() ShadowStatus {
	e.shadow.mu.Lock()
	defer e.shadow.mu.Unlock()
	if e.shadow.current == nil {
		return e.shadow.ended
	}
	return e.shadow.current.status()
}

// AskShadow says how the shadow does, with its figures, and what differs for the tenants that want takes; nil asks for no differences.
func (e *Engine) AskShadow(ctx context.Context, want func(tenant string) bool) (ShadowStatus, []contrast.Difference, error) {
	e.shadow.mu.Lock()
	s := e.shadow.current
	e.shadow.mu.Unlock()
	if s == nil {
		return e.Shadow(), nil, ErrNoShadow
	}
	q := shadowAsk{want, make(chan shadowAnswer, 1)}
	select {
	case s.asks <- q:
	case <-s.done:
		return e.Shadow(), nil, ErrNoShadow
	case <-ctx.Done():
		return ShadowStatus{}, nil, ctx.Err()
	}
	a := <-q.reply
	st := s.status()
	st.Live, st.Other, st.Asked = a.live, a.other, a.asked
	return st, a.differences, nil
}

func (s *shadow) status() ShadowStatus {
	seq, acked := s.seq.Load(), s.e.acked.Load()
	return ShadowStatus{
		Running: true, Version: s.q.Version, By: s.q.By, StartedAt: s.started, FromSeq: s.from.Load(), Seq: seq, Behind: max(acked, seq) - seq,
	}
}

// run carries the shadow until its context ends, or it cannot go on.
func (s *shadow) run(ctx context.Context) error {
	from := s.from.Load()
	if err := s.begin(); err != nil {
		return err
	}
	s.log = s.e.changes.Reader(max(from+1, s.e.changes.First()))
	defer s.log.Close()
	r := s.e.journal.SegmentReader(from + 1)
	defer r.Close()
	in := inputs{r: r, after: from}
	for {
		input, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			if err := s.idle(ctx, in.after); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if err := s.take(ctx, input); err != nil {
				return err
			}
		}
	}
}

// begin copies the live state, and lets go of the view.
func (s *shadow) begin() error {
	state, err := copyOf(s.view)
	if err != nil {
		return err
	}
	s.pair = contrast.NewPair(contrast.NewWorld(s.view), contrast.NewWorld(state.View()))
	s.rival = contrast.NewRival(state, s.pair, s.q.Rules, state.At())
	s.view = nil
	return nil
}

// copyOf returns a state of its own that is as the view is.
func copyOf(v *correlate.View) (*correlate.State, error) {
	from, to := io.Pipe()
	go func() { to.CloseWithError(v.Save(to)) }()
	state, err := correlate.Load(from)
	from.CloseWithError(err) // lets Save go when Load gave up
	return state, err
}

// idle answers who asks until there is another input.
func (s *shadow) idle(ctx context.Context, seq uint64) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	more := make(chan error, 1)
	go func() { more <- s.e.journal.Wait(waiting, seq) }()
	for {
		select {
		case err := <-more:
			return err
		case q := <-s.asks:
			q.reply <- s.answer(q.want)
		}
	}
}

// take steps an input once its live changes are known.
func (s *shadow) take(ctx context.Context, in *event.Input) error {
	if behind := max(s.e.acked.Load(), in.Seq) - in.Seq; behind > s.q.MaxBehind {
		return fmt.Errorf("it fell %d inputs behind, and at most %d may be", behind, s.q.MaxBehind)
	}
	if n := max(s.pair.Base.Size(), s.pair.Other.Size()); n > s.q.MaxAlerts {
		return fmt.Errorf("it has seen alerts begin %d times, and remembers no more", n)
	}
	s.giveWay()
	select {
	case q := <-s.asks:
		q.reply <- s.answer(q.want)
	default:
	}
	prepared := s.rival.Prepare(in)
	if err := s.follow(ctx, in.Seq); err != nil {
		return err
	}
	s.rival.Step(in, prepared)
	s.seq.Store(in.Seq)
	return nil
}

// giveWay leaves the processor to the daemon while inputs come in there, as long as the shadow is not too far behind for that.
func (s *shadow) giveWay() {
	worked := time.Since(s.rested)
	if worked < shadowSpell {
		return
	}
	acked := s.e.acked.Load()
	if came := acked != s.heard; came && max(acked, s.seq.Load())-s.seq.Load() < s.q.MaxBehind/2 {
		time.Sleep(2 * min(worked, shadowSpell))
	}
	s.heard, s.rested = acked, time.Now()
}

// follow waits until the live changes of an input are durable and follows them.
func (s *shadow) follow(ctx context.Context, seq uint64) error {
	for s.e.settled.Load() < seq {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.e.done:
			return ErrClosed
		case q := <-s.asks:
			q.reply <- s.answer(q.want)
		case <-time.After(shadowPause):
		}
	}
	for {
		if !s.have {
			rec, _, err := s.log.Next()
			if err != nil {
				return ignoreEOF(err)
			}
			s.next, s.have = rec, true
		}
		if s.next.Seq > seq {
			return nil
		}
		s.have = false
		if s.next.Seq < seq || len(s.next.Payload) == 0 {
			continue
		}
		if err := event.VisitChanges(s.next.Payload, seq, event.Time(s.next.At), tellsOfPlaces, func(ch *event.Change) bool {
			s.pair.Base.Change(ch)
			return true
		}); err != nil {
			return err
		}
	}
}

// tellsOfPlaces tells whether a change can say in which incident an alert is.
func tellsOfPlaces(k event.ChangeKind) bool { return k != event.AlertSeen && k != event.PositionMoved }

func (s *shadow) answer(want func(tenant string) bool) shadowAnswer {
	a := shadowAnswer{live: s.pair.Base.Figures(), other: s.pair.Other.Figures(), asked: s.rival.Asked.Clone()}
	if want != nil {
		a.differences = s.pair.Differences(want)
	}
	return a
}

// giveUp ends a shadow that cannot go on.
func (s *shadow) giveUp(err error) {
	why := "it failed: " + err.Error()
	switch {
	case errors.Is(err, journal.ErrTruncated):
		why = "it fell so far behind that the journal no longer holds what it has yet to step"
	case s.pair != nil:
		why = err.Error()
	}
	s.e.log.Warn("shadow of other rules ends", "reason", why)
	s.leave(why)
}

// leave takes the shadow from its place and remembers why it ended.
func (s *shadow) leave(why string) {
	e := s.e
	e.shadow.mu.Lock()
	defer e.shadow.mu.Unlock()
	if e.shadow.current != s {
		return
	}
	st := s.status()
	st.Running, st.Behind, st.Ended, st.EndedAt = false, 0, why, time.Now()
	if s.pair != nil {
		a := s.answer(nil)
		st.Live, st.Other, st.Asked = a.live, a.other, a.asked
	}
	e.shadow.ended, e.shadow.current = st, nil
	e.shadowed.Store(false)
	if err := os.Remove(e.shadowMark()); err != nil && !errors.Is(err, os.ErrNotExist) {
		e.log.Error("the mark of the shadow stays", "error", err)
	}
}

// leaveShadow ends the shadow with the daemon; its mark stays, so that the next start can say so.
func (e *Engine) leaveShadow() {
	e.shadow.mu.Lock()
	s := e.shadow.current
	e.shadow.mu.Unlock()
	if s != nil {
		s.stop()
		<-s.done
	}
}

// shadowMark is the file that tells the next start of a shadow that it ends.
func (e *Engine) shadowMark() string { return filepath.Join(e.o.Dir, "shadow") }

// marked is what that file holds.
type marked struct {
	Version string    `json:"version"`
	By      string    `json:"by"`
	Started time.Time `json:"started"`
}

func (s *shadow) mark() error {
	err := writeDurably(s.e.shadowMark(), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(marked{s.q.Version, s.q.By, s.started})
	})
	if err != nil {
		return fmt.Errorf("engine: shadow: %w", err)
	}
	return nil
}

// recallShadow remembers the shadow that ran when the daemon ended: it does not go on.
func (e *Engine) recallShadow() {
	text, err := os.ReadFile(e.shadowMark())
	if err != nil {
		return
	}
	var m marked
	if err := json.Unmarshal(text, &m); err == nil {
		e.shadow.ended = ShadowStatus{
			Version: m.Version, By: m.By, StartedAt: m.Started, EndedAt: e.started.At, Ended: "the daemon was started again",
		}
	}
	if err := os.Remove(e.shadowMark()); err != nil {
		e.log.Error("the mark of the shadow stays", "error", err)
	}
}
