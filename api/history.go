package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/projection"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// HistoryKeeper keeps the history up with what happens.
type HistoryKeeper interface {
	Status() projection.Status
	Sizes(ctx context.Context) ([]clickhouse.Size, error) // history.ErrDown
	Rebuild(ctx context.Context) error                    // projection.ErrBusy, history.ErrDown; it goes on after the answer
}

// HistoryBrief says in short how the history does.
type HistoryBrief struct {
	Off        bool    `json:"off" doc:"history.url is none"`
	Up         bool    `json:"up" doc:"its database answers"`
	Fault      string  `json:"fault" doc:"why the history stands still; empty: it does not"`
	Entries    uint64  `json:"lag_entries" doc:"inputs whose changes are not in it yet"`
	LagSeconds float64 `json:"lag_seconds" doc:"since it was even with what happens"`
}

func historyBrief(is projection.Status) *HistoryBrief {
	return &HistoryBrief{Off: is.Off, Up: is.Up, Fault: is.Fault, Entries: is.Entries(), LagSeconds: is.Lag.Seconds()}
}

// HistoryStatus says how the history does.
type HistoryStatus struct {
	Off        bool            `json:"off" doc:"history.url is none"`
	Up         bool            `json:"up" doc:"its database answers"`
	Fault      string          `json:"fault" doc:"why the history stands still; empty: it does not"`
	Since      *time.Time      `json:"since" doc:"up, or standing still, since then"`
	Entries    uint64          `json:"lag_entries" doc:"inputs whose changes are not in it yet"`
	LagSeconds float64         `json:"lag_seconds" doc:"since it was even with what happens"`
	Cursor     uint64          `json:"cursor" doc:"the last input whose changes are in it"`
	At         *time.Time      `json:"at" doc:"of that input"`
	Head       uint64          `json:"head" doc:"the last input there is"`
	Gaps       []HistoryGap    `json:"gaps" doc:"changes that are missing, of this run of the daemon; the table log has all"`
	Rebuild    *HistoryRebuild `json:"rebuild" doc:"the latest, null when there was none since the start"`
	Tables     []HistoryTable  `json:"tables" doc:"none while its database is away"`
}

// HistoryGap is a part of what happened that is missing.
type HistoryGap struct {
	From  uint64     `json:"from" doc:"first input"`
	To    uint64     `json:"to" doc:"last input"`
	Since *time.Time `json:"since"`
	Until *time.Time `json:"until"`
}

// HistoryRebuild is how far a rebuild is.
type HistoryRebuild struct {
	Running     bool       `json:"running"`
	BeganAt     time.Time  `json:"began_at"`
	EndedAt     *time.Time `json:"ended_at"`
	First       uint64     `json:"first" doc:"the first input whose changes are still kept"`
	KeptSince   *time.Time `json:"kept_since" doc:"what happened before is kept no more; null: all is"`
	Done        uint64     `json:"done" doc:"inputs that are in"`
	Total       uint64     `json:"total"`
	PerSecond   float64    `json:"per_second"`
	LeftSeconds float64    `json:"left_seconds"`
}

// HistoryTable is one table.
type HistoryTable struct {
	Name  string `json:"name"`
	Rows  uint64 `json:"rows" doc:"some of which are yet to be folded into one"`
	Bytes uint64 `json:"bytes" doc:"on disk"`
}

// historyRoutes are about the history of all tenants, and so for the first one's admins.
func (s *server) historyRoutes(sp *spec) {
	if s.Keeper == nil {
		return
	}
	add(sp, route{method: "GET", path: "/history", role: auth.Admin, tag: "admin", summary: "Show how the history does"},
		ofHouse(func(ctx context.Context, _ *struct{}) (*HistoryStatus, error) { return s.historyStatus(ctx) }))
	add(sp, route{
		method: "POST", path: "/history/rebuild", role: auth.Admin, tag: "admin", status: http.StatusAccepted,
		summary: "Empty the history and fill it again from the changes that are kept; imports stay",
	}, ofHouse(func(ctx context.Context, _ *struct{}) (*HistoryStatus, error) {
		if err := s.Keeper.Rebuild(ctx); err != nil {
			return nil, historyProblem(err)
		}
		return s.historyStatus(ctx)
	}))
}

// historyProblem says why the history cannot do what is asked.
func historyProblem(err error) error {
	switch {
	case errors.Is(err, projection.ErrBusy):
		return &auth.Problem{Status: http.StatusConflict, Code: "conflict", Detail: "a rebuild is under way", Hint: "`tocsin history status` shows how far it is"}
	case errors.Is(err, history.ErrOff):
		return historyFailure(err)
	case errors.Is(err, history.ErrDown):
		return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the history's database cannot be reached", Hint: "`tocsin history status` says why", RetryAfter: 5 * time.Second}
	}
	return failure(err)
}

func (s *server) historyStatus(ctx context.Context) (*HistoryStatus, error) {
	is := s.Keeper.Status()
	out := &HistoryStatus{
		Off: is.Off, Up: is.Up, Fault: is.Fault, Entries: is.Entries(), LagSeconds: is.Lag.Seconds(), Cursor: is.Cursor, At: stamp(is.At), Head: is.Head,
		Gaps: []HistoryGap{}, Tables: []HistoryTable{},
	}
	if !is.Since.IsZero() {
		since := is.Since.UTC()
		out.Since = &since
	}
	for _, g := range is.Gaps {
		out.Gaps = append(out.Gaps, HistoryGap{From: g.From, To: g.To, Since: stamp(g.Since), Until: stamp(g.Until)})
	}
	if r := is.Rebuild; r != nil {
		out.Rebuild = &HistoryRebuild{
			Running: r.Ended.IsZero(), BeganAt: r.Began.UTC(), First: r.From + 1, KeptSince: stamp(r.Kept), Done: r.Done - r.From, Total: r.Until - r.From,
			PerSecond: r.Rate, LeftSeconds: r.Left.Seconds(),
		}
		if !r.Ended.IsZero() {
			ended := r.Ended.UTC()
			out.Rebuild.EndedAt = &ended
		}
	}
	sizes, err := s.Keeper.Sizes(ctx)
	if err != nil && !errors.Is(err, history.ErrDown) {
		return nil, failure(err)
	}
	for _, size := range sizes {
		out.Tables = append(out.Tables, HistoryTable{Name: size.Table, Rows: size.Rows, Bytes: size.Bytes})
	}
	return out, nil
}
