package api

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Desk answers people's questions from the engine's views, for the API's routes and the console alike. Each method takes the
// principal from its context and shows what is its tenant's; it checks no role. Errors are *auth.Problem.
type Desk struct {
	engine Engine
	people Directory // nil: ids are names
	base   string    // external URL without a slash at the end, or the route prefix
	now    func() event.Time

	history HistoryRedactor // nil: it holds no texts
}

// NewDesk returns a desk. base stands in front of links to the console: the external URL, else the route prefix; it may be empty.
func NewDesk(engine Engine, base string) *Desk {
	return &Desk{engine: engine, base: strings.TrimRight(base, "/"), now: func() event.Time { return event.FromTime(time.Now()) }}
}

// Directory knows the persons behind the opaque ids of the journal.
type Directory interface {
	Name(id string) string                    // as people know them; the text itself when it is no id
	Find(name string) (id string, ok bool)    // by login, id, or the name as people know it
	Actor(name string) (id string, err error) // the id for a login, made when there is none yet
	Stranger(id, tenant string) bool          // somebody whom the table lists, with no part in the tenant
}

// Knowing makes the desk show names in place of ids, and returns it. Call it before the desk is used.
func (d *Desk) Knowing(people Directory) *Desk {
	d.people = people
	return d
}

func (d *Desk) name(id string) string {
	if d.people == nil || id == "" {
		return id
	}
	return d.people.Name(id)
}

// findPerson is id for who is known; the text itself when nobody is.
func (d *Desk) findPerson(name string) (id string, ok bool) {
	if d.people == nil || name == "" {
		return name, true
	}
	if id, ok := d.people.Find(name); ok {
		return id, true
	}
	return name, false
}

// id is the inverse of name, in ctx's tenant. A name that nobody has is given an id: the journal holds no name. Outside of main, where
// people are looked after, a name that means nobody of the tenant is refused, whether or not it means somebody else.
func (d *Desk) id(ctx context.Context, name string) (string, error) {
	tenant := auth.FromContext(ctx).Tenant
	id, known := d.findPerson(name)
	switch {
	case d.people == nil || name == "" || id == auth.FromContext(ctx).ID:
		return id, nil
	case known && d.people.Stranger(id, tenant), !known && tenant != event.DefaultTenant:
		return "", invalid("nobody called "+name+" has a part in the tenant "+tenant, "an admin of main can grant one: `tocsin user set`")
	case known:
		return id, nil
	}
	id, err := d.people.Actor(name)
	if err != nil {
		return "", invalid(err.Error(), "name somebody by their login; `tocsin user list` shows them")
	}
	return id, nil
}

// backFor is how long after a start people are told of it.
const backFor = 15 * event.Minute

// Back says, for a while after a start, how long the daemon was away and how many acknowledged inputs it lost; else "".
func (d *Desk) Back() string {
	st := d.engine.Status().Started
	if st.Away < time.Second || d.now()-event.FromTime(st.At) > backFor {
		return ""
	}
	return fmt.Sprintf("back after %s, %d lost", st.Away.Round(time.Second), st.Lost)
}

// Head is the latest change: what is asked for after it shows that change, and the stream can be followed from it.
func (d *Desk) Head() string { return d.engine.Head().String() }
