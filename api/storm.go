package api

import (
	"context"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Storm is a time in which so many incidents opened that they were told of together.
type Storm struct {
	ID       string     `json:"id" example:"STORM-3"`
	Number   uint32     `json:"number"`
	Tenant   string     `json:"tenant"`
	BeganAt  time.Time  `json:"began_at"`
	EndedAt  *time.Time `json:"ended_at" doc:"null while it lasts"`
	Openings uint32     `json:"openings" doc:"incidents that opened in it, the ones that set it off among them"`
	Held     uint32     `json:"held" doc:"of these, those that nobody was told of singly"`
	Worst    uint8      `json:"worst" doc:"the highest priority among them; 1 is the most urgent"`
}

// StormList holds the storms that are remembered, the latest first.
type StormList struct {
	Storms []Storm `json:"storms"`
}

func stormID(number uint32) string {
	if number == 0 {
		return ""
	}
	return "STORM-" + strconv.FormatUint(uint64(number), 10)
}

func storm(s *event.Storm) Storm {
	return Storm{stormID(s.Number), s.Number, s.Tenant, s.BeganAt.Time(), stamp(s.EndedAt), s.Openings, s.Held, s.Worst}
}

// Storms returns the storms of ctx's tenant.
func (d *Desk) Storms(ctx context.Context) (*StormList, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	return &StormList{stormsSince(v, auth.FromContext(ctx).Tenant, 0)}, nil
}

// stormsSince returns the storms of a tenant that lasted at a time or later.
func stormsSince(v *correlate.View, tenant string, since event.Time) []Storm {
	out := []Storm{}
	for s := range v.Storms(tenant) {
		if s.EndedAt == 0 || s.EndedAt >= since {
			out = append(out, storm(&s))
		}
	}
	return out
}
