package api

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Silence quiets the alerts that all its matchers match.
type Silence struct {
	ID        string    `json:"id"`
	Tenant    string    `json:"tenant"`
	State     string    `json:"state" enum:"active,pending,expired"`
	Matchers  []Matcher `json:"matchers"`
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at"`
	UpdatedAt time.Time `json:"updated_at"`
	CreatedBy string    `json:"created_by" doc:"what the client said"`
	Actor     string    `json:"actor" doc:"who the client was"`
	Comment   string    `json:"comment"`
}

// Matcher compares one label with a value.
type Matcher struct {
	Name  string `json:"name" minLength:"1" maxLength:"256"`
	Op    string `json:"op,omitempty" enum:"=,!=,=~,!~" default:"=" doc:"regular expressions match the whole value"`
	Value string `json:"value" maxLength:"4096"`
}

func silence(s *event.Silence, now event.Time) Silence {
	out := Silence{
		ID: s.ID, Tenant: s.Tenant, State: s.State(now).String(), StartsAt: s.StartsAt.Time(), EndsAt: s.EndsAt.Time(), UpdatedAt: s.UpdatedAt.Time(),
		CreatedBy: s.CreatedBy, Actor: s.Actor, Comment: s.Comment, Matchers: make([]Matcher, len(s.Matchers)),
	}
	for i, m := range s.Matchers {
		out.Matchers[i] = Matcher{m.Name, operator(m), m.Value}
	}
	return out
}

func operator(m event.Matcher) string {
	switch {
	case m.IsRegex && m.IsEqual:
		return "=~"
	case m.IsRegex:
		return "!~"
	case m.IsEqual:
		return "="
	}
	return "!="
}

// named puts names in place of ids.
func (d *Desk) named(s Silence) *Silence {
	s.CreatedBy, s.Actor = d.name(s.CreatedBy), d.name(s.Actor)
	return &s
}

// SilenceDraft is a silence to be made.
type SilenceDraft struct {
	ID        string    `json:"id,omitempty" doc:"of the silence to change; empty: a new one"`
	Matchers  []Matcher `json:"matchers" minItems:"1" maxItems:"64"`
	StartsAt  time.Time `json:"starts_at,omitzero" doc:"now, if not given"`
	EndsAt    time.Time `json:"ends_at,omitzero" doc:"this or duration: every silence has an end"`
	Duration  string    `json:"duration,omitempty" example:"2h" doc:"from the start, as Prometheus writes it"`
	CreatedBy string    `json:"created_by,omitempty" maxLength:"200" doc:"the principal, if not given"`
	Comment   string    `json:"comment" maxLength:"4096"`
}

// build returns what the draft means at now; by is the id of who makes it.
func (s *SilenceDraft) build(now event.Time, by string) (*event.Silence, error) {
	out := &event.Silence{ID: s.ID, CreatedBy: by, Comment: s.Comment}
	var err error
	if out.StartsAt, out.EndsAt, err = lasting(now, s.StartsAt, s.EndsAt, s.Duration, "silence"); err != nil {
		return nil, err
	}
	if out.EndsAt == 0 {
		return nil, invalid("a silence needs an end", "give ends_at or duration")
	}
	out.Matchers, err = matchers(s.Matchers)
	return out, err
}

// matchers refuses what would not compile, and a set that matches everything, labels or not.
func matchers(in []Matcher) ([]event.Matcher, error) {
	out, narrow := make([]event.Matcher, len(in)), false
	for i, m := range in {
		ev := event.Matcher{Name: m.Name, Value: m.Value, IsRegex: m.Op == "=~" || m.Op == "!~", IsEqual: m.Op != "!=" && m.Op != "!~"}
		matchesNone := m.Value == ""
		if ev.IsRegex {
			re, err := regexp.Compile("^(?s:" + m.Value + ")$")
			if err != nil {
				return nil, invalid("matchers["+strconv.Itoa(i)+"]: "+err.Error(), "")
			}
			matchesNone = re.MatchString("")
		}
		narrow = narrow || matchesNone != ev.IsEqual
		out[i] = ev
	}
	if !narrow {
		return nil, invalid("the matchers would match every alert", "at least one must not match a label that is missing")
	}
	return out, nil
}

// SilenceQuery is how the list of silences is asked for.
type SilenceQuery struct {
	State []string `query:"state,explode" doc:"any of active, pending, expired; without it: active and pending"`
}

// SilenceList holds all silences that match: those that end first are first.
type SilenceList struct {
	Silences []Silence `json:"silences"`
}

// Silences returns the silences of ctx's tenant.
func (d *Desk) Silences(ctx context.Context, q *SilenceQuery) (*SilenceList, error) {
	states := words(q.State)
	if err := oneOf("state", states, "active", "pending", "expired"); err != nil {
		return nil, err
	}
	if len(states) == 0 {
		states = []string{"active", "pending"}
	}
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	out, now := &SilenceList{Silences: []Silence{}}, d.now()
	for s := range v.Silences(auth.FromContext(ctx).Tenant) {
		if slices.Contains(states, s.State(now).String()) {
			out.Silences = append(out.Silences, *d.named(silence(s, now)))
		}
	}
	slices.SortStableFunc(out.Silences, func(a, b Silence) int { return a.EndsAt.Compare(b.EndsAt) })
	return out, nil
}

// Silence returns one silence of ctx's tenant.
func (d *Desk) Silence(ctx context.Context, id string) (*Silence, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	for s := range v.Silences(auth.FromContext(ctx).Tenant) {
		if s.ID == id {
			return d.named(silence(s, d.now())), nil
		}
	}
	return nil, notFound("silence " + strconv.Quote(id))
}
