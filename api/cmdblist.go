package api

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// CIQuery is how the list of configuration items is asked for. All conditions must hold; the order is by ID.
type CIQuery struct {
	Paging
	CITest
}

// CITest says which configuration items are meant.
type CITest struct {
	Class      []string `query:"class,explode" doc:"any of these classes"`
	State      []string `query:"state,explode" doc:"any of ordered, live, maintenance, retired, discovered; without it: all but retired"`
	Status     []string `query:"status,explode" doc:"any of up, degraded, down"`
	Source     string   `query:"source" maxLength:"64" doc:"who told of it first"`
	Team       string   `query:"team" maxLength:"200" doc:"the attribute team"`
	Owner      string   `query:"owner" maxLength:"200" doc:"the attribute owner"`
	Discovered string   `query:"discovered" enum:"true,false" doc:"seen in alerts and not confirmed, or not"`
	Q          string   `query:"q" maxLength:"200" doc:"part of the ID, the name, or an attribute's value, in any case"`
}

// CIList is one page.
type CIList struct {
	CIs        []CI   `json:"cis"`
	Total      int    `json:"total" doc:"how many match, on all pages"`
	NextCursor string `json:"next_cursor" doc:"empty on the last page"`
}

// check reads the lists of words.
func (t *CITest) check() error {
	t.Class, t.State, t.Status = words(t.Class), words(t.State), words(t.Status)
	for i, s := range t.State {
		if s == "pipeline" {
			t.State[i] = event.CIOrdered.String()
		}
	}
	if err := oneOf("state", t.State, event.CIStates()...); err != nil {
		return err
	}
	t.Q = strings.ToLower(t.Q)
	return oneOf("status", t.Status, "up", "degraded", "down")
}

func (t *CITest) match(c configuration, slot uint32, ci *event.CI) bool {
	discovered := ci.State == event.CIDiscovered
	switch {
	case len(t.Class) > 0 && !slices.Contains(t.Class, ci.Class),
		len(t.State) == 0 && ci.State == event.CIRetired,
		len(t.State) > 0 && !slices.Contains(t.State, ci.State.String()),
		len(t.Status) > 0 && !slices.Contains(t.Status, c.status(slot, ci.State)),
		t.Source != "" && ci.Source != t.Source,
		t.Discovered != "" && strconv.FormatBool(discovered) != t.Discovered,
		t.Team != "" && ci.Attributes.Get("team") != t.Team,
		t.Owner != "" && ci.Attributes.Get("owner") != t.Owner:
		return false
	}
	return t.Q == "" || contains(t.Q, ci.ID) || contains(t.Q, ci.Name) ||
		slices.ContainsFunc(ci.Attributes, func(l event.Label) bool { return contains(t.Q, l.Value) })
}

// CIs returns a page of the configuration items of ctx's tenant.
func (d *Desk) CIs(ctx context.Context, q *CIQuery) (*CIList, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newShelf[uint32](q.Paging, "cis")
	if err != nil {
		return nil, err
	}
	for slot, ci := range c.ours {
		if q.match(c, slot, &ci) {
			s.add(ci.ID+"\x00"+ci.Tenant, slot)
		}
	}
	page, next := s.page()
	out := &CIList{CIs: make([]CI, len(page)), Total: s.total, NextCursor: next}
	for i, b := range page {
		ci := c.State(b.item)
		out.CIs[i] = c.now(b.item, &ci)
	}
	return out, nil
}

// shelf is a sieve by text: it keeps the first entries after a cursor without keeping the rest.
type shelf[T any] struct {
	order string
	after string
	limit int
	total int
	kept  []labelled[T]
	more  bool
}

type labelled[T any] struct {
	key  string
	item T
}

func newShelf[T any](p Paging, order string) (*shelf[T], error) {
	s := &shelf[T]{order: order, limit: p.Limit}
	if p.Cursor == "" {
		return s, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	of, after, ok := strings.Cut(string(text), " ")
	if err != nil || !ok || of != order {
		return nil, invalid("the cursor does not belong to this list", "start without one; a cursor keeps its sort")
	}
	s.after = after
	return s, nil
}

func (s *shelf[T]) add(key string, item T) {
	s.total++
	if s.after != "" && key <= s.after {
		return
	}
	if s.kept = append(s.kept, labelled[T]{key, item}); len(s.kept) >= 4*s.limit+64 {
		s.prune()
	}
}

func (s *shelf[T]) prune() {
	slices.SortFunc(s.kept, func(a, b labelled[T]) int { return strings.Compare(a.key, b.key) })
	if len(s.kept) > s.limit {
		s.kept, s.more = s.kept[:s.limit], true
	}
}

// page returns the entries in their order, and the cursor of the page after them.
func (s *shelf[T]) page() (page []labelled[T], next string) {
	s.prune()
	if s.more && len(s.kept) > 0 {
		next = base64.RawURLEncoding.EncodeToString([]byte(s.order + " " + s.kept[len(s.kept)-1].key))
	}
	return s.kept, next
}

// UnboundList counts the alerts that fire and are bound to no configuration item, and shows a page of them, the worst first.
type UnboundList struct {
	Unbound    int            `json:"unbound" doc:"no label of theirs names an item"`
	Ambiguous  int            `json:"ambiguous" doc:"a label of theirs names several"`
	Discovered uint32         `json:"discovered" doc:"items that alerts made and nobody has confirmed, in all tenants; there is a bound"`
	Alerts     []UnboundAlert `json:"alerts"`
	Total      int            `json:"total" doc:"unbound and ambiguous ones"`
	NextCursor string         `json:"next_cursor" doc:"empty on the last page"`
}

// UnboundAlert is an alert that fires and is bound to no configuration item.
type UnboundAlert struct {
	ID       string     `json:"id"`
	Tenant   string     `json:"tenant"`
	Name     string     `json:"name"`
	Severity string     `json:"severity"`
	Incident string     `json:"incident" doc:"empty: in none"`
	Why      string     `json:"why" enum:"unbound,ambiguous"`
	Label    string     `json:"label" doc:"of an ambiguous one: the label whose value is the name of several"`
	Tried    []TryLabel `json:"tried" doc:"its labels that could have named an item, in the order in which they were tried"`
}

// TryLabel is a label by which an alert could have been bound.
type TryLabel struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Unbound lists the alerts of ctx's tenant that fire and are bound to nothing.
func (d *Desk) Unbound(ctx context.Context, p *Paging) (*UnboundList, error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newSieve[correlate.Alert](*p, "unbound")
	if err != nil {
		return nil, err
	}
	out := &UnboundList{Discovered: c.v.Discovered()}
	for a := range c.v.Alerts() {
		_, how, _ := a.CI()
		if a.Phase() != event.Firing || how != event.Unbound && how != event.Ambiguous || !event.InTenant(c.tenant, a.Tenant()) {
			continue
		}
		if how == event.Ambiguous {
			out.Ambiguous++
		} else {
			out.Unbound++
		}
		s.add(alertRank(a), a)
	}
	out.Alerts = items(s, unbound)
	out.Total, out.NextCursor = s.total, s.next()
	return out, nil
}

func unbound(a correlate.Alert) UnboundAlert {
	ls := a.Labels()
	_, how, label := a.CI()
	return UnboundAlert{
		ID: a.ID().String(), Tenant: a.Tenant(), Name: ls.Get("alertname"), Severity: a.Severity().String(), Incident: incidentID(a.Incident()),
		Why: how.String(), Label: label, Tried: tried(ls),
	}
}

// tried are the labels that bind, in their order. A namespace is tried in front of each.
func tried(ls event.Labels) []TryLabel {
	out := []TryLabel{}
	for _, name := range event.BindLabels {
		if v := ls.Get(name); v != "" {
			out = append(out, TryLabel{name, v})
		}
	}
	return out
}
