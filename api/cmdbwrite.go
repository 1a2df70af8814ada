package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// CIDraft is what a person says of a configuration item: what is left out stays, what is new is pinned.
type CIDraft struct {
	Class      string            `json:"class,omitempty" maxLength:"64" doc:"needed for a new one"`
	Name       string            `json:"name,omitempty" maxLength:"512"`
	State      string            `json:"state,omitempty" enum:"ordered,live,maintenance,retired" doc:"live, for a new one"`
	Needs      uint16            `json:"needs,omitempty" doc:"how many of its members must be up"`
	Attributes map[string]string `json:"attributes,omitempty" maxProperties:"64" doc:"an empty value takes one away"`
	Relations  *CIArrows         `json:"relations,omitempty" doc:"replace all that it has, whoever told of them"`
	ValidFrom  time.Time         `json:"valid_from,omitzero" doc:"since when this holds, or will; now, if not given"`
}

// CIArrows are the relations that a configuration item has, by kind.
type CIArrows struct {
	DependsOn  []string `json:"depends_on,omitempty" maxItems:"1000"`
	HostedOn   []string `json:"hosted_on,omitempty" maxItems:"1000"`
	PartOf     []string `json:"part_of,omitempty" maxItems:"1000"`
	ConnectsTo []string `json:"connects_to,omitempty" maxItems:"1000"`
	BacksUp    []string `json:"backs_up,omitempty" maxItems:"1000"`
}

// relations returns the arrows as the core takes them: one empty relation says that there are none.
func (a *CIArrows) relations() []event.Relation {
	if a == nil {
		return nil
	}
	out := []event.Relation{}
	for kind, ids := range map[event.RelationKind][]string{
		event.DependsOn: a.DependsOn, event.HostedOn: a.HostedOn, event.PartOf: a.PartOf, event.ConnectsTo: a.ConnectsTo, event.BacksUp: a.BacksUp,
	} {
		for _, id := range ids {
			out = append(out, event.Relation{Kind: kind, To: id})
		}
	}
	if len(out) == 0 {
		return []event.Relation{{}}
	}
	slices.SortFunc(out, func(x, y event.Relation) int {
		return strings.Compare(x.Kind.String()+"\x00"+x.To, y.Kind.String()+"\x00"+y.To)
	})
	return slices.Compact(out)
}

// attributesOf sorts what is said of attributes.
func attributesOf(m map[string]string) event.Labels {
	out := make(event.Labels, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, event.Label{Name: name, Value: m[name]})
	}
	return out
}

// SetCI makes or changes a configuration item in the name of ctx's principal.
func (d *Desk) SetCI(ctx context.Context, id string, draft *CIDraft) (*CIDetail, error) {
	if !draft.ValidFrom.IsZero() && draft.ValidFrom.Year() < 1970 || draft.ValidFrom.Equal(time.Unix(0, 0)) {
		return nil, invalid("valid_from must lie after the beginning of 1970", "leave it out for now")
	}
	ci := event.CI{
		ID: id, Class: draft.Class, Name: draft.Name, State: event.ParseCIState(draft.State), Needs: draft.Needs,
		Attributes: attributesOf(draft.Attributes), Relations: draft.Relations.relations(), ValidFrom: event.FromTime(draft.ValidFrom),
	}
	if err := d.editCI(ctx, id, &event.CIEdit{Set: []event.CI{ci}}); err != nil {
		return nil, err
	}
	return d.CI(ctx, id, CIMoment{})
}

// RetireCI says that a configuration item is in use no more.
func (d *Desk) RetireCI(ctx context.Context, id string) (*CIDetail, error) {
	if err := d.editCI(ctx, id, &event.CIEdit{Retire: []string{id}}); err != nil {
		return nil, err
	}
	return d.CI(ctx, id, CIMoment{})
}

// ReleaseCI hands the fields of a configuration item that people have pinned back to imports.
func (d *Desk) ReleaseCI(ctx context.Context, id string) (*CIDetail, error) {
	if err := d.editCI(ctx, id, &event.CIEdit{Release: []string{id}}); err != nil {
		return nil, err
	}
	return d.CI(ctx, id, CIMoment{})
}

// editCI carries out what a person says of one item. What says nothing new is not journaled.
func (d *Desk) editCI(ctx context.Context, id string, e *event.CIEdit) error {
	c, err := d.configuration(ctx)
	if err != nil {
		return err
	}
	e.Source = event.PeopleSource
	if slot := c.Find(c.tenant, id); slot != 0 {
		if err := mayActFor(ctx, c.State(slot).Attributes.Get("team"), id); err != nil {
			return err
		}
	} else if len(e.Set) == 0 {
		return notFound("configuration item " + strconv.Quote(id))
	}
	for i := range e.Set {
		if err := mayActFor(ctx, e.Set[i].Attributes.Get("team"), id); err != nil {
			return err
		}
	}
	changes, refused := c.Check(c.tenant, e, max(d.now(), c.v.At))
	if refused != nil {
		return ciRefusal(refused)
	}
	if len(changes) == 0 {
		return nil
	}
	res, err := d.engine.Do(ctx, event.Command{Kind: event.EditCIs, Actor: auth.FromContext(ctx).ID, Tenant: c.tenant, CIs: e})
	if err != nil {
		return failure(err)
	}
	if res.Err != nil {
		return ciRefusal(res.Err)
	}
	return nil
}

// ciRefusal is refusal of what may have several reasons, one per line.
func ciRefusal(r *event.Refusal) *auth.Problem {
	p := refusal(r)
	if lines := strings.Split(r.Message, "\n"); len(lines) > 1 {
		p.Detail, p.Errors = fmt.Sprintf("%d problems", len(lines)), lines
		if last := lines[len(lines)-1]; strings.HasSuffix(last, " not shown") {
			p.Detail, p.Errors = last, lines[:len(lines)-1]
		}
	}
	return p
}

// wholeTenant refuses what touches all of a tenant to somebody whose grant is for some teams only.
func wholeTenant(ctx context.Context) error {
	if p := auth.FromContext(ctx); len(p.Teams) > 0 {
		return &auth.Problem{
			Status: http.StatusForbidden, Code: "forbidden", Detail: "an import may touch everybody's items, and " + p.Known() + " may act for " + strings.Join(p.Teams, ", "),
			Hint: "change items one by one, or ask an admin for a grant",
		}
	}
	return nil
}
