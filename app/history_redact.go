package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/internal/config"
)

const (
	evenWithin = time.Minute // what the history has not read by then is waited for another time
	evenPause  = 50 * time.Millisecond
	// A text comes back when what is derived was being counted while it was taken away. That is rare once, and rarer twice.
	redactRounds = 4
)

// redactor takes texts out of the history that have left the engine.
type redactor struct{ *App }

// absent tells whether there is no history that could hold a text: it is switched off, or the embedded engine has never run here.
func (r redactor) absent() bool {
	c := r.settings.config
	if c.History.URL != config.HistoryEmbedded {
		return c.History.URL == config.HistoryNone
	}
	_, err := os.Stat(filepath.Join(c.Data, "history", "engine"))
	return errors.Is(err, fs.ErrNotExist)
}

// Redactable tells whether the history takes texts away now.
func (r redactor) Redactable(ctx context.Context) error {
	if r.absent() {
		return nil
	}
	db, err := r.history.opened()
	if err != nil {
		return err
	}
	if err := db.Ping(ctx); err != nil {
		return fmt.Errorf("%w: %w", history.ErrDown, err)
	}
	if is := r.history.Status(); is.Fault != "" {
		return fmt.Errorf("%w: %s", history.ErrDown, is.Fault)
	}
	return nil
}

// Redact takes a text out of the history, once all is in that was read before it left the engine.
func (r redactor) Redact(ctx context.Context, x *clickhouse.Redaction) (found bool, err error) {
	if r.absent() {
		return false, nil
	}
	x.Kept, x.Instead = r.kept, r.engine.RedactedAs
	if x.Incident != 0 {
		if x.Family, err = r.engine.SharesWords(ctx, x.Incident); err != nil {
			return false, err
		}
	}
	if x.Outage != 0 {
		v, err := r.engine.View(ctx)
		if err != nil {
			return false, err
		}
		for o := range v.Outages(x.Tenant) {
			if o.Number == x.Outage {
				x.Cause = strings.Clone(o.Cause)
			}
		}
	}
	for range redactRounds {
		took, err := r.change(ctx, func(db *clickhouse.DB) (bool, error) { return db.Redact(ctx, x) })
		found = found || took
		if err != nil || !took {
			return found, err
		}
	}
	return found, fmt.Errorf("%w: its rows change faster than the text can be taken out of them", history.ErrDown)
}

// ForgetLogin takes a person out of what they were told: out of the outbox's list, and out of the history that has it from there.
func (r redactor) ForgetLogin(ctx context.Context, login string) error {
	if err := r.notifier.ForgetDeliveries(login); err != nil || r.absent() {
		return err
	}
	_, err := r.change(ctx, func(db *clickhouse.DB) (bool, error) { return false, db.ForgetLogin(ctx, login) })
	return err
}

// change changes the history when it is even with what has happened.
func (r redactor) change(ctx context.Context, do func(*clickhouse.DB) (bool, error)) (bool, error) {
	r.redacting.Lock()
	defer r.redacting.Unlock()
	if err := r.even(ctx); err != nil {
		return false, err
	}
	db, err := r.history.opened()
	if err != nil {
		return false, err
	}
	return do(db)
}

// even waits until all that has happened by now is in the history: what was read before a text left the engine comes in with it.
func (r redactor) even(ctx context.Context) error {
	r.hurry.Add(1)
	defer r.hurry.Add(-1)
	head := r.engine.Head().Seq
	for end := time.Now().Add(evenWithin); ; {
		is := r.history.Status()
		if is.Even && is.Cursor >= head {
			return nil
		}
		if time.Now().After(end) {
			if is.Fault != "" {
				return fmt.Errorf("%w: %s", history.ErrDown, is.Fault)
			}
			return fmt.Errorf("%w: it is %d inputs behind", history.ErrDown, is.Entries())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(evenPause):
		}
	}
}

// kept tells what an incident's own changes say now.
func (r redactor) kept(ctx context.Context, incident event.IncidentID) (map[clickhouse.Place]clickhouse.Words, error) {
	out := map[clickhouse.Place]clickhouse.Words{}
	for ch, err := range (words{r.engine}).Timeline(ctx, incident) {
		if err != nil {
			return nil, err
		}
		if ch.Incident != nil {
			out[clickhouse.Place{Seq: ch.Seq, N: ch.N}] = clickhouse.Words{Title: strings.Clone(ch.Incident.Title), Text: strings.Clone(ch.Text)}
		}
	}
	return out, nil
}
