package correlate

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/rules"
)

// snapshotFormat names the layout of the records in a snapshot. It moves with every change of a *Rec type or of meta; the
// containers check the size of each record besides.
const (
	snapshotFormat = 4
	oldestSnapshot = 2 // that can still be read
)

// savedMeta is what a snapshot holds besides the containers.
type savedMeta struct {
	Format   int
	Meta     meta
	Silences []savedSilence
	Desk     desk
}

type savedSilence struct {
	event.Silence
	Slot   uint32
	Active bool
	Warned bool
}

// Save writes the view as a snapshot.
func (v *View) Save(to io.Writer) error {
	w := flat.NewWriter(to)
	saved := savedMeta{Format: snapshotFormat, Meta: v.meta, Desk: v.desk}
	for _, sil := range v.silences {
		saved.Silences = append(saved.Silences, savedSilence{sil.Silence, sil.slot, sil.active, sil.warned})
	}
	b, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("correlate: snapshot: %w", err)
	}
	if err := w.Bytes("meta", b); err != nil {
		return err
	}
	for _, save := range []func() error{
		func() error { return v.text.Strings.Save(w, "strings") },
		func() error { return v.text.Blobs.Save(w, "blobs") },
		func() error { return v.alerts.Save(w, "alerts") },
		func() error { return v.claims.Save(w, "claims") },
		func() error { return v.byIdentity.Save(w, "by_identity") },
		func() error { return v.groups.Save(w, "groups") },
		func() error { return v.byGroup.Save(w, "by_group") },
		func() error { return v.incidents.Save(w) },
		func() error { return v.members.Save(w) },
		func() error { return v.timers.Save(w, "timers") },
		func() error { return v.buckets.Save(w, "inhibit_buckets") },
		func() error { return v.byKey.Save(w, "inhibit_keys") },
		func() error { return v.nodes.Save(w, "inhibit_nodes") },
		func() error { return v.sources.Save(w, "sources") },
		func() error { return v.positions.Save(w, "positions") },
		func() error { return v.byPosition.Save(w, "by_position") },
		func() error { return v.silenceTimers.Save(w, "silence_timers") },
		func() error { return v.flaps.Save(w, "flaps") },
		func() error { return v.cmdb.Save(w) },
		func() error { return v.cis.Save(w, "ci_use") },
		func() error { return v.forest.Save(w) },
		func() error { return v.causes.Save(w) },
		func() error { return v.pairs.Save(w) },
		func() error { return v.clusters.Save(w, "clusters") },
		func() error { return v.verdicts.Save(w, "verdicts") },
		func() error { return v.byCauses.Save(w, "by_causes") },
		func() error { return v.traces.Save(w, "traces") },
		func() error { return v.traceNodes.Save(w, "trace_nodes") },
		func() error { return v.byTrace.Save(w, "by_trace") },
		func() error { return v.quiets.Save(w, "quiets") },
		func() error { return v.placed.Save(w, "placements") },
		w.Close,
	} {
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}

// Load reads a snapshot into a new state.
func Load(from io.Reader) (*State, error) {
	r, s := flat.NewReader(from), New()
	b, err := r.Bytes("meta")
	if err != nil {
		return nil, err
	}
	var saved savedMeta
	if err := json.Unmarshal(b, &saved); err != nil {
		return nil, fmt.Errorf("correlate: snapshot: %w", err)
	}
	if saved.Format < oldestSnapshot || saved.Format > snapshotFormat {
		return nil, fmt.Errorf("correlate: snapshot has format %d, this version reads %d to %d", saved.Format, oldestSnapshot, snapshotFormat)
	}
	old := saved.Format == 2
	for _, load := range []func() error{
		func() error { return s.text.Strings.Load(r, "strings") },
		func() error { return s.text.Blobs.Load(r, "blobs") },
		func() error { return s.loadAlerts(r, old) },
		func() error { return s.claims.Load(r, "claims") },
		func() error { return s.byIdentity.Load(r, "by_identity") },
		func() error { return s.groups.Load(r, "groups") },
		func() error { return s.byGroup.Load(r, "by_group") },
		func() error { return s.loadIncidents(r, old) },
		func() error { return s.loadMembers(r, saved.Format) },
		func() error { return s.timers.Load(r, "timers") },
		func() error { return s.inhibition.buckets.Load(r, "inhibit_buckets") },
		func() error { return s.inhibition.byKey.Load(r, "inhibit_keys") },
		func() error { return s.inhibition.nodes.Load(r, "inhibit_nodes") },
		func() error { return s.sources.Load(r, "sources") },
		func() error { return s.positions.Load(r, "positions") },
		func() error { return s.byPosition.Load(r, "by_position") },
		func() error { return s.silences.timers.Load(r, "silence_timers") },
		func() error { return s.flaps.Load(r, "flaps") },
		func() error { return s.loadCMDB(r, old) },
		func() error { return s.loadForest(r, saved.Format) },
		r.Close,
	} {
		if err := load(); err != nil {
			return nil, err
		}
	}
	return s, s.restore(saved)
}

// loadCMDB reads what format 2 did not have.
func (s *State) loadCMDB(r *flat.Reader, old bool) error {
	if old {
		return nil
	}
	if err := s.cmdb.Load(r); err != nil {
		return err
	}
	return s.cis.Load(r, "ci_use")
}

// loadForest reads what came with format 4.
func (s *State) loadForest(r *flat.Reader, format int) error {
	if format < 4 {
		return nil
	}
	for _, load := range []func() error{
		func() error { return s.forest.Load(r) },
		func() error { return s.causes.Load(r) },
		func() error { return s.pairs.Load(r) },
		func() error { return s.clusters.Load(r, "clusters") },
		func() error { return s.verdicts.Load(r, "verdicts") },
		func() error { return s.byCauses.Load(r, "by_causes") },
		func() error { return s.traces.recs.Load(r, "traces") },
		func() error { return s.traces.nodes.Load(r, "trace_nodes") },
		func() error { return s.traces.byKey.Load(r, "by_trace") },
		func() error { return s.quiets.Load(r, "quiets") },
		func() error { return s.placed.Load(r, "placements") },
	} {
		if err := load(); err != nil {
			return err
		}
	}
	return nil
}

// restore takes over what lies outside the containers.
func (s *State) restore(saved savedMeta) error {
	s.meta = saved.Meta
	s.restoreDowns()
	for _, kept := range saved.Silences {
		sil, err := newSilence(kept.Silence)
		if err != nil {
			return fmt.Errorf("correlate: snapshot: silence %s: %w", kept.ID, err)
		}
		sil.slot, sil.active, sil.warned = kept.Slot, kept.Active, kept.Warned
		s.silences.list = append(s.silences.list, sil)
	}
	if err := s.restoreDesk(saved.Desk); err != nil {
		return err
	}
	s.countSchemes()
	if len(s.meta.Rules) == 0 {
		return nil
	}
	files, err := rules.Unbundle(s.meta.Rules)
	if err != nil {
		return fmt.Errorf("correlate: snapshot: %w", err)
	}
	if s.rules, err = rules.Parse(files); err != nil {
		return err
	}
	s.useCorrelation()
	s.useReading()
	return nil
}

// restoreDesk makes the windows ready again; when each is next due follows from the rest.
func (s *State) restoreDesk(kept desk) error {
	s.desk = kept
	for i, w := range kept.Windows {
		ready, err := newWindow(w.Window)
		if err != nil {
			return fmt.Errorf("correlate: snapshot: window %s: %w", w.ID, err)
		}
		ready.Warned, ready.nextAt = w.Warned, ready.opening(s.meta.At)
		s.desk.Windows[i] = ready
	}
	s.desk.countLost()
	s.desk.countLasting()
	return nil
}
