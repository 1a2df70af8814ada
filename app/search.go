package app

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"sync/atomic"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/search"
)

// searcher is the index as the API sees it: there once it has been opened, which reads all of it.
type searcher struct {
	index atomic.Pointer[search.Index]
	fault atomic.Pointer[error] // why it cannot be opened
	gone  chan search.Entry     // their texts were taken away, and have still to leave the index; without a place: fields
}

// runSearch opens the index and follows the engine until ctx ends.
func (a *App) runSearch(ctx context.Context) {
	index, err := search.Open(search.Options{
		Dir: filepath.Join(a.settings.config.Data, "search"), Source: words{a.engine}, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		a.log.Error("there is no full-text search", "error", err)
		a.search.fault.Store(&err)
		return
	}
	a.search.index.Store(index)
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.search.forget(ctx, a.log, index)
	}()
	_ = index.Run(ctx) // ends with ctx only
	<-done
	if err := index.Close(); err != nil {
		a.log.Error("the search index did not close", "error", err)
	}
}

// forget takes redacted texts out of the index, which may take minutes: those of an entry one by one, those of a field, which many
// changes repeated, by making the index anew.
func (s *searcher) forget(ctx context.Context, log *slog.Logger, index *search.Index) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.gone:
			var err error
			if e.Seq == 0 {
				err = index.Rebuild(ctx, func(search.Progress) {})
			} else {
				err = index.Redact(ctx, e)
			}
			if err != nil && ctx.Err() == nil {
				log.Error("a redacted text is still in the search index", "incident", e.Incident, "error", err)
			}
		}
	}
}

// Search asks the index.
func (s *searcher) Search(ctx context.Context, q search.Query) (*search.Result, error) {
	if index := s.index.Load(); index != nil {
		return index.Search(ctx, q)
	}
	if err := s.fault.Load(); err != nil {
		return nil, errors.Join(api.ErrNoSearch, *err)
	}
	return nil, api.ErrNoSearch
}

// Forget takes a redacted text out of the index, by and by. An index that is not open yet is told when it is.
func (s *searcher) Forget(incident event.IncidentID, at engine.Cursor) {
	go func() { s.gone <- search.Entry{Incident: incident, Seq: at.Seq, N: at.N} }()
}

// words is the engine as package search sees it.
type words struct{ engine *engine.Engine }

func (w words) Changes(ctx context.Context, after string) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		from, err := engine.ParseCursor(after)
		if err != nil {
			yield(nil, err)
			return
		}
		for ch, err := range w.engine.FollowSome(ctx, from, search.Wanted) {
			if errors.Is(err, engine.ErrTruncated) {
				err = search.ErrGone
			}
			if !yield(ch, err) {
				return
			}
		}
	}
}

func (w words) Head() string   { return w.engine.Head().String() }
func (w words) Oldest() string { return w.engine.Oldest().String() }

func (w words) Incidents(ctx context.Context) iter.Seq2[*event.IncidentState, error] {
	return func(yield func(*event.IncidentState, error) bool) {
		v, err := w.engine.View(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for i := range v.Incidents() {
			if !yield(&i.IncidentState, nil) {
				return
			}
		}
	}
}

func (w words) Timeline(ctx context.Context, id event.IncidentID) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		const page = 500
		var after engine.Cursor
		for more := true; more; {
			var entries []event.Change
			var err error
			if entries, _, more, err = w.engine.Timeline(ctx, id, after, page); err != nil {
				yield(nil, err)
				return
			}
			for n := range entries {
				ch := entries[n]
				after = engine.Cursor{Shard: ch.Shard, Seq: ch.Seq, N: ch.N}
				if !yield(&ch, nil) {
					return
				}
			}
			more = more && len(entries) > 0
		}
	}
}
