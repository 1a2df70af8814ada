package imports

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// store writes what an import changes. Versions carry the import's generation, a number that rises within the origin: those of an incident
// that is told otherwise stand beside the old ones until finish takes these away. The order of writing makes an import that is cut off
// harmless:
//
//	versions ─▶ imports (digest) ─▶ delete older versions ─▶ recompute ─▶ imports (the mark of the end)
//
// What has no digest yet is written again by the next import; what has one and no mark of the end is finished by it.
type store struct {
	target     Target
	origin     string
	dry        bool
	known      map[uint64]uint64 // incident -> digest
	generation uint64            // of this import
	finished   uint64            // the last import that came to its end
	left       bool              // imports after it were cut off
	replaces   bool              // there are versions to take away

	pending []story
	size    int // versions of pending
	changed []changed
	dropped int // of changed, those that the retention took away
}

// changed is an incident that is to be computed.
type changed struct {
	id    uint64
	month int32 // in which it was opened
}

// mark is the row of imports that says which generation came to its end.
const mark = 0

const knownPage = 200_000

// openStore reads what the origin has.
func openStore(ctx context.Context, target Target, origin string, dry bool) (*store, error) {
	s := &store{target: target, origin: origin, dry: dry, known: map[uint64]uint64{}}
	name := clickhouse.Text(origin)
	for after := uint64(0); ; {
		page, err := target.Own(ctx, `SELECT incident, digest, generation FROM imports FINAL
WHERE origin = {origin:String} AND incident > {after:UInt64} ORDER BY incident LIMIT {limit:UInt64}`,
			map[string]string{"origin": name, "after": strconv.FormatUint(after, 10), "limit": strconv.Itoa(knownPage)})
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			after = row[0].(uint64)
			s.known[after] = row[1].(uint64)
			s.generation = max(s.generation, row[2].(uint64))
		}
		if len(page.Rows) < knownPage {
			break
		}
	}
	var err error
	if s.finished, err = s.number(ctx, "SELECT max(generation) FROM imports WHERE origin = {origin:String} AND incident = 0"); err != nil {
		return nil, err
	}
	s.left = s.generation > s.finished
	// Versions of an import that was cut off may have a generation of which imports know nothing yet.
	written, err := s.number(ctx, "SELECT max(seq) FROM incident_versions WHERE origin = {origin:String}")
	s.generation = max(s.generation, s.finished, written) + 1
	return s, err
}

func (s *store) number(ctx context.Context, sql string) (uint64, error) {
	t, err := s.target.Own(ctx, sql, map[string]string{"origin": clickhouse.Text(s.origin), "finished": strconv.FormatUint(s.finished, 10)})
	if err != nil {
		return 0, err
	}
	return t.Rows[0][0].(uint64), nil
}

// put takes a story that is new or differs.
func (s *store) put(ctx context.Context, one *story) error {
	if s.dry {
		return nil
	}
	if _, known := s.known[one.id]; known {
		s.replaces = true
	}
	s.pending, s.size = append(s.pending, *one), s.size+len(one.versions)
	s.changed = append(s.changed, changed{one.id, monthOf(one.openedAt)})
	if s.size < versionsAtA {
		return nil
	}
	return s.flush(ctx)
}

// flush writes what is pending.
func (s *store) flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	for _, part := range s.parts() {
		if err := s.target.Insert(ctx, "incident_versions", part.columns()); err != nil {
			return fmt.Errorf("imports: %w", err)
		}
	}
	var digests, incidents, generations []uint64
	var origins, numbers []string
	for i := range s.pending {
		one := &s.pending[i]
		origins, numbers, incidents = append(origins, s.origin), append(numbers, one.number), append(incidents, one.id)
		digests, generations = append(digests, one.digest), append(generations, s.generation)
	}
	err := s.target.Insert(ctx, "imports", []clickhouse.Column{
		{Name: "origin", Data: origins}, {Name: "incident", Data: incidents}, {Name: "number", Data: numbers}, {Name: "digest", Data: digests},
		{Name: "generation", Data: generations},
	})
	if err != nil {
		return fmt.Errorf("imports: %w", err)
	}
	s.pending, s.size = s.pending[:0], 0
	return nil
}

// maxMonths bounds the partitions of one insert: the engine refuses more than 100.
const maxMonths = 90

// parts spreads what is pending over inserts of at most maxMonths months each.
func (s *store) parts() []*batch {
	var months []int32
	for i := range s.pending {
		for n := range s.pending[i].versions {
			months = append(months, monthOf(s.pending[i].versions[n].at))
		}
	}
	slices.Sort(months)
	months = slices.Compact(months)
	list := make([]*batch, (len(months)+maxMonths-1)/maxMonths)
	for i := range list {
		list[i] = &batch{}
	}
	for i := range s.pending {
		one := &s.pending[i]
		for n := range one.versions {
			at, _ := slices.BinarySearch(months, monthOf(one.versions[n].at))
			list[at/maxMonths].add(s.origin, s.generation, one, n)
		}
	}
	return list
}

func monthOf(ms int64) int32 {
	t := time.UnixMilli(ms).UTC()
	return int32(t.Year()*12 + int(t.Month()))
}

// finish takes away what was replaced, and computes anew what reports count.
func (s *store) finish(ctx context.Context, progress func(done, of int)) error {
	if s.dry {
		return nil
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if s.left {
		if err := s.resume(ctx); err != nil {
			return err
		}
	}
	if len(s.changed) == 0 {
		return nil
	}
	if s.replaces {
		err := s.target.Exec(ctx, `DELETE FROM incident_versions WHERE origin = {origin:String} AND (incident, seq) NOT IN
(SELECT incident, generation FROM imports FINAL WHERE origin = {origin:String})`, map[string]string{"origin": clickhouse.Text(s.origin)})
		if err != nil {
			return fmt.Errorf("imports: taking away what was replaced: %w", err)
		}
	}
	if err := s.compute(ctx, progress); err != nil {
		return err
	}
	if err := s.lookAfter(ctx); err != nil {
		return err
	}
	return s.target.Insert(ctx, "imports", []clickhouse.Column{
		{Name: "origin", Data: []string{s.origin}}, {Name: "incident", Data: []uint64{mark}}, {Name: "number", Data: []string{""}},
		{Name: "digest", Data: []uint64{0}}, {Name: "generation", Data: []uint64{s.generation}},
	})
}

// lookAfter counts what is not there although it was written: the history's retention drops what is older at once.
func (s *store) lookAfter(ctx context.Context) error {
	kept, err := s.number(ctx, `SELECT count() FROM incidents FINAL WHERE origin = {origin:String} AND incident IN
(SELECT incident FROM imports FINAL WHERE origin = {origin:String} AND generation > {finished:UInt64})`)
	s.dropped = max(0, len(s.changed)-int(kept))
	return err
}

// ranger computes all incidents of an origin between two ids at once.
type ranger interface {
	RecomputeRange(ctx context.Context, origin string, shard uint32, low, high uint64) error
}

const (
	computeStep = 10_000 // incidents between two words of progress
	rangeFrom   = 20_000 // changed incidents from which on ranges are cheaper than lists: a statement's own costs count more than rows in vain
	rangeStep   = 100_000
)

// compute makes anew what reports count, in the order of the tables: each step then reads only its own part of them. No statement writes into
// more months than the engine takes.
func (s *store) compute(ctx context.Context, progress func(done, of int)) error {
	parts := s.byMonths()
	step, do := computeStep, func(part []uint64) error { return s.target.Recompute(ctx, s.origin, 0, part) }
	if r, ok := s.target.(ranger); ok && len(parts) == 1 && len(s.changed) >= rangeFrom {
		step, do = rangeStep, func(part []uint64) error { return r.RecomputeRange(ctx, s.origin, 0, part[0], part[len(part)-1]) }
	}
	done := 0
	for _, ids := range parts {
		for part := range slices.Chunk(ids, step) {
			if err := do(part); err != nil {
				return err
			}
			done += len(part)
			progress(done, len(s.changed))
		}
	}
	return nil
}

// byMonths returns the changed incidents, sorted, apart by the months in which they were opened.
func (s *store) byMonths() (parts [][]uint64) {
	months := make([]int32, len(s.changed))
	for i, c := range s.changed {
		months[i] = c.month
	}
	slices.Sort(months)
	months = slices.Compact(months)
	parts = make([][]uint64, (len(months)+maxMonths-1)/maxMonths)
	for _, c := range s.changed {
		at, _ := slices.BinarySearch(months, c.month)
		parts[at/maxMonths] = append(parts[at/maxMonths], c.id)
	}
	for _, ids := range parts {
		slices.Sort(ids)
	}
	return parts
}

// resume takes over what imports that were cut off have left to do.
func (s *store) resume(ctx context.Context) error {
	t, err := s.target.Own(ctx, `SELECT incident, max(opened_at) FROM incident_versions WHERE origin = {origin:String} AND incident IN
(SELECT incident FROM imports FINAL WHERE origin = {origin:String} AND incident != 0 AND generation > {finished:UInt64}) GROUP BY incident`,
		map[string]string{"origin": clickhouse.Text(s.origin), "finished": strconv.FormatUint(s.finished, 10)})
	if err != nil {
		return err
	}
	s.changed, s.replaces = s.changed[:0], true
	for _, row := range t.Rows {
		s.changed = append(s.changed, changed{row[0].(uint64), monthOf(row[1].(time.Time).UnixMilli())})
	}
	return nil
}
