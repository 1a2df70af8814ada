package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/event"
)

// ErrGone says that the changes after a cursor are no longer kept. A Source's Changes ends with it.
var ErrGone = errors.New("search: changes are no longer kept")

// ErrNoTenant says that a query names no tenant.
var ErrNoTenant = errors.New("search: the query names no tenant")

// format is that of the folder. Another one is made anew.
const format = "tocsin-search 1"

// Source is the engine as search needs it. Cursors are written shard.seq.n.
type Source interface {
	// Changes yields, in order and for ever, the changes after a cursor whose kind Wanted accepts, and a change of kind 0 with
	// Seq and N whenever it has come to the end. What it yields stays as it is.
	Changes(ctx context.Context, after string) iter.Seq2[*event.Change, error]
	// Head is the cursor of the latest change, Oldest the place before the first that is kept: 0.0.0 when that is the very first.
	Head() string
	Oldest() string
	// Incidents yields every incident as it is now, with all changes up to a Head that was asked for before.
	Incidents(ctx context.Context) iter.Seq2[*event.IncidentState, error]
	// Timeline yields what is kept of an incident's own changes, the oldest first.
	Timeline(ctx context.Context, id event.IncidentID) iter.Seq2[*event.Change, error]
}

// Options of an Index. Dir and Source must be set.
type Options struct {
	Dir        string
	Source     Source
	Now        func() time.Time // nil: the machine's clock
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Index is an open index.
type Index struct {
	o       Options
	log     *slog.Logger
	metrics *metrics

	admin   chan struct{} // holds one: Rebuild and Redact
	writing sync.Mutex    // guards changes to the store's content, and era
	era     int           // moves when what a follower has read must be read again
	mu      sync.RWMutex  // guards store: held to read while it is used, to write while it is exchanged
	store   *store
	tenants atomic.Pointer[[]string]

	interrupt atomic.Pointer[context.CancelFunc] // of the follower
	damaged   atomic.Bool
	building  atomic.Bool
	read      atomic.Uint64 // sequence number up to which changes are in
	readAt    atomic.Int64  // time of the latest that is, in ms
}

// Open opens the index. A folder that is missing, damaged or of another version is begun anew, and Run fills it.
func Open(o Options) (*Index, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	x := &Index{o: o, log: o.Logger.With("component", "search"), admin: make(chan struct{}, 1)}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	anew, err := x.open()
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	x.metrics = newMetrics(x)
	if anew {
		x.metrics.rebuilds.Inc()
	}
	return x, nil
}

// open takes the folder that current names, or a new one.
func (x *Index) open() (anew bool, err error) {
	name, err := x.current()
	if err == nil {
		if x.store, err = openStore(filepath.Join(x.o.Dir, name)); err == nil {
			err = x.opened()
		} else {
			err = fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	if err == nil {
		return false, x.sweep(name)
	}
	if errors.Is(err, errDamaged) || !errors.Is(err, os.ErrNotExist) { // else it is the first start
		x.log.Warn("index is made anew", "error", err)
	}
	if x.store != nil {
		_ = x.store.close() // it is thrown away
	}
	s, err := x.begin()
	if err != nil {
		return false, err
	}
	x.store = s
	if err := x.opened(); err != nil {
		return false, err
	}
	return true, x.settle(s)
}

// opened reads what is known of the store besides its documents.
func (x *Index) opened() error {
	cursor, err := x.store.value(keyCursor)
	if err != nil {
		return err
	}
	x.read.Store(sequence(cursor))
	tenants, err := x.store.tenants()
	if err != nil {
		return err
	}
	x.tenants.Store(&tenants)
	return nil
}

// current returns the folder in use.
func (x *Index) current() (string, error) {
	text, err := os.ReadFile(filepath.Join(x.o.Dir, "current"))
	if err != nil {
		return "", err
	}
	name, ok := strings.CutPrefix(strings.TrimSpace(string(text)), format+" ")
	if !ok || filepath.Base(name) != name {
		return "", fmt.Errorf("%s: of another version: %q", filepath.Join(x.o.Dir, "current"), text)
	}
	if _, err := os.Stat(filepath.Join(x.o.Dir, name, "root.bolt")); err != nil { // bleve would begin an empty one
		return "", fmt.Errorf("%w: %s: %w", errDamaged, name, err)
	}
	return name, nil
}

// begin makes a new, empty store beside the others.
func (x *Index) begin() (*store, error) {
	dir, err := os.MkdirTemp(x.o.Dir, "index-")
	if err != nil {
		return nil, err
	}
	return openStore(dir)
}

// settle makes a store the one in use and removes the others.
func (x *Index) settle(s *store) error {
	name := filepath.Base(s.dir)
	temporary := filepath.Join(x.o.Dir, "current.new")
	if err := writeFile(temporary, format+" "+name+"\n"); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(x.o.Dir, "current")); err != nil {
		return err
	}
	if err := syncDir(x.o.Dir); err != nil {
		return err
	}
	return x.sweep(name)
}

func writeFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes every store but one.
func (x *Index) sweep(keep string) error {
	names, err := filepath.Glob(filepath.Join(x.o.Dir, "index-*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if filepath.Base(name) != keep {
			err = errors.Join(err, os.RemoveAll(name))
		}
	}
	return err
}

// Close closes the index; Run must have ended.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.store == nil {
		return nil
	}
	err := x.store.close()
	x.store = nil
	return err
}

// use lends the store. It must be given back with done.
func (x *Index) use() (s *store, done func(), err error) {
	x.mu.RLock()
	if x.store == nil {
		x.mu.RUnlock()
		return nil, nil, errClosed
	}
	return x.store, x.mu.RUnlock, nil
}

// Hit is one incident.
type Hit struct {
	Incident event.IncidentID
	Tenant   string
	Title    string
	Status   string
	Updated  event.Time
	Score    float64 // the higher the better; of this query alone
	Match            // the text that shows best why
	Others   []Match // at most two more
}

// Behind is how far the index lags.
type Behind struct {
	Entries  uint64 // of the changes log that it has not read
	Lag      time.Duration
	Building bool // it is being filled: more will be found later
}

// Result of a query.
type Result struct {
	Total  int // incidents found
	Hits   []Hit
	Behind Behind
}

// Search finds incidents, the best first and of equals the one that changed last. A *QueryError names what is wrong with the text.
func (x *Index) Search(ctx context.Context, q Query) (res *Result, err error) {
	began := x.o.Now()
	defer func() { x.metrics.searched(x.o.Now().Sub(began), err) }()
	if q.Tenant == "" {
		return nil, ErrNoTenant
	}
	if n := max(len(q.Filters.Status), len(q.Filters.Severity), len(q.Filters.Teams)); n > maxFilter {
		return nil, &QueryError{Message: fmt.Sprintf("a filter has %d values, at most %d are taken", n, maxFilter)}
	}
	clauses, err := parse(q.Text)
	if err != nil {
		return nil, err
	}
	s, done, err := x.use()
	if err != nil {
		return nil, err
	}
	defer done()
	res, err = x.search(ctx, s, q, clauses)
	if errors.Is(err, errDamaged) {
		x.heal(err)
	}
	return res, err
}

func (x *Index) search(ctx context.Context, s *store, q Query, clauses []clause) (res *Result, err error) {
	defer rescue(&err)
	r, err := s.reader()
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	defer r.Close()
	plain := !slices.ContainsFunc(clauses, func(c clause) bool { return !c.not && (len(c.words) > 0 || c.id != 0) })
	find, err := x.compile(ctx, r, q, clauses, plain)
	if err != nil {
		return nil, err
	}
	defer find.Close()
	c := &collector{constant: plain, limit: limit(q.Limit), accept: verifier(r, clauses)}
	if c.times, err = r.DocValueReader([]string{fieldUpdated}); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if !q.Filters.Since.IsZero() {
		c.since = seconds(q.Filters.Since)
	}
	if !q.Filters.Until.IsZero() {
		c.until = seconds(q.Filters.Until)
	}
	if err := c.run(ctx, find, r); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	res = &Result{Total: c.total, Hits: []Hit{}, Behind: x.Behind()}
	for _, f := range c.sorted() {
		h, err := hit(r, q.Tenant, f, clauses)
		if err != nil {
			return nil, err
		}
		res.Hits = append(res.Hits, *h)
	}
	return res, nil
}

func limit(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return min(n, maxLimit)
}

func (x *Index) compile(ctx context.Context, r index.IndexReader, q Query, clauses []clause, plain bool) (search.Searcher, error) {
	c := &compiler{ctx: ctx, reader: r, tenant: q.Tenant, text: q.Text}
	if plain {
		c.options.Score = "none"
	}
	if q.Tenant != event.AllTenants {
		return c.query(clauses, q.Filters)
	}
	var all []search.Searcher
	for _, c.tenant = range *x.tenants.Load() {
		s, err := c.query(clauses, q.Filters)
		if err != nil {
			return nil, closeAll(err, all)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return searcher.NewMatchNoneSearcher(r)
	}
	return searcher.NewDisjunctionSearcher(ctx, r, all, 1, c.options)
}

// verifier asks the records about phrases of which the terms do not say enough, nil when there are none. A phrase that must not
// occur is not asked about: its pairs must not, all of them.
func verifier(r index.IndexReader, clauses []clause) func(index.IndexInternalID) (bool, error) {
	var loose []*clause
	for i := range clauses {
		if !clauses[i].not && clauses[i].loose() {
			loose = append(loose, &clauses[i])
		}
	}
	if loose == nil {
		return nil
	}
	return func(id index.IndexInternalID) (bool, error) {
		rec, err := at(r, id)
		if err != nil {
			return false, err
		}
		return !slices.ContainsFunc(loose, func(c *clause) bool { return !rec.meets(c) }), nil
	}
}

// at reads a record.
func at(r index.IndexReader, internal index.IndexInternalID) (*record, error) {
	id, err := r.ExternalID(internal)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	doc, err := r.Document(id)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if doc == nil {
		return nil, fmt.Errorf("%w: no document %s", errDamaged, id)
	}
	return recordOf(doc)
}

// hit reads what was found. That it is the tenant's was so by its terms; it is looked at once more.
func hit(r index.IndexReader, tenant string, f found, clauses []clause) (*Hit, error) {
	rec, err := at(r, f.id)
	if err != nil {
		return nil, err
	}
	if !event.InTenant(tenant, rec.Tenant) {
		return nil, fmt.Errorf("%w: a term of %q leads to %s of another tenant", errDamaged, tenant, rec.ID)
	}
	list := matches(rec, clauses)
	h := &Hit{Incident: rec.ID, Tenant: rec.Tenant, Title: rec.Title, Updated: rec.Updated, Score: f.score, Match: list[0], Others: list[1:]}
	if len(rec.Status) > 0 {
		h.Status = rec.Status[0]
	}
	return h, nil
}

// Behind tells how far the index lags.
func (x *Index) Behind() Behind {
	b := Behind{Building: x.building.Load()}
	if head := sequence(x.o.Source.Head()); head > x.read.Load() {
		b.Entries = head - x.read.Load()
		if at := x.readAt.Load(); at > 0 {
			b.Lag = max(0, x.o.Now().Sub(time.UnixMilli(at)))
		}
	}
	return b
}

// Status is what the index says of itself.
type Status struct {
	Behind     Behind
	Documents  uint64
	Incomplete uint64 // incidents whose state counts more notes than could be found: the log and the timelines no longer reach back
	Bytes      int64
}

// Status returns the index's figures.
func (x *Index) Status() Status {
	s, done, err := x.use()
	if err != nil {
		return Status{}
	}
	defer done()
	return Status{
		Behind: x.Behind(), Documents: s.documents(nil, ""), Incomplete: s.documents(*x.tenants.Load(), "incomplete=yes"), Bytes: s.bytes(),
	}
}
