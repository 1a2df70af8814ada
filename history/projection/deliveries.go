package projection

import (
	"context"
	"fmt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// Delivery is one message that a receiver took.
type Delivery struct {
	Number      uint64 // in order, from 1
	At          event.Time
	Tenant      string
	Incident    uint64 // 0: it is about none
	Subject     string // INC-42, storm, window, …
	Kind        string // change that it tells of
	Receiver    string
	Integration string
	Team        string
	Person      string // "" nobody in person
	Rings       bool   // it interrupts
	Step        uint8
	Attempts    uint16
	Delay       event.Time // from the change to the delivery
}

// Deliveries is the feed of what receivers took.
type Deliveries interface {
	// Deliveries lists those after a number, in order, at most limit.
	Deliveries(ctx context.Context, after uint64, limit int) ([]Delivery, error)
}

const deliveriesAtOnce = 10_000

// deliveries brings in what receivers took since the last time.
func (w *writer) deliveries(ctx context.Context) error {
	for w.p.o.Deliveries != nil {
		list, err := w.p.o.Deliveries.Deliveries(ctx, w.notify.seq, deliveriesAtOnce)
		if err != nil {
			return fmt.Errorf("projection: deliveries: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		if lost := list[0].Number - w.notify.seq - 1; lost > 0 && w.notify.seq > 0 {
			w.p.log.Error("deliveries are missing from the history: they left the outbox before they were read", "count", lost)
		}
		if err := w.p.o.Target.Insert(ctx, "notifications", w.notifications(list)); err != nil {
			return fmt.Errorf("projection: notifications: %w", err)
		}
		w.p.metrics.rows.WithLabelValues("notifications").Add(float64(len(list)))
		last := list[len(list)-1]
		w.notify = place{last.Number, last.At}
		if err := w.p.mark(ctx, notifyMark+w.p.o.Source.Instance(), w.notify); err != nil {
			return fmt.Errorf("projection: cursor: %w", err)
		}
	}
	return nil
}

func (w *writer) notifications(list []Delivery) []clickhouse.Column {
	text := func(of func(*Delivery) string) []string {
		out := make([]string, len(list))
		for i := range list {
			out[i] = of(&list[i])
		}
		return out
	}
	n := len(list)
	at, number, shard, incident := make([]int64, n), make([]uint64, n), make([]uint32, n), make([]uint64, n)
	rings, step, attempts, delay := make([]bool, n), make([]uint8, n), make([]uint16, n), make([]uint32, n)
	for i, d := range list {
		at[i], number[i], shard[i], incident[i] = int64(d.At), d.Number, w.p.o.Shard, d.Incident
		rings[i], step[i], attempts[i], delay[i] = d.Rings, d.Step, d.Attempts, uint32(min(max(d.Delay, 0), 1<<32-1))
	}
	return []clickhouse.Column{
		{Name: "at", Data: at}, {Name: "instance", Data: text(func(*Delivery) string { return w.p.o.Source.Instance() })}, {Name: "number", Data: number},
		{Name: "shard", Data: shard}, {Name: "tenant", Data: text(func(d *Delivery) string { return d.Tenant })}, {Name: "incident", Data: incident},
		{Name: "subject", Data: text(func(d *Delivery) string { return d.Subject })}, {Name: "kind", Data: text(func(d *Delivery) string { return d.Kind })},
		{Name: "receiver", Data: text(func(d *Delivery) string { return d.Receiver })}, {Name: "integration", Data: text(func(d *Delivery) string { return d.Integration })},
		{Name: "team", Data: text(func(d *Delivery) string { return d.Team })}, {Name: "person", Data: text(func(d *Delivery) string { return d.Person })},
		{Name: "rings", Data: rings}, {Name: "step", Data: step}, {Name: "attempts", Data: attempts}, {Name: "delay_ms", Data: delay},
	}
}
