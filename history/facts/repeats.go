package facts

import (
	"cmp"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// BlockInputs is how many inputs one row of repeats counts at most.
const BlockInputs = 65536

// Count is one row of repeats: those of a source in an hour, among the inputs of a block, as far as one of them.
type Count struct {
	Hour    event.Time
	Block   uint64
	Tenant  string
	Source  string
	Repeats uint64
	Through uint64 // seq of the last input that is counted
}

type countKey struct {
	hour           event.Time
	block          uint64
	tenant, source string
}

func compareKeys(a, b countKey) int {
	return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.block, b.block), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.source, b.source))
}

type count struct {
	repeats, through uint64
	changed          bool // since the last batch
}

// counts counts repeats. A row says up to which input it counts, so a count goes on where the row in the database ended, whatever else of
// the batch got there.
type counts struct {
	table   table
	shard   *values[uint32]
	hour    *values[int64]
	block   *values[uint64]
	tenant  *values[string]
	source  *values[string]
	repeats *values[uint64]
	through *values[uint64]

	running map[countKey]*count
	at      countKey // the latest, which is mostly the next as well
	latest  *count
	changed int
}

func newCounts() *counts {
	c := &counts{table: table{name: "repeats"}, running: map[countKey]*count{}}
	c.shard, c.hour, c.block = column[uint32](&c.table, "shard"), column[int64](&c.table, "hour"), column[uint64](&c.table, "block")
	c.tenant, c.source = column[string](&c.table, "tenant"), column[string](&c.table, "source")
	c.repeats, c.through = column[uint64](&c.table, "repeats"), column[uint64](&c.table, "through")
	return c
}

// resume goes on with a row of the database.
func (c *counts) resume(row Count) {
	c.running[countKey{row.Hour, row.Block, row.Tenant, row.Source}] = &count{repeats: row.Repeats, through: row.Through}
}

func (c *counts) add(ch *event.Change, from event.Source) {
	k := countKey{ch.At - ch.At%event.Hour, ch.Seq / BlockInputs, from.Tenant, from.Name}
	if c.latest == nil || k != c.at {
		if c.latest = c.running[k]; c.latest == nil {
			c.latest = &count{}
			c.running[k] = c.latest
		}
		c.at = k
	}
	n := c.latest
	if ch.Seq < n.through || ch.Seq == n.through && !n.changed {
		return // the row in the database holds it
	}
	if !n.changed {
		n.changed = true
		c.changed++
	}
	n.repeats++
	n.through = ch.Seq
}

// take makes rows of the counts that have changed.
func (c *counts) take(shard uint32) Table {
	keys := make([]countKey, 0, c.changed)
	for k, n := range c.running {
		if n.changed {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareKeys)
	c.table.reset()
	for _, k := range keys {
		n := c.running[k]
		c.table.rows++
		c.shard.add(shard)
		c.hour.add(int64(k.hour / event.Second))
		c.block.add(k.block)
		c.tenant.add(k.tenant)
		c.source.add(k.source)
		c.repeats.add(n.repeats)
		c.through.add(n.through)
	}
	return c.table.take()
}

// done forgets the counts of blocks that are over: those before block.
func (c *counts) done(block uint64) {
	for k, n := range c.running {
		n.changed = false
		if k.block < block {
			delete(c.running, k)
		}
	}
	c.changed, c.latest = 0, nil
	c.table.reset()
}
