package notify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// ErrGone says that the changes after a cursor are no longer kept. A Source's Changes ends with it.
var ErrGone = errors.New("notify: changes are no longer kept")

// ErrNoIncident says that there is no such incident. A Source's Incident returns it.
var ErrNoIncident = errors.New("notify: there is no such incident")

// Source is the engine as notify needs it.
type Source interface {
	// Changes yields, in order and for ever, the changes after a cursor whose kind Wanted accepts, and a change of kind 0 with
	// Seq and N whenever it has come to the end.
	Changes(ctx context.Context, after string) iter.Seq2[*event.Change, error]
	// Head is the cursor of the latest change.
	Head() string
	// Incident returns an incident as it is now. ErrNoIncident: there is none, and waiting will not help.
	Incident(ctx context.Context, id event.IncidentID) (*Subject, error)
	// Open returns a tenant's open incidents, without their Data.
	Open(ctx context.Context, tenant string) ([]Subject, error)
	// Service returns how people call a service, and which team works on it, "" when that is said nowhere.
	Service(ctx context.Context, tenant, id string) (name, team string, err error)
}

// Subject is an incident as it is now.
type Subject struct {
	State event.IncidentState
	Data  message.Incident
	Quiet bool // alerts fire, or their signal was lost, and every one of them is kept quiet

	// Shared returns the labels that all its alerts that fire have with one value; where none fires, all its alerts. nil: it has none.
	Shared func() map[string]string
}

func (s *Subject) labels() map[string]string {
	if s.Shared == nil {
		return nil
	}
	return s.Shared()
}

// Person is what is known of somebody's reach.
type Person struct {
	Name      string
	Addresses map[string]string // by kind, as in "email"
}

// People knows persons.
type People interface {
	Person(login string) (Person, bool)
	Login(id string) string // of the opaque id that the core knows; the id itself when it is nobody's
}

// Options of a Notifier. Path, Source and Config must be set.
type Options struct {
	Path       string // of the bbolt file
	Source     Source
	Config     Config
	People     People           // nil: nobody has an address of their own
	Instance   string           // of the data folder; stands in front of keys, so that those of two daemons never meet
	Now        func() time.Time // nil: the machine's clock
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Config is what a reload replaces.
type Config struct {
	Settings  *settings.Settings
	Templates *message.Templates
	Receivers map[string]receivers.Receiver
}

// Notifier is a running outbox.
type Notifier struct {
	o       Options
	log     *slog.Logger
	store   *store
	metrics *metrics
	config  atomic.Pointer[Config]

	mu      sync.Mutex
	queues  map[string]*queue // by receiver
	wake    chan struct{}     // something may be due earlier
	stalled atomic.Pointer[string]
	behind  atomic.Bool   // the first end of the log has not been reached
	read    atomic.Uint64 // sequence number up to which changes have been decided on
}

// Open opens the outbox. Without one of before, it begins at the latest change: history rings nobody.
func Open(o Options) (*Notifier, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Notifier{o: o, log: o.Logger.With("component", "notify"), queues: map[string]*queue{}, wake: make(chan struct{}, 1)}
	var err error
	if n.store, err = openStore(o.Path); err != nil {
		return nil, err
	}
	if n.store.cursor() == "" {
		err = n.store.update(func(t *tx) error { return t.setCursor(o.Source.Head()) })
	}
	if err != nil {
		return nil, errors.Join(err, n.store.close())
	}
	n.use(o.Config)
	n.behind.Store(true)
	n.read.Store(sequence(n.store.cursor()))
	n.metrics = newMetrics(o.Registerer, n)
	return n, nil
}

// Reload takes other settings into force. Messages to receivers that are gone fail visibly.
func (n *Notifier) Reload(c Config) {
	n.use(c)
	select {
	case n.wake <- struct{}{}:
	default:
	}
	n.pokeQueues()
}

func (n *Notifier) use(c Config) {
	c.Templates = c.Templates.In(n.o.Instance)
	n.config.Store(&c)
}

// Close closes the outbox; Run must have ended.
func (n *Notifier) Close() error { return n.store.close() }

// Run tells people until ctx ends.
func (n *Notifier) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	changes := make(chan *event.Change, 1024)
	wg.Go(func() { n.follow(ctx, changes) })
	due := time.NewTimer(0)
	defer due.Stop()
	n.startQueues(ctx, &wg)
	for {
		select {
		case <-ctx.Done():
			return nil
		case ch := <-changes:
			n.take(ctx, n.gather(ch, changes))
		case <-due.C:
		case <-n.wake:
		}
		n.runDue(ctx)
		n.startQueues(ctx, &wg)
		due.Reset(n.untilDue())
	}
}

// follow reads changes into the channel. When the place to go on from is gone it goes on from the end, and says so.
func (n *Notifier) follow(ctx context.Context, out chan<- *event.Change) {
	after := n.store.cursor()
	for ctx.Err() == nil {
		for ch, err := range n.o.Source.Changes(ctx, after) {
			if errors.Is(err, ErrGone) {
				after = n.skip(ctx, after)
				break
			}
			if err != nil {
				n.log.Error("changes cannot be read", "error", err)
				break
			}
			after = cursor(ch)
			select {
			case out <- ch:
			case <-ctx.Done():
				return
			}
		}
		select { // not to spin when the source fails at once
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// skip goes on at the end when what comes after a cursor is no longer kept. A storm that was on may be over by now.
func (n *Notifier) skip(ctx context.Context, after string) string {
	head := n.o.Source.Head()
	n.commit(ctx, func(t *tx) error {
		if err := t.forgetStorms(); err != nil {
			return err
		}
		return t.setCursor(head)
	})
	n.log.Error("changes were dropped before anybody was told of them", "cursor", after, "goes_on_at", head, "entries", sequence(head)-sequence(after))
	n.metrics.gaps.Inc()
	return head
}

// sequence returns the middle of a cursor.
func sequence(cursor string) uint64 {
	_, rest, _ := strings.Cut(cursor, ".")
	digits, _, _ := strings.Cut(rest, ".")
	seq, _ := strconv.ParseUint(digits, 10, 64)
	return seq
}

func cursor(ch *event.Change) string { return fmt.Sprintf("%d.%d.%d", ch.Shard, ch.Seq, ch.N) }

// gather adds what is there already, so that a storm takes few transactions.
func (n *Notifier) gather(first *event.Change, more <-chan *event.Change) []*event.Change {
	batch := []*event.Change{first}
	for len(batch) < 1000 {
		select {
		case it := <-more:
			batch = append(batch, it)
		default:
			return batch
		}
	}
	return batch
}

// take decides on a batch and moves the cursor, in one transaction, for as long as it takes.
func (n *Notifier) take(ctx context.Context, batch []*event.Change) {
	last := batch[len(batch)-1]
	only := true
	for _, ch := range batch {
		only = only && ch.Kind == 0
	}
	if only && !n.store.cursorStale(n.o.Now()) {
		n.taken(last)
		return
	}
	n.commit(ctx, func(t *tx) error {
		d := n.decider(ctx, t)
		for _, ch := range batch {
			if ch.Kind == 0 {
				continue
			}
			if err := d.decide(ch); err != nil {
				return err
			}
		}
		if err := d.flush(); err != nil {
			return err
		}
		return t.setCursor(cursor(last))
	})
	if ctx.Err() == nil {
		n.taken(last)
		n.pokeQueues()
	}
}

// taken notes how far changes have been decided on.
func (n *Notifier) taken(last *event.Change) {
	n.read.Store(last.Seq)
	if last.Kind == 0 {
		n.behind.Store(false)
	}
}

// commit carries out fn in a transaction until it succeeds: a full disk delays, it loses nothing.
func (n *Notifier) commit(ctx context.Context, fn func(*tx) error) {
	for {
		err := n.store.update(fn)
		if err == nil {
			n.stalled.Store(nil)
			return
		}
		text := err.Error()
		if n.stalled.Swap(&text) == nil {
			n.log.Error("outbox cannot be written, messages wait", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// pokeQueues tells the queues that there may be something to send.
func (n *Notifier) pokeQueues() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, q := range n.queues {
		q.poke()
	}
}

// Wanted tells whether a kind of change can concern anybody.
func Wanted(k event.ChangeKind) bool {
	switch k {
	case event.IncidentOpened, event.IncidentUpdated, event.IncidentWorse, event.IncidentWoke, event.IncidentSignalLost,
		event.IncidentReopened, event.IncidentResolved, event.IncidentAcknowledged, event.IncidentSnoozed, event.IncidentUnheld,
		event.IncidentHit, event.IncidentEdited, event.IncidentBegun, event.IncidentCancelled, event.IncidentMerged,
		event.IncidentAbsorbed, event.IncidentSplit, event.IncidentUnmerged, event.IncidentProposed, event.IncidentAnswered,
		event.IncidentMajor, event.IncidentTold, event.IncidentUpdateDue, event.IncidentChase, event.IncidentTasked,
		event.StormBegan, event.StormEnded, event.SilenceEnding, event.WindowEnding, event.OutageSet, event.OutageEnded:
		return true
	default:
		return false
	}
}
