package lookup

import (
	"context"
	_ "embed"
	"time"

	"github.com/tocsin-noc/tocsin/history"
)

//go:embed timeline.sql
var timelineSQL string

// TimelineAsk is an item whose history is asked for.
type TimelineAsk struct {
	Tenant   string // that may be seen; event.AllTenants for all
	CI       string
	From, To time.Time
	Windows  []string // ids of the maintenance windows that cover it
	Limit    int
}

// ItemTimeline is what happened to an item, oldest first. Where there is more than the limit the latest are there.
type ItemTimeline struct {
	Total   int
	Entries []Entry
}

// Entry is one thing that happened. Kind: alert (it fired), incident, outage, change (of the item), window.
type Entry struct {
	Kind     string
	Tenant   string
	At       time.Time
	Until    *time.Time // nil: it goes on, or has no length
	Ref      string     // INC-42, OUT-3, the alert's or the window's id
	Origin   string     // of imported incidents
	Title    string
	Severity uint8 // of alerts, 1 critical to 5 info; of incidents their priority
	State    string
	Incident uint64 // that an alert was in
	Actor    string
}

// ItemHistory tells what happened to an item.
func ItemHistory(ctx context.Context, q history.Querier, ask TimelineAsk) (*ItemTimeline, error) {
	p := scoped(ask.Tenant).text("ci", ask.CI).time("from", ask.From).time("to", ask.To).number("limit", uint64(ask.Limit))
	p["windows"] = texts(ask.Windows)
	t, err := q.Query(ctx, timelineSQL, p)
	if err != nil {
		return nil, err
	}
	out := &ItemTimeline{Entries: []Entry{}}
	for _, r := range rows(t) {
		out.Total = int(r.number("total"))
		out.Entries = append(out.Entries, Entry{
			Kind: r.text("kind"), Tenant: r.text("tenant"), At: *r.at("at"), Until: r.at("until"), Ref: r.text("ref"), Origin: r.text("origin"), Title: r.text("title"),
			Severity: uint8(r.number("severity")), State: r.text("state"), Incident: r.number("incident"), Actor: r.text("actor"),
		})
	}
	return out, nil
}
