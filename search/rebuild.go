package search

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tocsin-noc/tocsin/event"
)

// Progress of a rebuild.
type Progress struct {
	Seq, Head uint64 // of the changes log: read, and its end
	Incidents uint64
}

// Rebuild makes the index anew from the source, beside the old one, which answers until the new one is even with the log. report is
// told after each batch; it may be nil.
func (x *Index) Rebuild(ctx context.Context, report func(Progress)) error {
	if err := x.enter(ctx); err != nil {
		return err
	}
	defer x.leave()
	s, err := x.begin()
	if err != nil {
		return fmt.Errorf("search: rebuild: %w", err)
	}
	w := &writer{
		store: s, source: x.o.Source, now: x.o.Now,
		guard: func(write func() error) error { return write() },
		taken: func(p progress) {
			x.know(p.tenants)
			if report != nil {
				report(Progress{Seq: p.seq, Head: sequence(x.o.Source.Head()), Incidents: s.documents(nil, "")})
			}
		},
	}
	if err := w.follow(ctx, false); err != nil {
		return errors.Join(fmt.Errorf("search: rebuild: %w", err), x.discard(s))
	}
	x.metrics.rebuilds.Inc()
	if err := x.exchange(s); err != nil {
		return fmt.Errorf("search: rebuild: %w", err)
	}
	return nil
}

// discard throws a store away that was never in use.
func (x *Index) discard(s *store) error {
	err := s.close()
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.store == nil {
		return err
	}
	return errors.Join(err, x.sweep(filepath.Base(x.store.dir)))
}

// exchange puts another store in the place of the one in use, and removes that one's files.
func (x *Index) exchange(s *store) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.store
	if old == nil {
		return errors.Join(errClosed, s.close())
	}
	x.store = s
	x.era++
	x.damaged.Store(false)
	err := x.opened()
	err = errors.Join(err, old.close(), x.settle(s))
	x.restart()
	return err
}

// Entry names a text: the change of an incident's timeline that it came with.
type Entry struct {
	Incident event.IncidentID
	Seq      uint64
	N        uint32
}

// Redact takes texts out of the index and out of its files, once the engine has taken them out of its own. When it returns nil, no
// byte of them is left: what remains was written anew, and the files of before are gone. It is safe to ask again, and one that was
// cut short is finished by Run. The time it takes grows with the index; searches no longer find the texts from its beginning.
func (x *Index) Redact(ctx context.Context, entries ...Entry) error {
	if err := x.enter(ctx); err != nil {
		return err
	}
	defer x.leave()
	if err := x.blank(entries); err != nil {
		return fmt.Errorf("search: redact: %w", err)
	}
	if err := x.purge(ctx); err != nil {
		return fmt.Errorf("search: redact: %w", err)
	}
	return nil
}

// blank takes texts out of their records, and notes in the same commit that the files still hold them.
func (x *Index) blank(entries []Entry) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.era++ // a follower may have read them before they were redacted
	w := &writer{store: x.store}
	if w.store == nil {
		return errClosed
	}
	records := map[event.IncidentID]*record{}
	for _, e := range entries {
		r, err := w.record(e.Incident, records)
		if err != nil {
			return err
		}
		r.blank(place{e.Seq, e.N})
		if r.State == (place{}) { // the index does not know it yet
			delete(records, e.Incident)
		}
	}
	x.restart()
	return w.store.write(records, map[string]string{keyPurge: "yes"})
}

// purge writes what the index holds into new files.
func (x *Index) purge(ctx context.Context) error {
	s, err := x.begin()
	if err != nil {
		return err
	}
	if err := x.copyTo(ctx, s); err != nil {
		return errors.Join(err, x.discard(s))
	}
	return x.exchange(s)
}

// copyTo fills a store with the records of the one in use, as of one moment.
func (x *Index) copyTo(ctx context.Context, s *store) (err error) {
	defer rescue(&err)
	from, done, err := x.use()
	if err != nil {
		return err
	}
	defer done()
	r, err := from.reader()
	if err != nil {
		return err
	}
	defer r.Close()
	values := map[string]string{}
	for _, key := range []string{keyCursor, keySeeded} {
		v, err := r.GetInternal([]byte(key))
		if err != nil {
			return err
		}
		values[key] = string(v)
	}
	records := map[event.IncidentID]*record{}
	err = each(ctx, r, func(rec *record) error {
		records[rec.ID] = rec
		if len(records) < batchChanges {
			return nil
		}
		err := s.write(records, nil)
		clear(records)
		return err
	})
	if err != nil {
		return err
	}
	return s.write(records, values)
}

// finishPurge does what a redaction that was cut short has left.
func (x *Index) finishPurge(ctx context.Context) error {
	s, done, err := x.use()
	if err != nil {
		return err
	}
	left, err := s.value(keyPurge)
	done()
	if err != nil || left == "" {
		return err
	}
	if err := x.enter(ctx); err != nil {
		return err
	}
	defer x.leave()
	if s, done, err = x.use(); err != nil {
		return err
	}
	left, err = s.value(keyPurge) // by now somebody else may have done it
	done()
	if err != nil || left == "" {
		return err
	}
	return x.purge(ctx)
}

// Mention is a text in which somebody is named.
type Mention struct {
	Entry
	Tenant string
	Field  string
}

// maxMentions bounds what Mentions returns.
const maxMentions = maxLimit

// Mentions lists the texts of all tenants in which one of the names stands as a phrase, so that who forgets a person sees what is left
// to be redacted. The index itself holds nothing of the table of people. more: there are more than are listed.
func (x *Index) Mentions(ctx context.Context, names ...string) (list []Mention, more bool, err error) {
	for _, name := range names {
		words := whole(tokens(name))
		if len(words) == 0 {
			continue
		}
		c := clause{words: words}
		s, done, err := x.use()
		if err != nil {
			return nil, false, err
		}
		res, err := x.search(ctx, s, Query{Tenant: event.AllTenants, Text: name, Limit: maxMentions}, []clause{c})
		done()
		if err != nil {
			return nil, false, err
		}
		more = more || res.Total > len(res.Hits)
		for i := range res.Hits {
			h := &res.Hits[i]
			for _, m := range append([]Match{h.Match}, h.Others...) {
				list = append(list, Mention{Entry{h.Incident, m.Seq, m.N}, h.Tenant, m.Field})
			}
			more = more || len(h.Others) == maxMatches-1
		}
	}
	return list, more, nil
}
