package api

import (
	"context"
	"iter"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// Engine is the running core as the API sees it: *engine.Engine.
type Engine interface {
	// View includes everything acknowledged before the call.
	View(ctx context.Context) (*correlate.View, error)
	// Do returns when the command is durable and visible in views.
	Do(ctx context.Context, cmd event.Command) (event.Result, error)
	// Follow yields the durable changes after the cursor, then waits for new ones until ctx ends.
	Follow(ctx context.Context, after engine.Cursor) iter.Seq2[event.Change, error]
	// FollowSome is Follow for who wants few kinds of change. At the end it yields a change of kind 0, and waits.
	FollowSome(ctx context.Context, after engine.Cursor, wanted func(event.ChangeKind) bool) iter.Seq2[*event.Change, error]
	// Oldest is the place before the oldest change that is kept.
	Oldest() engine.Cursor
	// Head is the place after the latest durable change.
	Head() engine.Cursor
	// Timeline returns an incident's changes and its alerts', oldest first, at most limit of them after the cursor.
	Timeline(ctx context.Context, id event.IncidentID, after engine.Cursor, limit int) (entries []event.Change, total int, more bool, err error)
	// Status is what the engine says of itself.
	Status() engine.Status
	// Snapshot writes one now.
	Snapshot(ctx context.Context) error
	// AcceptClock follows the wall clock from here on after it jumped.
	AcceptClock(ctx context.Context) error
	Redactor
	Shadows
}

func cursorOf(ch *event.Change) engine.Cursor {
	return engine.Cursor{Shard: ch.Shard, Seq: ch.Seq, N: ch.N}
}
