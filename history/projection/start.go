package projection

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/facts"
)

// What stands before a data folder's name in the table of cursors.
const (
	derivedMark = "derived:" // up to where incidents and hours were recomputed
	notifyMark  = "notify:"  // the last delivery that is in
	rebuildMark = "rebuild:" // the tables are being emptied
)

// place is a cursor in the database.
type place struct {
	seq uint64
	at  event.Time
}

// cursors are those of our shard.
type cursors struct {
	own, derived, notify place
	emptying             bool
	foreign              string // name of another data folder whose changes are here
}

func (p *Projector) cursors(ctx context.Context) (c cursors, err error) {
	answer, err := p.o.Target.Own(ctx, "SELECT instance, seq, toUnixTimestamp64Milli(at) FROM cursors FINAL WHERE shard = {shard:UInt32}",
		map[string]string{"shard": p.shard()})
	if err != nil {
		return c, err
	}
	own := p.o.Source.Instance()
	for _, row := range answer.Rows {
		at := place{row[1].(uint64), event.Time(row[2].(int64))}
		switch name := row[0].(string); {
		case name == own:
			c.own = at
		case name == derivedMark+own:
			c.derived = at
		case name == notifyMark+own:
			c.notify = at
		case strings.HasPrefix(name, rebuildMark):
			c.emptying = true
		case !strings.Contains(name, ":"):
			c.foreign = name
		}
	}
	return c, nil
}

func (p *Projector) shard() string { return strconv.FormatUint(uint64(p.o.Shard), 10) }

// start makes a writer that goes on from where the database is.
func (p *Projector) start(ctx context.Context) (*writer, error) {
	c, err := p.cursors(ctx)
	if err == nil && c.emptying {
		if err = p.empty(ctx); err == nil {
			c, err = p.cursors(ctx)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case c.foreign != "":
		return nil, fmt.Errorf("%w: of %s, and this is %s: name another database, or run `tocsin history rebuild`, which empties this one", ErrInstance, c.foreign, p.o.Source.Instance())
	case c.own.seq > p.o.Source.Head():
		return nil, fmt.Errorf("%w: it is ahead of the changes log, as after a restore (%d, and the log ends at %d): run `tocsin history rebuild`", ErrInstance, c.own.seq, p.o.Source.Head())
	}
	senders, err := p.o.Source.Senders(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := p.counts(ctx, c.own)
	if err != nil {
		return nil, err
	}
	w := &writer{p: p, fold: facts.New(p.o.Shard, senders, counts), cursor: c.own, derived: c.derived, notify: c.notify, hours: map[event.Time]bool{}, incidents: map[uint64]bool{}}
	w.marked, w.derivedAt = p.now(), p.now()
	if c.own.seq == 0 {
		w.fold.Known()
	}
	p.update(func(s *state) { s.cursor, s.kept, s.at = c.own.seq, c.own.seq, c.own.at })
	return w, w.resume(ctx)
}

// counts returns the rows of repeats that may grow still.
func (p *Projector) counts(ctx context.Context, from place) (out []facts.Count, err error) {
	hour := from.at - from.at%event.Hour
	answer, err := p.o.Target.Own(ctx, `SELECT toUnixTimestamp(hour), block, toString(tenant), toString(source), repeats, through FROM repeats FINAL
		WHERE shard = {shard:UInt32} AND hour >= toDateTime({hour:DateTime64(3)}) AND block >= {block:UInt64}`,
		map[string]string{"shard": p.shard(), "hour": clickhouse.Time(hour.Time()), "block": strconv.FormatUint(from.seq/facts.BlockInputs, 10)})
	if err != nil || from.seq == 0 {
		return nil, err
	}
	for _, row := range answer.Rows {
		out = append(out, facts.Count{
			Hour: event.Time(row[0].(uint32)) * event.Second, Block: row[1].(uint64), Tenant: row[2].(string), Source: row[3].(string),
			Repeats: row[4].(uint64), Through: row[5].(uint64),
		})
	}
	return out, nil
}

// mark writes a cursor.
func (p *Projector) mark(ctx context.Context, name string, at place) error {
	return p.o.Target.Insert(ctx, "cursors", []clickhouse.Column{
		{Name: "shard", Data: []uint32{p.o.Shard}}, {Name: "instance", Data: []string{name}}, {Name: "seq", Data: []uint64{at.seq}},
		{Name: "at", Data: []int64{int64(at.at)}}, {Name: "written", Data: []time.Time{p.now()}},
	})
}

// empty takes away all that a projection has written, of whatever data folder. The mark comes first and goes last.
func (p *Projector) empty(ctx context.Context) error {
	if err := p.mark(ctx, rebuildMark+p.o.Source.Instance(), place{seq: 1}); err != nil {
		return err
	}
	if err := p.o.Target.Empty(ctx, p.o.Shard); err != nil {
		return err
	}
	p.update(func(s *state) {
		if s.rebuild == nil {
			s.rebuild = &Rebuild{Began: p.now(), From: p.o.Source.Oldest(), Until: p.o.Source.Head()}
		}
	})
	return nil
}
