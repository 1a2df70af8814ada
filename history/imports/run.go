package imports

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// Target is the history as its writer sees it: *clickhouse.DB.
type Target interface {
	Own(ctx context.Context, sql string, params map[string]string) (*history.Table, error)
	Exec(ctx context.Context, sql string, params map[string]string) error
	Insert(ctx context.Context, table string, columns []clickhouse.Column) error
	Recompute(ctx context.Context, origin string, shard uint32, incidents []uint64) error
}

// Input is one import.
type Input struct {
	Map    *Map
	Body   io.Reader
	Origin string // name of the import: reports and lists show it beside the number
	Tenant string // whose the incidents are, where the map does not say
	DryRun bool   // only say what would change
	Now    time.Time

	Progress func(Progress) // nil: nobody watches
	Rejected func(Reject)   // every one of them; nil: the first in the summary are enough
}

// Progress says how far an import is.
type Progress struct {
	Step  string `json:"step" enum:"read,compute" doc:"read: rows; compute: incidents of which what reports count is made anew"`
	Bytes int64  `json:"bytes" doc:"of the file, so far"`
	Done  int    `json:"done"`
	Of    int    `json:"of" doc:"0: not known"`
}

// Summary is what became of an import.
type Summary struct {
	Origin     string         `json:"origin"`
	DryRun     bool           `json:"dry_run"`
	Rows       int            `json:"rows" doc:"read, without the header"`
	Incidents  int            `json:"incidents" doc:"that the file tells of and that were taken"`
	New        int            `json:"new"`
	Changed    int            `json:"changed" doc:"known from an import before, and now otherwise"`
	Unchanged  int            `json:"unchanged"`
	Versions   int            `json:"versions" doc:"written, or of a dry run to be written"`
	Duplicates int            `json:"duplicates" doc:"rows that say what another row of the file has said"`
	Rejected   int            `json:"rejected"`
	Reasons    []RejectReason `json:"reasons" doc:"why, the most frequent first"`
	Others     int            `json:"other_reasons" doc:"rows that were rejected for reasons that are not listed"`
	Rejects    []Reject       `json:"rejects" doc:"the first of them"`
	Flags      []Flag         `json:"flags" doc:"what was taken otherwise than it stands there"`
	From       *time.Time     `json:"from" doc:"the first opening"`
	To         *time.Time     `json:"to" doc:"the last thing that happened"`
	Unmapped   []string       `json:"unmapped" doc:"columns that the map does not name"`
}

// Flag counts what one rule made of incidents.
type Flag struct {
	Rule  string `json:"rule"`
	Count int    `json:"count"`
}

const (
	firstRejects  = 100
	versionsAtA   = 100_000 // time, in one insert
	progressEvery = 20_000  // rows
	maxLogRows    = 5_000_000
)

// OriginRule says how imports may be called.
const OriginRule = "letters, digits and ._- as in servicenow-2026, at most 64"

// ValidOrigin tells whether an import may be called so.
func ValidOrigin(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`).MatchString(name)
}

// Importer runs imports, one at a time.
type Importer struct {
	target Target
	turn   chan struct{}
}

// ErrBusy says that another import is under way.
var ErrBusy = errors.New("imports: another import is under way")

// New returns an importer into target.
func New(target Target) *Importer { return &Importer{target: target, turn: make(chan struct{}, 1)} }

// Run carries out an import. Errors of the file are *FileError; what was taken before the place of one stays. ErrBusy while another one runs.
func (x *Importer) Run(ctx context.Context, in Input) (*Summary, error) {
	select {
	case x.turn <- struct{}{}:
		defer func() { <-x.turn }()
	default:
		return nil, ErrBusy
	}
	if !ValidOrigin(in.Origin) {
		return nil, &FileError{Reason: fmt.Sprintf("%q cannot be the name of an import", in.Origin), Hint: OriginRule}
	}
	r := &run{Input: in, flags: map[string]int{}, bytes: &counted{r: in.Body}, out: &Summary{Origin: in.Origin, DryRun: in.DryRun, Rejects: []Reject{}, Unmapped: []string{}}}
	store, err := openStore(ctx, x.target, in.Origin, in.DryRun)
	if err != nil {
		return nil, err
	}
	r.store = store
	err = r.read(ctx)
	// What was read before the file broke off has been taken, and is finished.
	if fault, ok := errors.AsType[*FileError](err); err != nil && (!ok || r.out.Rows == 0) {
		return nil, err
	} else if err := r.store.finish(ctx, r.computing); err != nil {
		return nil, err
	} else if ok {
		return r.sum(), fault
	}
	return r.sum(), nil
}

// run is one import under way.
type run struct {
	Input
	store *store
	bytes *counted
	out   *Summary
	whys  tally
	flags map[string]int
	from  int64
	to    int64
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

// Read passes bytes on.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

func (r *run) read(ctx context.Context) error {
	in, err := open(r.bytes, r.Map.Encoding)
	if err != nil {
		return err
	}
	rows, err := r.Map.readRows(in)
	if err != nil {
		return err
	}
	defer func() { r.out.Unmapped = append(r.out.Unmapped, rows.unmapped()...) }()
	taker := r.taker()
	for {
		row, err := rows.next()
		if err != nil {
			if fault := taker.end(ctx); fault != nil {
				return fault
			}
			return err
		}
		if row == nil {
			return taker.end(ctx)
		}
		r.out.Rows++
		if r.Progress != nil && r.out.Rows%progressEvery == 0 {
			r.Progress(Progress{Step: "read", Bytes: r.bytes.n, Done: r.out.Rows})
		}
		if row.fault != nil {
			r.reject(row.fault)
			continue
		}
		if err := taker.take(ctx, row); err != nil {
			return err
		}
	}
}

// taker makes incidents of rows.
type taker interface {
	take(ctx context.Context, row *row) error
	end(ctx context.Context) error
}

func (r *run) taker() taker {
	reads := &reader{m: r.Map, last: lastInstant(r.Now)}
	if r.Map.Rows == RowEvent {
		return newLogTaker(r, reads)
	}
	return &wholeTaker{run: r, reads: reads, seen: map[uint64]seen{}}
}

// wholeTaker takes a row per incident, each as it comes.
type wholeTaker struct {
	*run
	reads *reader
	seen  map[uint64]seen
}

// seen is an incident that the file has told of.
type seen struct {
	line   int
	digest uint64
}

func (t *wholeTaker) take(ctx context.Context, row *row) error {
	read, fault := t.reads.read(row.line, row.cells)
	if fault != nil {
		t.reject(fault)
		return nil
	}
	var raised []string // flags of an incident that is not taken do not count
	s, fault := t.Map.whole(read, t.Tenant, func(rule string) { raised = append(raised, rule) })
	if fault != nil {
		t.reject(fault)
		return nil
	}
	switch before, twice := t.seen[s.id]; {
	case twice && before.digest == s.digest:
		t.out.Duplicates++
		return nil
	case twice:
		t.reject(&Reject{Line: row.line, Column: t.Map.facts[factNumber].columns[0], Value: s.number, Reason: fmt.Sprintf("number: line %d has told of it otherwise, and counts", before.line)})
		return nil
	}
	t.seen[s.id] = seen{row.line, s.digest}
	t.raise(raised)
	return t.keep(ctx, &s)
}

func (t *wholeTaker) end(context.Context) error { return nil }

func (r *run) raise(flags []string) {
	for _, rule := range flags {
		r.flags[rule]++
	}
}

func (r *run) reject(fault *Reject) {
	r.out.Rejected++
	r.whys.add(fault)
	if len(r.out.Rejects) < firstRejects {
		r.out.Rejects = append(r.out.Rejects, *fault)
	}
	if r.Rejected != nil {
		r.Rejected(*fault)
	}
}

// keep stores a story, if it says anything new.
func (r *run) keep(ctx context.Context, s *story) error {
	r.out.Incidents++
	if r.from == 0 || s.openedAt < r.from {
		r.from = s.openedAt
	}
	r.to = max(r.to, s.versions[len(s.versions)-1].at)
	switch was, known := r.store.known[s.id]; {
	case !known:
		r.out.New++
	case was == s.digest:
		r.out.Unchanged++
		return nil
	default:
		r.out.Changed++
	}
	r.out.Versions += len(s.versions)
	return r.store.put(ctx, s)
}

func (r *run) computing(done, of int) {
	if r.Progress != nil {
		r.Progress(Progress{Step: "compute", Bytes: r.bytes.n, Done: done, Of: of})
	}
}

func (r *run) sum() *Summary {
	r.out.Reasons, r.out.Others = r.whys.list()
	if r.store.dropped > 0 {
		r.flags[flagDropped] = r.store.dropped
	}
	for _, rule := range slices.Sorted(maps.Keys(r.flags)) {
		r.out.Flags = append(r.out.Flags, Flag{rule, r.flags[rule]})
	}
	slices.SortStableFunc(r.out.Flags, func(a, b Flag) int { return cmp.Compare(b.Count, a.Count) })
	if r.out.Flags == nil {
		r.out.Flags = []Flag{}
	}
	if r.from != 0 {
		r.out.From, r.out.To = new(time.UnixMilli(r.from).UTC()), new(time.UnixMilli(r.to).UTC())
	}
	return r.out
}
