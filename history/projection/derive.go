package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// While there is a lot to read, what is derived waits until so many incidents have changed, or so long.
const (
	deriveIncidents = 20_000
	deriveEvery     = 10 * time.Second
	deriveHours     = 24 // of one statement
)

// derive recomputes the incidents that have changed, and the hours that are over.
func (w *writer) derive(ctx context.Context, even bool) error {
	if !even && len(w.incidents) < deriveIncidents && w.p.now().Sub(w.derivedAt) < deriveEvery {
		return nil
	}
	w.derivedAt = w.p.now()
	defer func() { w.took += w.p.now().Sub(w.derivedAt) }()
	now := w.cursor.at
	if even {
		now = max(now, event.FromTime(w.p.now()))
	}
	over := slices.Sorted(maps.Keys(w.hours))
	over = slices.DeleteFunc(over, func(hour event.Time) bool { return hour+event.Hour > now })
	if len(w.incidents) == 0 && len(over) == 0 {
		return nil
	}
	if err := w.p.o.Target.Recompute(ctx, "", w.p.o.Shard, slices.Collect(maps.Keys(w.incidents))); err != nil {
		return err
	}
	clear(w.incidents)
	for run := range runs(over) {
		if err := w.p.o.Target.RecomputeHours(ctx, w.p.o.Shard, run[0].Time(), (run[len(run)-1] + event.Hour).Time(), w.cursor.seq); err != nil {
			return err
		}
		for _, hour := range run {
			delete(w.hours, hour)
		}
	}
	if err := w.p.mark(ctx, derivedMark+w.p.o.Source.Instance(), w.cursor); err != nil {
		return fmt.Errorf("projection: cursor: %w", err)
	}
	w.derived = w.cursor
	return nil
}

// runs splits hours into those that follow each other, so that one statement does for many.
func runs(hours []event.Time) func(func([]event.Time) bool) {
	return func(yield func([]event.Time) bool) {
		for begin := 0; begin < len(hours); {
			end := begin + 1
			for end < len(hours) && hours[end] == hours[end-1]+event.Hour && end-begin < deriveHours {
				end++
			}
			if !yield(hours[begin:end]) {
				return
			}
			begin = end
		}
	}
}

// resume finds what was inserted and not recomputed before the last run ended.
func (w *writer) resume(ctx context.Context) error {
	if w.cursor.seq == 0 {
		return nil
	}
	params := map[string]string{
		"shard": w.p.shard(), "seq": strconv.FormatUint(w.derived.seq, 10), "at": clickhouse.Time(w.derived.at.Time()),
		"hour": clickhouse.Time((w.derived.at - w.derived.at%event.Hour).Time()),
	}
	answer, err := w.p.o.Target.Own(ctx, `
		SELECT incident FROM incident_versions WHERE origin = '' AND shard = {shard:UInt32} AND at >= {at:DateTime64(3)} AND seq > {seq:UInt64}
		UNION DISTINCT SELECT toUInt64(incident) FROM members WHERE shard = {shard:UInt32} AND place >= ({seq:UInt64} + 1) * 1048576
		UNION DISTINCT SELECT incident FROM causes WHERE shard = {shard:UInt32} AND seq > {seq:UInt64}`, params)
	if err != nil {
		return err
	}
	for _, row := range answer.Rows {
		w.incidents[row[0].(uint64)] = true
	}
	answer, err = w.p.o.Target.Own(ctx, `SELECT DISTINCT toUnixTimestamp(toStartOfHour(at)) FROM transitions WHERE shard = {shard:UInt32} AND at >= {hour:DateTime64(3)}`, params)
	if err != nil {
		return err
	}
	for _, row := range answer.Rows {
		w.hours[event.Time(row[0].(uint32))*event.Second] = true
	}
	return nil
}
