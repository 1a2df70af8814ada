package lookup

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/tocsin-noc/tocsin/history"
)

//go:embed similar.sql
var similarSQL string

//go:embed base.sql
var baseSQL string

// ErrUnknown says that the history has nothing of what was asked for.
var ErrUnknown = errors.New("lookup: the history does not know it")

// SimilarAsk is an incident of which the like is looked for.
type SimilarAsk struct {
	Tenant string // that may be seen; event.AllTenants for all
	Origin string // empty: Tocsin's own
	Number string // INC-42, or what the other system calls it
	Days   int    // to look back
	Limit  int
}

// Similar is what was like an incident before, the likest first.
type Similar struct {
	Number string
	Tenant string
	Title  string
	CI     string
	Alert  string // that opened it; of an import what kind of trouble it was

	Signature Count // the same trouble on the same item
	Item      Count // anything on the same item
	Name      Count // the same trouble anywhere
	Total     int   // of all these

	Incidents []Past
}

// Count is how often something happened before an incident.
type Count struct {
	Days90 int
	All    int // in the days that were asked for
	LastAt *time.Time
}

// Past is an incident of the past.
type Past struct {
	Origin        string
	Number        string
	Tenant        string
	Title         string
	Phase         string
	Priority      uint8
	CI            string
	Team          string
	OpenedAt      time.Time
	ResolvedAt    *time.Time
	ResolvedBy    string
	How           string // what was said when it was resolved or closed
	SameSignature bool
	SameItem      bool
	SameName      bool
}

// FindSimilar looks for incidents like one, opened before it. ErrUnknown where the history does not have it (yet).
func FindSimilar(ctx context.Context, q history.Querier, ask SimilarAsk) (*Similar, error) {
	base, err := q.Query(ctx, baseSQL, scoped(ask.Tenant).text("origin", ask.Origin).text("number", ask.Number))
	if err != nil {
		return nil, err
	}
	if len(base.Rows) == 0 {
		return nil, ErrUnknown
	}
	b := row{base, 0}
	out := &Similar{Number: b.text("number"), Tenant: b.text("tenant"), Title: b.text("title"), CI: b.text("ci"), Alert: b.text("opening"), Incidents: []Past{}}
	opened := *b.at("opened_at")
	p := scoped(out.Tenant).text("origin", b.text("origin")).number("shard", b.number("shard")).number("incident", b.number("incident")).
		number("signature", b.number("signature")).text("ci", out.CI).text("name", out.Alert).
		time("before", opened).time("from", opened.AddDate(0, 0, -ask.Days)).time("recent", opened.AddDate(0, 0, -90)).number("limit", uint64(ask.Limit))
	t, err := q.Query(ctx, similarSQL, p)
	if err != nil {
		return nil, err
	}
	for _, r := range rows(t) {
		if len(out.Incidents) == 0 {
			out.Total = int(r.number("total"))
			out.Signature = Count{int(r.number("signature_recent")), int(r.number("signature_all")), lastOf(r, "signature_last")}
			out.Item = Count{int(r.number("item_recent")), int(r.number("item_all")), lastOf(r, "item_last")}
			out.Name = Count{int(r.number("name_recent")), int(r.number("name_all")), lastOf(r, "name_last")}
		}
		out.Incidents = append(out.Incidents, Past{
			Origin: r.text("origin"), Number: r.text("number"), Tenant: r.text("tenant"), Title: r.text("title"), Phase: r.text("phase"),
			Priority: uint8(r.number("priority")), CI: r.text("ci"), Team: r.text("team"), OpenedAt: *r.at("opened_at"), ResolvedAt: r.at("resolved_at"),
			ResolvedBy: r.text("resolved_by"), How: r.text("how"), SameSignature: r.flag("same_signature"), SameItem: r.flag("same_item"), SameName: r.flag("same_name"),
		})
	}
	return out, nil
}

// lastOf is an aggregate's time: the beginning of time says that there was none.
func lastOf(r row, column string) *time.Time {
	if at := r.at(column); at != nil && at.Unix() > 0 {
		return at
	}
	return nil
}
