package imports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// logTaker gathers the rows of a log, which may come in any order, and makes the incidents when all are there. Texts that repeat are kept once:
// a million rows take some 100 MB.
type logTaker struct {
	*run
	reads *reader
	texts map[string]uint32
	list  []string
	cells []uint32            // of all rows, one after the other
	lines []int32             // of the rows
	rows  map[uint64][]uint32 // by incident: places in lines
}

func newLogTaker(r *run, reads *reader) *logTaker {
	return &logTaker{run: r, reads: reads, texts: map[string]uint32{}, rows: map[uint64][]uint32{}}
}

func (t *logTaker) take(_ context.Context, row *row) error {
	read, fault := t.reads.read(row.line, row.cells)
	if fault != nil {
		t.reject(fault)
		return nil
	}
	if len(t.lines) >= maxLogRows {
		return fmt.Errorf("imports: a log may have %d rows at most; split it by incidents, all rows of one in one file", maxLogRows)
	}
	for _, cell := range row.cells {
		t.cells = append(t.cells, t.intern(cell))
	}
	id := identity(cmp.Or(read.text[factTenant], t.Tenant), read.text[factNumber])
	t.rows[id] = append(t.rows[id], uint32(len(t.lines)))
	t.lines = append(t.lines, int32(row.line))
	return nil
}

func (t *logTaker) intern(s string) uint32 {
	if at, ok := t.texts[s]; ok {
		return at
	}
	s = strings.Clone(s) // a cell is a part of its row, which need not stay
	at := uint32(len(t.list))
	t.texts[s], t.list = at, append(t.list, s)
	return at
}

func (t *logTaker) end(ctx context.Context) error {
	ids := make([]uint64, 0, len(t.rows))
	for id := range t.rows {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uint64) int { return cmp.Compare(t.rows[a][0], t.rows[b][0]) }) // as the file begins them
	for _, id := range ids {
		if err := t.fold(ctx, t.rows[id]); err != nil {
			return err
		}
	}
	return nil
}

// fold makes one incident of its rows.
func (t *logTaker) fold(ctx context.Context, places []uint32) error {
	list := make([]*reading, 0, len(places))
	cells, width := make([]string, len(t.Map.columns)), uint32(len(t.Map.columns))
	for _, p := range places {
		for i := range cells {
			cells[i] = t.list[t.cells[p*width+uint32(i)]]
		}
		read, fault := t.reads.read(int(t.lines[p]), cells)
		if fault != nil {
			return fmt.Errorf("imports: line %d was readable and is no more: %s", fault.Line, fault.Reason)
		}
		list = append(list, read)
	}
	slices.SortFunc(list, compareRows)
	all := len(list)
	list = slices.CompactFunc(list, func(a, b *reading) bool { return compareRows(a, b) == 0 })
	t.out.Duplicates += all - len(list)
	var raised []string
	s, fault := t.Map.logged(list, t.Tenant, func(rule string) { raised = append(raised, rule) })
	if fault != nil {
		t.reject(fault)
		return nil
	}
	t.raise(raised)
	return t.keep(ctx, &s)
}
