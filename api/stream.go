package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	heartbeatEvery = 15 * time.Second
	writeWithin    = 5 * time.Second // a client that takes longer for one write is gone
	streamQueue    = 64              // changes between the log's reader and the client
)

// streams serves changes as server-sent events. Each client has its own reader of the log, which waits for the client; the engine
// waits for neither.
type streams struct {
	desk *Desk
	log  *slog.Logger
	most int64 // clients at a time
	open atomic.Int64
}

// item is what a client's reader hands over: a change, or the reader's end.
type item struct {
	change event.Change
	err    error
}

// serve answers one client until it leaves. after is where to begin: empty means from now on.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, after string) {
	if s.open.Add(1) > s.most {
		s.open.Add(-1)
		(&auth.Problem{Status: http.StatusServiceUnavailable, Code: "too_many_streams", RetryAfter: heartbeatEvery,
			Detail: fmt.Sprintf("%d clients follow the stream already", s.most), Hint: "close some consoles"}).Write(w, r)
		return
	}
	defer s.open.Add(-1)
	from, lost, err := s.start(after)
	if err != nil {
		failure(err).Write(w, r)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	c := &client{w: w, rc: http.NewResponseController(w), desk: s.desk, tenant: auth.FromContext(ctx).Tenant}
	if err := c.hello(from); err != nil {
		return
	}
	if lost {
		_ = c.goodbye(engine.ErrTruncated) // it comes again, from the place it is told
		return
	}
	if err := c.follow(ctx, s.read(ctx, from)); err != nil {
		s.log.Debug("stream ended", "error", err)
	}
}

// start returns where to begin. A place ahead of the log is of another log: the data directory was replaced.
func (s *streams) start(after string) (from engine.Cursor, lost bool, err error) {
	head := s.desk.engine.Head()
	if after == "" {
		return head, false, nil
	}
	from, err = engine.ParseCursor(after)
	if err != nil {
		return from, false, invalid("Last-Event-ID: "+after+" is no id of this stream", "leave it out to begin now")
	}
	return from, from.Seq > head.Seq, nil
}

// read follows the log in a goroutine that ends with ctx.
func (s *streams) read(ctx context.Context, from engine.Cursor) <-chan item {
	out := make(chan item, streamQueue)
	go func() {
		defer close(out)
		for ch, err := range s.desk.engine.Follow(ctx, from) {
			select {
			case out <- item{ch, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}

// client is one connection. Its goroutine is the request's.
type client struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	desk   *Desk
	tenant string
	view   *correlate.View // to look up whose an alert is; renewed when a change is younger
}

func (c *client) hello(from engine.Cursor) error {
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c.w.WriteHeader(http.StatusOK)
	return c.write("retry: 2000\nid: %s\nevent: hello\ndata: {}\n\n", from)
}

func (c *client) follow(ctx context.Context, items <-chan item) error {
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-closing(ctx):
			return nil
		case <-beat.C:
			err = c.write(": still here\n\n")
		case it, ok := <-items:
			switch {
			case !ok:
				return nil
			case it.err != nil:
				return c.goodbye(it.err)
			}
			err = c.send(ctx, &it.change)
		}
		if err != nil {
			return err
		}
	}
}

// goodbye tells a client whose place in the log is gone to load everything anew and go on from now.
func (c *client) goodbye(err error) error {
	if errors.Is(err, engine.ErrTruncated) {
		return errors.Join(err, c.write("id: %s\nevent: truncated\ndata: {\"detail\":\"older changes are no longer kept: load everything anew\"}\n\n", c.desk.engine.Head()))
	}
	return err
}

func (c *client) send(ctx context.Context, ch *event.Change) error {
	if ch.Kind == event.AlertSeen || ch.Kind == event.PositionMoved || !c.mine(ctx, ch) {
		return nil
	}
	data, err := json.Marshal(c.desk.change(ch))
	if err != nil {
		return err
	}
	return c.write("id: %s\nevent: %s\ndata: %s\n\n", cursorOf(ch), ch.Kind, data)
}

// mine tells whether a change belongs to the client's tenant. A change that belongs to nobody is everybody's.
func (c *client) mine(ctx context.Context, ch *event.Change) bool {
	switch {
	case ch.Incident != nil:
		return event.InTenant(c.tenant, ch.Incident.Tenant)
	case ch.Silence != nil:
		return event.InTenant(c.tenant, ch.Silence.Tenant)
	case ch.Window != nil:
		return event.InTenant(c.tenant, ch.Window.Tenant)
	case ch.Storm != nil:
		return event.InTenant(c.tenant, ch.Storm.Tenant)
	case ch.Beat != nil:
		return event.InTenant(c.tenant, ch.Beat.Tenant)
	case ch.Handover != nil:
		return event.InTenant(c.tenant, ch.Handover.Tenant)
	case ch.CI != nil:
		return event.InTenant(c.tenant, ch.CI.Tenant)
	case ch.Outage != nil:
		return event.InTenant(c.tenant, ch.Outage.Tenant)
	case ch.Causes != nil:
		return c.causesAreMine(ctx, ch)
	case ch.Alert.ID != 0:
		return c.alertIsMine(ctx, ch)
	case ch.Source.Name != "":
		return event.InTenant(c.tenant, ch.Source.Tenant)
	}
	return ch.Kind == event.RulesLoaded || ch.Kind == event.CoreStarted || ch.Kind == event.GraceStarted
}

// alertIsMine looks the alert up: its changes do not say whose it is. One that has left memory meanwhile is nobody's.
func (c *client) alertIsMine(ctx context.Context, ch *event.Change) bool {
	if !c.see(ctx, ch) {
		return false
	}
	a, ok := c.view.Alert(ch.Alert.ID)
	return ok && event.InTenant(c.tenant, a.Tenant())
}

// causesAreMine looks the incident up: what is thought of its cause does not say whose it is.
func (c *client) causesAreMine(ctx context.Context, ch *event.Change) bool {
	if !c.see(ctx, ch) {
		return false
	}
	i, ok := c.view.Incident(ch.Causes.Incident)
	return ok && event.InTenant(c.tenant, i.Tenant)
}

// see takes a view in which a change has happened.
func (c *client) see(ctx context.Context, ch *event.Change) bool {
	if c.view != nil && c.view.Seq >= ch.Seq {
		return true
	}
	v, err := c.desk.engine.View(ctx)
	if err == nil {
		c.view = v
	}
	return err == nil
}

// write sends one piece and sees it off.
func (c *client) write(format string, args ...any) error {
	if err := c.rc.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprintf(c.w, format, args...); err != nil {
		return err
	}
	return c.rc.Flush()
}
