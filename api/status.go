package api

import (
	"context"
	"time"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Status is the daemon's own.
type Status struct {
	Version   string        `json:"version"`
	Ready     bool          `json:"ready"`
	Reason    string        `json:"reason" doc:"why it is not ready"`
	Principal string        `json:"principal" doc:"who asks"`
	Role      string        `json:"role" doc:"what they may do"`
	Tenant    string        `json:"tenant" doc:"whose data they see"`
	Head      string        `json:"head" doc:"the latest change; the stream can be followed from here"`
	Engine    *EngineStatus `json:"engine,omitempty" doc:"admins of the default tenant only"`
	History   *HistoryBrief `json:"history,omitempty" doc:"admins of the default tenant only"`
	Config    any           `json:"config,omitempty" doc:"without secrets; admins of the default tenant only"`
}

// EngineStatus are the engine's figures.
type EngineStatus struct {
	StartedAt       time.Time  `json:"started_at"`
	AwaySeconds     float64    `json:"away_seconds" doc:"between the last input before the start and the start"`
	StartSeconds    float64    `json:"start_seconds" doc:"how long the start took"`
	SnapshotSeq     uint64     `json:"snapshot_seq" doc:"of the snapshot it started from"`
	Replayed        int        `json:"replayed" doc:"inputs after the snapshot that were decided again"`
	Folded          int        `json:"folded" doc:"inputs after the snapshot whose logged changes were applied"`
	Differences     int        `json:"differences" doc:"inputs whose changes came out otherwise than logged"`
	TornBytes       int64      `json:"torn_bytes" doc:"unfinished writes that the start cut off"`
	Lost            uint64     `json:"lost" doc:"acknowledged inputs that were not there at the start"`
	Seq             uint64     `json:"seq" doc:"the last acknowledged"`
	JournalHead     string     `json:"journal_head" doc:"of the hash chain"`
	JournalBytes    int64      `json:"journal_bytes"`
	ChangesBytes    int64      `json:"changes_bytes"`
	Queued          int64      `json:"queued" doc:"alerts accepted and not yet durable"`
	QueueLimit      int        `json:"queue_limit"`
	SavedSeq        uint64     `json:"saved_seq" doc:"of the last snapshot since the start; 0: none yet"`
	SavedAt         *time.Time `json:"saved_at"`
	ClockJumpMillis int64      `json:"clock_jump_ms" doc:"how far the wall clock is off; 0: it is not"`
}

func engineStatus(s engine.Status) *EngineStatus {
	st := s.Started
	out := &EngineStatus{
		StartedAt: st.At, AwaySeconds: st.Away.Seconds(), StartSeconds: st.Took.Seconds(), SnapshotSeq: st.SnapshotSeq,
		Replayed: st.Replayed, Folded: st.Folded, Differences: st.Differences, TornBytes: st.TornBytes, Lost: st.Lost,
		Seq: s.Seq, JournalHead: s.JournalHead, JournalBytes: s.JournalBytes, ChangesBytes: s.ChangesBytes,
		Queued: s.Queued, QueueLimit: s.QueueLimit, ClockJumpMillis: s.ClockJump.Milliseconds(),
	}
	if saved := s.LastSnapshot; saved != nil {
		out.SavedSeq, out.SavedAt = saved.Seq, new(saved.At)
	}
	return out
}

func (s *server) status(ctx context.Context, _ *struct{}) (*Status, error) {
	p := auth.FromContext(ctx)
	out := &Status{
		Version: s.Version, Principal: p.Known(), Role: p.Role.String(), Tenant: p.Tenant,
		Head: s.Engine.Head().String(), Reason: s.notReady(),
	}
	out.Ready = out.Reason == ""
	if p.Role == auth.Admin && p.Tenant == event.DefaultTenant { // the configuration names other tenants' sources
		out.Config, out.Engine = s.Config, engineStatus(s.Engine.Status())
		if s.Keeper != nil {
			out.History = historyBrief(s.Keeper.Status())
		}
	}
	return out, nil
}
