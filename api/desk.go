package api

import (
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Desk answers people's questions from the engine's views, for the API's routes and the console alike. Each method takes the
// principal from its context and shows what is its tenant's; it checks no role. Errors are *auth.Problem.
type Desk struct {
	engine Engine
	base   string // external URL without a slash at the end, or the route prefix
	now    func() event.Time
}

// NewDesk returns a desk. base stands in front of links to the console: the external URL, else the route prefix; it may be empty.
func NewDesk(engine Engine, base string) *Desk {
	return &Desk{engine: engine, base: strings.TrimRight(base, "/"), now: func() event.Time { return event.FromTime(time.Now()) }}
}

// Head is the latest change: what is asked for after it shows that change, and the stream can be followed from it.
func (d *Desk) Head() string { return d.engine.Head().String() }
