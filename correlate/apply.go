package correlate

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
)

// emit stamps a change, appends it to the step's output and moves the state by it.
func (s *State) emit(ch event.Change) {
	ch.Shard, ch.Seq, ch.At, ch.N = s.in.Shard, s.in.Seq, s.in.At, uint32(len(s.out))
	s.account(&ch)
	s.address(&ch)
	s.out = append(s.out, ch)
	s.apply(&s.out[len(s.out)-1])
	if ch.Incident != nil && ch.Incident.Priority == 1 {
		s.followUp(ch.Incident)
	}
}

// address adds to what is said of an alert whence it came and what it is about, for those who read changes and have no state.
func (s *State) address(ch *event.Change) {
	if ch.Alert.ID == 0 {
		return
	}
	ch.Alert.Source = ch.Claim.Source
	if slot := ch.Alert.ID.Slot(); slot < s.alerts.Len() && s.alerts.At(slot).claims != 0 {
		ch.Alert.Source = s.claims.At(s.alerts.At(slot).claims).source
	}
	if ch.Alert.CI != 0 {
		ch.Alert.Item = s.cmdb.ID(ch.Alert.CI)
	}
}

// Fold moves the state by the changes that a log holds for an input, instead of stepping it: another version of the core
// decided them.
func (s *State) Fold(in *event.Input, changes []event.Change) (err error) {
	s.folding = true
	defer func() {
		s.folding = false
		if r := recover(); r != nil {
			err = fmt.Errorf("correlate: the changes of record %d do not continue this state: %v", in.Seq, r)
		}
	}()
	s.text.Sweep()
	s.work.reading.hear(nil)
	if s.meta.At == 0 {
		s.timers.Due(int64(in.At), 1, func(uint8, uint32) {})
	}
	s.meta.Writer, s.meta.Seq, s.meta.At = in.Writer, in.Seq, max(s.meta.At, in.At)
	for i := range changes {
		s.apply(&changes[i])
	}
	s.work.risen = s.cmdb.Risen(s.work.risen[:0]) // the changes say what followed
	s.members.sweep()
	return nil
}

// apply is the fold: the only code that moves the state.
func (s *State) apply(ch *event.Change) {
	if ch.Place != nil && ch.Kind != event.ClusterSettled {
		s.countPlacement(ch.Place)
	}
	switch ch.Kind {
	case event.AlertSeen, event.AlertUnconfirmed:
		s.applySeen(ch)
	case event.AlertDropped:
		s.dropAlert(ch.Alert.ID.Slot())
	case event.AlertFiring, event.AlertUpdated, event.AlertCleared, event.AlertExpired, event.ClaimEnded,
		event.AlertSuppressed, event.AlertReleased, event.AlertSeverity, event.AlertJoined, event.AlertDamped, event.AlertSteadied,
		event.AlertMoved, event.AlertReviewed:
		s.applyAlert(ch)
	case event.IncidentOpened, event.IncidentUpdated, event.IncidentAcknowledged, event.IncidentAssigned, event.IncidentNoted,
		event.IncidentCleared, event.IncidentRecovered, event.IncidentRelapsed, event.IncidentSignalLost,
		event.IncidentResolved, event.IncidentReopened, event.IncidentFlapping, event.IncidentWorse, event.IncidentSnoozed,
		event.IncidentWoke, event.IncidentHeld, event.IncidentUnheld,
		event.IncidentEdited, event.IncidentBegun, event.IncidentCancelled, event.IncidentClosed, event.IncidentMerged,
		event.IncidentAbsorbed, event.IncidentSplit, event.IncidentUnmerged, event.IncidentProposed, event.IncidentAnswered,
		event.IncidentWatched, event.IncidentTasked, event.IncidentLinked, event.IncidentMajor, event.IncidentTold,
		event.IncidentUpdateDue, event.IncidentReviewed, event.IncidentReported, event.IncidentTicket, event.IncidentChase,
		event.IncidentRated, event.IncidentHit:
		s.applyIncident(ch)
	case event.SilenceSet, event.SilenceStarted, event.SilenceEnding, event.SilenceEnded, event.SilenceDropped:
		s.applySilence(ch)
	case event.WindowSet, event.WindowStarted, event.WindowEnding, event.WindowEnded, event.WindowDropped:
		s.applyWindow(ch)
	case event.StormBegan, event.StormEnded:
		s.applyStorm(ch)
	case event.HeartbeatSet, event.HeartbeatLost, event.HeartbeatBack, event.HeartbeatDropped:
		s.applyHeartbeat(ch)
	case event.HandoverNoted, event.HandoverSigned:
		s.applyHandover(ch)
	case event.CISet, event.CIDropped:
		s.applyCI(ch)
	case event.CIRedacted:
		s.work.itemMoves++
		s.cmdb.Redact(ch.CI.Tenant, ch.CI.ID, ch.Text, ch.Count)
	case event.OutageSet, event.OutageEnded:
		s.applyOutage(ch)
	case event.IncidentCauses:
		s.applyCauses(ch.Causes)
	case event.ComponentAdded:
		s.forest.AddComponent(ch.Source.Tenant, ch.Text, s.text.Intern(ch.Source.Tenant), s.text.Intern(ch.Text))
	case event.ItemPlaced, event.ClusterParted:
		s.applyPlacement(ch.Place, 0)
	case event.PairAnswered:
		s.applyPair(ch)
	case event.ClusterSettled:
		s.applySettled(ch.Place.Cluster)
	case event.TraceNoted, event.TraceDropped, event.AbsenceRaised:
		s.applyTrace(ch)
	default:
		s.applyMeta(ch)
	}
}

func (s *State) applyMeta(ch *event.Change) {
	switch ch.Kind {
	case event.SourceAdded:
		s.addSource(ch.Source)
	case event.SourceOverCap:
		s.countOverCap(ch)
	case event.PositionMoved:
		s.movePosition(&ch.Position)
	case event.CoreStarted:
		s.meta.Core = ch.Text
		s.scheduleResolved()
	case event.GraceStarted:
		s.beginGrace(ch)
	case event.RulesLoaded:
		s.loadRules([]byte(ch.Text))
	default:
		panic(fmt.Sprintf("no fold for change %s", ch.Kind))
	}
}

func (s *State) loadRules(text []byte) {
	files, err := rules.Unbundle(text)
	if err != nil {
		panic(err)
	}
	set, err := rules.Parse(files)
	if err != nil {
		panic(err)
	}
	s.dropTraces()
	s.dropSchemes()
	s.rules, s.meta.Rules = set, append([]byte(nil), text...)
	s.useCorrelation()
	s.useReading()
	s.reindexInhibition()
	s.reschedule()
}

// reschedule sets the deadlines that rest on settings anew, after those have changed.
func (s *State) reschedule() {
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		if s.alerts.At(slot).firstAt != 0 {
			s.scheduleAlert(slot)
		}
	}
	for id := event.IncidentID(1); id < s.incidents.Next(); id++ {
		if phase := s.incidents.Phase(id); phase == event.IncidentOpen || phase == event.IncidentDone {
			s.scheduleIncident(id)
		}
	}
	s.scheduleWatch()
}

// scheduleResolved sees to it that incidents which an older version resolved, and had no deadline for, are closed in time.
func (s *State) scheduleResolved() {
	for id := event.IncidentID(1); id < s.incidents.Next(); id++ {
		if s.incidents.Phase(id) == event.IncidentDone && s.members.At(uint32(id)).timer == 0 {
			s.scheduleIncident(id)
		}
	}
}

func (s *State) applySeen(ch *event.Change) {
	claim := s.claims.Mut(ch.Claim.ID)
	firing, earlier := claim.phase == event.Firing, ch.Claim.EndsAt < claim.endsAt
	claim.put(&ch.Claim)
	if ch.Kind == event.AlertSeen {
		claim.seenAt = ch.At
	}
	if !firing || claim.timer == 0 || earlier {
		s.scheduleClaim(ch.Claim.ID)
	}
	if ch.Kind == event.AlertSeen {
		s.sources.Mut(claim.source).lastWord = ch.At
		s.countRepeat(claim.source)
	}
}

// put stores what every claim change carries.
func (r *claimRec) put(c *event.ClaimState) {
	r.startsAt, r.endsAt, r.lastStart, r.clearedAt, r.staleAt = c.StartsAt, c.EndsAt, c.LastStart, c.ClearedAt, c.StaleAt
	r.phase, r.severity, r.silences = c.Phase, c.Severity, c.Silences
	r.flags = 0
	for _, f := range [...]struct {
		on  bool
		bit uint8
	}{{c.Timeout, flagTimeout}, {c.Unconfirmed, flagUnconfirmed}, {c.Inhibited, flagInhibited}, {c.SeverityUnknown, flagSeverityUnknown}, {c.Maintenance, flagMaintenance}, {c.Symptom, flagSymptom}, {c.Filtered, flagFiltered}} {
		if f.on {
			r.flags |= f.bit
		}
	}
	if c.Symptom {
		r.staleAt = c.SymptomUntil
	}
}

// claimState is the inverse of put.
func (r *claimRec) state(slot uint32) event.ClaimState {
	c := event.ClaimState{
		ID: slot, Source: r.source, Content: r.content,
		Phase: r.phase, Severity: r.severity, Silences: r.silences,
		SeverityUnknown: r.flags&flagSeverityUnknown != 0, Timeout: r.flags&flagTimeout != 0,
		Unconfirmed: r.flags&flagUnconfirmed != 0, Inhibited: r.flags&flagInhibited != 0, Maintenance: r.flags&flagMaintenance != 0, Filtered: r.flags&flagFiltered != 0,
		StartsAt: r.startsAt, EndsAt: r.endsAt, LastStart: r.lastStart, ClearedAt: r.clearedAt, StaleAt: r.staleAt,
	}
	if c.Symptom = r.flags&flagSymptom != 0; c.Symptom {
		c.StaleAt, c.SymptomUntil = 0, r.staleAt
	}
	return c
}

func (s *State) applyAlert(ch *event.Change) {
	slot := ch.Alert.ID.Slot()
	s.ensureAlert(slot)
	before := *s.alerts.At(slot)
	if ch.Claim.ID != 0 {
		s.applyClaim(slot, ch)
	}
	a := s.alerts.Mut(slot)
	a.put(&ch.Alert)
	if a.incident != before.incident {
		a.flags &^= flagByHand
	}
	if ch.Kind == event.AlertMoved && ch.Actor != "" {
		a.flags |= flagByHand
	}
	if a.occurrences != before.occurrences {
		a.flags &^= flagTraced // another occurrence
	}
	s.putFlap(slot, &ch.Alert.Flap)
	if before.firstAt == 0 {
		s.bornAlert(slot, ch)
		a = s.alerts.Mut(slot)
	} else if ch.Kind == event.AlertFiring {
		s.regroup(slot, ch)
		a = s.alerts.Mut(slot)
	}
	s.relink(slot, &before)
	s.recount(slot, &before, a)
	if a.incident != 0 && a.incident != before.incident {
		s.followIncident(slot)
	}
	if ch.Kind == event.AlertFiring && a.occurrences > before.occurrences && a.ci != 0 {
		s.learnPair(slot)
	}
	if before.incident == 0 && a.incident != 0 && s.topological(a) { // now there is an incident whose cause is looked for
		if c := s.forest.ClusterOf(a.ci); c != 0 {
			s.scheduleCluster(c)
		}
	}
	if before.reason == event.ReasonHeartbeat && ch.Claim.ID != 0 && ch.Claim.Phase != event.Firing {
		s.watchBy(ch.At) // its heartbeat may be overdue earlier
	}
	if ch.Kind == event.AlertFiring && a.incident != 0 || ch.Kind == event.AlertJoined {
		s.incidents.SetLastOnset(a.incident, ch.At)
	}
	s.scheduleAlert(slot)
}

// ensureAlert takes the slot when a log is folded; a step has taken it before it emitted the change.
func (s *State) ensureAlert(slot uint32) {
	if s.folding && (slot >= s.alerts.Len() || s.alerts.At(slot).firstAt == 0) {
		if got := s.alerts.Alloc(); got != slot {
			panic(fmt.Sprintf("alert of slot %d lies in slot %d", slot, got))
		}
	}
}

func (r *alertRec) put(a *event.AlertState) {
	r.number = uint32(a.ID >> 32)
	r.startsAt, r.firingAt, r.endedAt, r.easesAt, r.firstAt = a.StartsAt, a.FiringAt, a.EndedAt, a.EasesAt, a.FirstAt
	r.occurrences, r.phase, r.severity, r.reason, r.incident = a.Occurrences, a.Phase, a.Severity, a.Reason, a.Incident
	r.ci, r.bound, r.boundBy, r.kind, r.quiet = a.CI, a.Bound, a.BoundBy, a.Kind, a.Quiet
	r.flags &= flagTraced | flagApart | flagByHand
	if a.Ghost {
		r.flags |= flagGhost
	}
	if a.Suppressed {
		r.flags |= flagSuppressed
	}
	if a.Flap.Damped {
		r.flags |= flagDamped
	}
}

// state is the inverse of put, without the names and the flapping.
func (r *alertRec) state(slot uint32) event.AlertState {
	return event.AlertState{
		ID: event.NewAlertID(slot, r.number), Phase: r.phase, Severity: r.severity, Reason: r.reason,
		Ghost: r.flags&flagGhost != 0, Suppressed: r.flags&flagSuppressed != 0, Occurrences: r.occurrences,
		Incident: r.incident, StartsAt: r.startsAt, FiringAt: r.firingAt, EndedAt: r.endedAt, EasesAt: r.easesAt, FirstAt: r.firstAt,
		CI: r.ci, Bound: r.bound, BoundBy: r.boundBy, Kind: r.kind, Quiet: r.quiet,
	}
}

// bornAlert enters a new alert into the index and its group.
func (s *State) bornAlert(slot uint32, ch *event.Change) {
	s.meta.Born = max(s.meta.Born, uint32(ch.Alert.ID>>32))
	tenant := s.tenantOf(ch.Claim.Source)
	scheme := s.work.reading.scheme
	s.alerts.Mut(slot).identity = s.identityBy(scheme, tenant, ch.Claim.Labels)
	if old := s.findAlert(identity{s.alerts.At(slot).identity, scheme}, tenant, ch.Claim.Labels); old != 0 {
		s.byIdentity.Delete(s.alerts.At(old).identity, old) // it ended long ago: what is heard from here on is about the new one
	}
	s.byIdentity.Insert(s.alerts.At(slot).identity, slot)
	if ch.Place == nil {
		s.joinGroup(slot, s.groupOf(tenant, s.onItem(s.look(ch.Claim.Labels, ch.Claim.Annotations), ch.Alert.CI)))
		return
	}
	s.applyPlacement(ch.Place, slot)
	c := s.forest.ClusterOf(ch.Place.Item)
	s.joinCluster(slot, c)
	s.observe(slot, c)
}

// applyClaim stores what one source says, and keeps its text when the change carries it.
func (s *State) applyClaim(alert uint32, ch *event.Change) {
	slot := ch.Claim.ID
	s.ensureClaim(slot)
	wasFiring := s.claims.At(slot).phase == event.Firing
	if ch.Claim.Full {
		s.storeClaim(alert, &ch.Claim)
	}
	claim := s.claims.Mut(slot)
	claim.put(&ch.Claim)
	firing := claim.phase == event.Firing
	src := s.sources.Mut(claim.source)
	if firing != wasFiring {
		if firing {
			src.active++
			s.indexClaim(slot)
		} else {
			src.active--
			s.unindexClaim(slot)
		}
	}
	if carriesWord(ch) {
		s.claims.Mut(slot).seenAt = ch.At
		src.lastWord = ch.At
	}
	s.scheduleClaim(slot)
}

// carriesWord tells whether a claim's change came of something that its source said.
func carriesWord(ch *event.Change) bool {
	switch ch.Kind {
	case event.AlertSuppressed, event.AlertReleased, event.AlertReviewed:
		return false
	case event.AlertExpired, event.ClaimEnded:
		return ch.Claim.Phase != event.Expired
	default:
		return true
	}
}

// ensureClaim is ensureAlert for claims.
func (s *State) ensureClaim(slot uint32) {
	if s.folding && (slot >= s.claims.Len() || s.claims.At(slot).alert == 0) {
		if got := s.claims.Alloc(); got != slot {
			panic(fmt.Sprintf("claim of slot %d lies in slot %d", slot, got))
		}
	}
}

// storeClaim takes over the text of a claim, new or changed. A label set changes under a claim only when its slot is given to
// another after it ended.
func (s *State) storeClaim(alert uint32, c *event.ClaimState) {
	rec := s.claims.Mut(c.ID)
	old := *rec
	s.forgetLooks()
	if r := &s.work.reading; r.said && r.tells(c.Labels) {
		r.claim = c.ID // what was looked at is this claim's from here on
	}
	rec.source, rec.content = c.Source, c.Content
	rec.annotations, rec.url = s.text.Put(c.Annotations), s.text.Intern(c.GeneratorURL)
	s.text.Free(old.annotations)
	s.text.Release(old.url)
	s.work.labels = labelset.Append(s.text, s.work.labels[:0], old.labels)
	if old.alert == 0 || !s.work.labels.Equal(c.Labels) {
		rec.labels = s.text.Put(c.Labels)
		s.text.Free(old.labels)
	}
	if old.alert == 0 {
		rec.alert = alert
		a := s.alerts.Mut(alert)
		rec.scheme = s.work.reading.scheme
		if a.claims != 0 {
			rec.scheme = s.claims.At(a.claims).scheme
		}
		s.countScheme(rec.scheme, 1)
		rec.next, a.claims = a.claims, c.ID
	}
}

// dropAlert forgets an alert and its claims.
func (s *State) dropAlert(slot uint32) {
	before := *s.alerts.At(slot)
	after := before
	after.incident, after.phase, after.flags, after.ci, after.quiet = 0, event.Cleared, 0, 0, 0
	*s.alerts.Mut(slot) = after
	s.relink(slot, &before)
	s.recount(slot, &before, &after)
	s.leaveGroup(slot)
	s.byIdentity.Delete(before.identity, slot)
	s.timers.Cancel(before.timer)
	s.putFlap(slot, &event.Flap{})
	s.forgetLooks()
	for c := before.claims; c != 0; {
		rec := *s.claims.At(c)
		if rec.phase == event.Firing {
			s.unindexClaim(c)
			s.sources.Mut(rec.source).active--
		}
		s.timers.Cancel(rec.timer)
		s.countScheme(rec.scheme, -1)
		s.text.Free(rec.labels)
		s.text.Free(rec.annotations)
		s.text.Release(rec.url)
		s.claims.Free(c)
		c = rec.next
	}
	s.alerts.Free(slot)
}

// recount moves the counts that follow from one alert's state.
func (s *State) recount(slot uint32, before, after *alertRec) {
	s.recountCI(before, after)
	s.recountQuiet(before, after)
	s.recountDowns(slot, before, after)
	if before.phase == event.Firing {
		s.meta.Firing--
	}
	if after.phase == event.Firing {
		s.meta.Firing++
	}
	if before.incident != 0 {
		s.members.Mut(uint32(before.incident)).count(before, -1)
	}
	if after.incident != 0 {
		s.members.Mut(uint32(after.incident)).count(after, 1)
	}
}

func (m *memberRec) count(a *alertRec, by int32) {
	m.alerts += uint32(by)
	if a.flags&flagDamped != 0 {
		m.damped += uint32(by)
	}
	if a.flags&flagApart != 0 {
		m.apart += uint32(by)
	}
	switch a.phase {
	case event.Firing:
		m.firing += uint32(by)
		if a.flags&flagSuppressed != 0 {
			m.suppressed += uint32(by)
		} else {
			m.worst[a.severity] += uint32(by)
		}
	case event.Expired:
		m.expired += uint32(by)
	case event.Cleared:
	}
}

// severity returns the worst severity that fires and is not quiet, Clear when none does.
func (m *memberRec) severity() event.Severity {
	for sev := event.Critical; sev <= event.Info; sev++ {
		if m.worst[sev] > 0 {
			return sev
		}
	}
	return event.Clear
}

func (s *State) applyIncident(ch *event.Change) {
	id := ch.Incident.ID
	isNew := id == s.incidents.Next()
	wasOpen := !isNew && s.incidents.Brief(id).Phase == event.IncidentOpen
	if wasOpen && ch.Incident.Phase != event.IncidentOpen {
		s.recountLost(id, -1)
	}
	s.incidents.Put(ch.Incident)
	s.work.merged[id%mergedKept] = mergedInto{}
	s.work.moves++
	if !isNew && !wasOpen && ch.Incident.Phase == event.IncidentOpen {
		s.recountLost(id, 1)
	}
	if isNew {
		s.members.Alloc()
	}
	switch ch.Incident.Phase {
	case event.PhaseClosed:
		s.shortenCauses(id)
	case event.PhaseCancelled, event.PhaseMerged:
		s.dropCauses(id)
	case event.IncidentOpen, event.IncidentDone:
	}
	if isNew && ch.Incident.Rule != "" { // what a person opens belongs to no group
		s.bindGroup(ch.Incident)
	}
	if ch.Actor == "" && (ch.Kind == event.IncidentOpened || ch.Kind == event.IncidentReopened) {
		s.countOpening(ch.Incident)
	}
	s.scheduleIncident(ch.Incident.ID)
}

func (s *State) addSource(src event.Source) {
	slot := s.sources.Alloc()
	*s.sources.Mut(slot) = sourceRec{
		name: s.text.Intern(src.Name), tenant: s.text.Intern(src.Tenant), kind: src.Kind, lastWord: s.meta.At,
	}
}

func (s *State) tenantOf(source uint32) string { return s.text.String(s.sources.At(source).tenant) }

func (s *State) movePosition(p *event.Position) {
	slot := s.findPosition(p)
	if slot == 0 {
		slot = s.positions.Alloc()
		*s.positions.Mut(slot) = positionRec{
			cluster: s.text.Intern(p.Cluster), topic: s.text.Intern(p.Topic), partition: p.Partition,
		}
		s.byPosition.Insert(positionHash(p), slot)
	}
	s.positions.Mut(slot).offset = p.Offset
}

func (s *State) findPosition(p *event.Position) uint32 {
	slot, _ := s.byPosition.Find(positionHash(p), func(ref uint32) bool {
		rec := s.positions.At(ref)
		return rec.partition == p.Partition && s.text.String(rec.topic) == p.Topic && s.text.String(rec.cluster) == p.Cluster
	})
	return slot
}

func positionHash(p *event.Position) uint64 {
	return xxhash.Sum64String(p.Cluster)*31 + xxhash.Sum64String(p.Topic)*17 + uint64(uint32(p.Partition))
}

func (s *State) beginGrace(ch *event.Change) {
	if ch.Source.Name == "" {
		s.meta.Resumed, s.meta.Grace = ch.At, ch.Until
		return
	}
	if slot := s.findSource(ch.Source); slot != 0 {
		rec := s.sources.Mut(slot)
		rec.graceFrom, rec.graceUntil = ch.At, ch.Until
	}
}

func (s *State) findSource(src event.Source) uint32 {
	for slot := uint32(1); slot < s.sources.Len(); slot++ {
		rec := s.sources.At(slot)
		if s.text.String(rec.name) == src.Name && s.text.String(rec.tenant) == src.Tenant {
			return slot
		}
	}
	return 0
}

// claimLabels returns the label set of a claim in memory that the next such call overwrites.
func (s *State) claimLabels(slot uint32) event.Labels {
	c := &s.work.claimed
	if c.claim != slot {
		c.claim, c.labels = slot, labelset.Append(s.text, c.labels[:0], s.claims.At(slot).labels)
	}
	return c.labels
}
