package correlate

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tocsin-noc/tocsin/correlate/forest"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/itsm"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// topologyRule names the grouping of alerts whose items the topology or an environment ties together; its key holds the number of
// their cluster.
const (
	topologyRule = event.ByTopology
	treeLabel    = event.TreeLabel
)

// maxLate bounds by how much the start that a source gives may lie before its arrival and still count as the time of the alert.
const maxLate = 15 * event.Minute

// locate places the item of an alert that begins, where topology or an environment has a say. It returns nil where rules group the alert.
func (s *State) locate(a *event.AlertState, ended event.Time, tenant string, ls, annotations event.Labels) *event.Placement {
	if a.CI == 0 || !s.settings().Correlation.Topology || s.rules.Heartbeat(ls) >= 0 {
		return nil
	}
	name, size := s.componentOf(a.CI, ls)
	if name == "" {
		return nil
	}
	c := s.forest.Component(tenant, name, s.text)
	if c == 0 {
		s.emit(event.Change{Kind: event.ComponentAdded, Source: event.Source{Tenant: tenant}, Text: name})
		c = s.forest.Component(tenant, name, s.text)
	}
	o := s.onsetOf(a.CI, c, max(size, s.forest.ComponentItems(c)), s.eventTime(a.StartsAt))
	if o.Back = a.Incident != 0 && s.keeps(a.Incident, ended); o.Back {
		o.BackTo = s.liveCluster(a.CI, a.Incident)
	}
	o.Factor = s.pairFactor(tenant, ls, annotations)
	d := s.forest.Decide(o, &s.topology, s.forestParams())
	s.cite(&d)
	return &d
}

// Among returns of how many parts of a whole the one is through which alone another item is upstream of that: 1 when it is upstream
// otherwise.
func (t *topology) Among(item, up uint32, hops uint8) uint32 { return max(t.among(item, up, hops), 1) }

// among is Among, and 0 where the other is not upstream.
func (t *topology) among(item, up uint32, hops uint8) (least uint32) {
	var room [maxAbove]itsm.Near
	parts := t.PartCount(item)
	for _, next := range t.Upstream(item, 1, maxAbove, room[:0]) {
		of := uint32(1)
		if next.Item != up {
			if hops < 2 {
				continue
			}
			if of = t.among(next.Item, up, hops-1); of == 0 {
				continue
			}
		}
		if parts > 1 && t.isPart(next.Item, item) {
			of *= parts
		}
		if least == 0 || of < least {
			least = of
		}
	}
	return least
}

func (t *topology) isPart(item, whole uint32) bool {
	t.parts = t.cmdb.Wholes(item, t.parts[:0])
	return slices.Contains(t.parts, whole)
}

func (s *State) onsetOf(ci, component, size uint32, at event.Time) forest.Onset {
	return forest.Onset{Item: ci, Component: component, At: at, Size: size, Estate: s.forest.Estate(component, s.estate(ci))}
}

// eventTime is when an alert began, as far as its source is to be believed.
func (s *State) eventTime(startsAt event.Time) event.Time {
	if startsAt > s.meta.At || startsAt < s.meta.At-maxLate {
		return s.meta.At
	}
	return startsAt
}

// componentOf names what an item shares its faults with: the environment that the alert's labels name, else what hangs together with it
// in the topology. An item that stands alone is of no component.
func (s *State) componentOf(ci uint32, ls event.Labels) (name string, size uint32) {
	if label, value := s.rules.Component(ls); label != "" {
		_, size = s.components().Of(ci)
		return label + "=" + value, size
	}
	if !s.cmdb.Linked(ci) {
		return "", 0
	}
	first, size := s.components().Of(ci)
	return "around " + s.cmdb.ID(first), size
}

// components tells what hangs together in the topology as it is now.
func (s *State) components() *itsm.Components {
	if s.work.components == nil {
		s.work.components = s.cmdb.Components()
	}
	return s.work.components
}

// keeps tells whether an alert that begins again is still its incident's own: that ended a short while ago, or people work on it.
func (s *State) keeps(id event.IncidentID, ended event.Time) bool {
	inc := s.incidents.Brief(id)
	recent := s.meta.At-ended <= s.settings().ReopenWithin
	switch inc.Phase {
	case event.IncidentOpen:
		if recent || s.members.At(uint32(id)).firing > 0 {
			return true
		}
		state := s.incidents.State(id)
		return itsm.Touched(&state)
	case event.IncidentDone:
		return recent || s.meta.At-inc.ResolvedAt <= s.settings().ReopenWithin
	default:
		return false
	}
}

// liveCluster returns the cluster of an item when it is that of an incident and still takes items in, else 0.
func (s *State) liveCluster(ci uint32, id event.IncidentID) uint32 {
	c := s.forest.ClusterOf(ci)
	if c == 0 || s.incidentOfCluster(c) != id {
		return 0
	}
	return c
}

// clusterKey is the key of a cluster's group.
func (s *State) clusterKey(tenant string, number uint32) groupKey {
	labels := append(s.work.tree[:0], event.Label{Name: treeLabel, Value: strconv.FormatUint(uint64(number), 10)})
	s.work.tree = labels
	return s.treeKey(tenant, labels)
}

// treeKey is the key of the group of a cluster, by the labels that hold its number.
func (s *State) treeKey(tenant string, labels event.Labels) groupKey {
	return groupKey{
		hash: s.groupHash(tenant, topologyRule, labels), tenant: tenant, rule: topologyRule, place: strict.Place{File: "built in"}, labels: labels,
	}
}

// whither returns the key of the group to which an alert belongs: its cluster's, or that of a rule.
func (s *State) whither(tenant string, where *event.Placement, r ruling) groupKey {
	if where == nil || where.Kind == event.PlaceHand {
		return s.ruledKey(tenant, &s.work.reading.input, r)
	}
	return s.keyOfPlacement(tenant, where)
}

// orNone marks that rules group an alert which a cluster grouped before.
func (s *State) orNone(slot uint32, where *event.Placement) *event.Placement {
	if a := s.alerts.At(slot); where == nil && a.firstAt != 0 && s.topological(a) {
		return &event.Placement{Edge: event.NoScore, Near: event.NoScore}
	}
	return where
}

// keyOfPlacement is the key of the cluster to which a placement leads, be it there or not.
func (s *State) keyOfPlacement(tenant string, d *event.Placement) groupKey {
	if d.Cluster == 0 {
		return s.clusterKey(tenant, s.forest.NextNumber(d.Component))
	}
	return s.numberKey(d.Cluster)
}

// treeGroup is where the group of a cluster was found last.
type treeGroup struct {
	hash   uint64 // of its key
	number uint32
	tenant flat.Sym
	group  uint32
}

// groupOfCluster is findGroup for the key of a cluster.
func (s *State) groupOfCluster(cluster uint32) uint32 {
	if short := int(cluster) + 1 - len(s.work.trees); short > 0 {
		s.work.trees = append(s.work.trees, make([]treeGroup, short)...)
	}
	t, number, tenant := &s.work.trees[cluster], s.forest.Number(cluster), s.forest.TenantOf(cluster)
	if t.group != 0 && t.number == number && t.tenant == tenant {
		if g := s.groups.At(t.group); g.hash == t.hash && s.text.String(g.rule) == topologyRule { // it is still that one's
			return t.group
		}
	}
	k := s.numberKey(cluster)
	*t = treeGroup{k.hash, number, tenant, s.findGroup(k)}
	return t.group
}

// incidentOfCluster returns the incident of a cluster, 0 when none was opened for it.
func (s *State) incidentOfCluster(cluster uint32) event.IncidentID {
	if g := s.groupOfCluster(cluster); g != 0 {
		return s.leads(g)
	}
	return 0
}

// cite puts names to what a placement looked at.
func (s *State) cite(d *event.Placement) {
	if d.From != 0 {
		d.FromID = s.cmdb.ID(d.From)
		if c := s.forest.ClusterOf(d.From); c != 0 {
			d.FromIn = s.incidentOfCluster(c)
		}
	}
	if d.Near != event.NoScore {
		if c := s.forest.Latest(d.Component); c != 0 {
			d.NearIn = s.incidentOfCluster(c)
		}
	}
}

// numberKey is the key of a cluster that is there.
func (s *State) numberKey(cluster uint32) groupKey {
	return s.clusterKey(s.text.String(s.forest.TenantOf(cluster)), s.forest.Number(cluster))
}

// applyPlacement moves the forest by a placement. alert is that which began, 0 when none did.
func (s *State) applyPlacement(d *event.Placement, alert uint32) {
	switch {
	case d.Kind == event.PlaceNone:
		return
	case d.Kind == event.PlaceOnset:
		s.applyOnset(d)
		return
	case d.Kind == event.PlaceHand && d.FromIn != 0:
		s.applySeparate(d)
		return
	case alert != 0 || d.Silent:
		if m := s.forest.Apply(d, alert, &s.topology); m.Created {
			s.scheduleCluster(m.Into)
		}
		return
	}
	from := s.forest.ClusterOf(d.Item)
	gone, tenant := s.forest.Number(from), s.text.String(s.forest.TenantOf(from))
	s.cancelCluster(from)
	s.cancelCluster(d.Cluster)
	m := s.forest.Apply(d, 0, &s.topology)
	s.causes.Merge(m.Into, m.Gone)
	s.mergeGroups(tenant, gone, s.forest.Number(m.Into))
	s.scheduleCluster(m.Into)
}

// applyOnset makes a cluster of its own of a second fault and hands the alerts that showed it over.
func (s *State) applyOnset(d *event.Placement) {
	alerts := s.forest.Recent(d.Cluster, d.At)
	for _, slot := range alerts { // what the second fault says is no part of the first
		if slot < s.alerts.Len() && s.alerts.At(slot).firstAt != 0 {
			sign := s.signature(slot)
			s.causes.Withdraw(d.Cluster, sign.Hash)
		}
	}
	s.causes.Learn(d.Cluster, s.forest.ComponentOf(d.Cluster))
	s.cancelCluster(d.Cluster)
	c := s.forest.Part(d)
	for _, slot := range alerts {
		if slot < s.alerts.Len() && s.alerts.At(slot).firstAt != 0 {
			s.changeGroup(slot, s.numberKey(c))
			s.observe(slot, c)
		}
	}
	s.scheduleCluster(c)
}

// mergeGroups hands those who wait in the group of a cluster that went into another to that one's, and its incident where the other has
// none.
func (s *State) mergeGroups(tenant string, goneNumber, keptNumber uint32) {
	gone := s.findGroup(s.clusterKey(tenant, goneNumber))
	if gone == 0 {
		return
	}
	kept := s.ensureGroup(s.clusterKey(tenant, keptNumber))
	if id := s.leads(gone); id != 0 && s.leads(kept) == 0 {
		s.leadTo(kept, id)
	}
	slots := s.work.waiting[:0]
	for slot := s.groups.At(gone).head; slot != 0; slot = s.alerts.At(slot).next {
		slots = append(slots, slot)
	}
	s.work.waiting = slots
	for _, slot := range slots {
		s.changeGroup(slot, s.clusterKey(tenant, keptNumber))
	}
}

// leadTo makes an incident that of another group.
func (s *State) leadTo(group uint32, id event.IncidentID) {
	m := s.members.Mut(uint32(id))
	if m.group == group {
		return
	}
	if m.group != 0 {
		s.groups.Mut(m.group).incident = 0
	}
	g := s.groups.Mut(group)
	if g.incident != 0 {
		s.members.Mut(uint32(g.incident)).group = 0
	}
	g.incident = id
	s.members.Mut(uint32(id)).group = group
}

// changeGroup makes an alert another group's.
func (s *State) changeGroup(slot uint32, k groupKey) {
	l := listOf(s.alerts.At(slot))
	if l.group != 0 {
		s.unlink(slot, l)
	}
	s.leaveGroup(slot)
	s.joinGroup(slot, k)
	if l.group != 0 {
		s.link(slot, listOf(s.alerts.At(slot)))
	}
}

// topological tells whether an alert is grouped by a cluster.
func (s *State) topological(a *alertRec) bool {
	return a.group != 0 && s.text.String(s.groups.At(a.group).rule) == topologyRule
}

// keyOf is the key of an alert that waits or fires on: that of its cluster, or what the rules of today say.
func (s *State) keyOf(slot uint32, tenant string) groupKey {
	a := s.alerts.At(slot)
	if !s.topological(a) {
		return s.groupOf(tenant, &s.work.reading.input)
	}
	s.work.tree = labelset.Append(s.text, s.work.tree[:0], s.groups.At(a.group).key)
	return s.treeKey(tenant, s.work.tree)
}

// branch does what follows from a placement: symptoms that came first join their cause, a cause that is silent is found, and a second
// fault inside a cluster becomes one of its own.
func (s *State) branch(slot uint32, d *event.Placement) {
	if d.Kind != event.PlaceSame && d.Kind != event.PlaceBack {
		s.adoptRoots(d)
	}
	if d.Kind == event.PlaceRoot {
		s.findSilent(d)
	}
	c := s.forest.ClusterOf(d.Item)
	count, over, score := s.forest.Reonset(c, d.At, s.forestParams())
	if score > 0 {
		s.secondFault(slot, c, d, count, over, score)
	}
}

func (s *State) againOnset(d *event.Placement) forest.Onset {
	return s.onsetOf(d.Item, d.Component, 0, d.At)
}

// adoptRoots joins the clusters whose roots an item explains that alarmed after them.
func (s *State) adoptRoots(d *event.Placement) {
	o := s.againOnset(d)
	for _, one := range s.forest.Adoptions(d.Item, &s.topology, s.forestParams(), &o) {
		s.joinClusters(&one)
	}
}

// joinClusters makes the cluster of an item part of another, and with it its incident, unless a person keeps the two apart.
func (s *State) joinClusters(d *event.Placement) {
	from, into := s.forest.ClusterOf(d.Item), s.forest.ClusterOf(d.From)
	if from == 0 || into == 0 || from == into {
		return
	}
	d.Cluster = into
	mine, theirs := s.incidentOfCluster(from), s.incidentOfCluster(into)
	if mine != 0 && theirs != 0 {
		a, b := s.incidents.State(mine), s.incidents.State(theirs)
		if itsm.Bound(&a, &b) || s.keptApart(mine, theirs) {
			return
		}
	}
	s.cite(d)
	s.emit(event.Change{Kind: event.ItemPlaced, Place: d})
	s.joinIncidents(mine, theirs, fmt.Sprintf("%s explains %s: %s", clone(s.cmdb.ID(d.From)), clone(s.cmdb.ID(d.Item)), hopsWord(d.Hops)))
	if id := s.incidentOfCluster(s.forest.ClusterOf(d.Item)); id != 0 {
		s.adoptWaiting(s.forest.ClusterOf(d.Item), id)
	}
}

// joinIncidents merges the incidents of two clusters that are one now; the older stays.
func (s *State) joinIncidents(a, b event.IncidentID, why string) {
	if a == 0 || b == 0 || a == b || s.incidents.Phase(a) != event.IncidentOpen || s.incidents.Phase(b) != event.IncidentOpen {
		return
	}
	s.machineMerge(min(a, b), max(a, b), why)
}

// adoptWaiting takes those of a cluster who wait into its incident.
func (s *State) adoptWaiting(cluster uint32, id event.IncidentID) {
	if s.incidents.Phase(id) != event.IncidentOpen {
		return
	}
	if g := s.groupOfCluster(cluster); g != 0 {
		s.adoptGroup(g, id)
	}
}

func hopsWord(hops uint8) string {
	if hops == 1 {
		return "it rests on it directly"
	}
	return fmt.Sprintf("it rests on it, %d hops away", hops)
}

// findSilent looks for an item that says nothing itself and of whose dependents so many alarmed that it must be the cause, and so on
// upwards from there.
func (s *State) findSilent(d *event.Placement) {
	for at, depth := d.Item, 0; depth < maxSilent; depth++ {
		o := s.againOnset(&event.Placement{Item: at, Component: d.Component, At: d.At})
		y, score, roots := s.forest.Silent(&o, &s.topology, s.forestParams())
		if y == 0 {
			return
		}
		o.Item = y
		place := s.forest.Decide(o, &s.topology, s.forestParams())
		explained := place.Kind == event.PlaceEdge
		if !explained {
			place = event.Placement{Kind: event.PlaceVirtual, Item: y, Component: d.Component, At: d.At, Edge: score, Near: event.NoScore, Needed: s.forestParams().SilentSurprise, From: y}
		}
		place.Silent, place.Roots = true, uint32(len(roots))
		place.Credit, place.Passed, place.Dependents = 0, 0, 0 // nobody has seen it alarm
		s.cite(&place)
		place.FromIn = s.incidentOfCluster(s.forest.ClusterOf(at))
		s.emit(event.Change{Kind: event.ItemPlaced, Place: &place})
		for _, root := range roots {
			s.joinClusters(&event.Placement{
				Kind: event.PlaceEdge, Item: root, Component: d.Component, From: y, Hops: 1, At: d.At, Edge: score, Near: event.NoScore,
				Needed: s.forestParams().SilentSurprise,
			})
		}
		if explained {
			return
		}
		at = y
	}
}

// maxSilent bounds how far up silent causes are sought: a host, its rack, and the switch of that.
const maxSilent = 4

// secondFault makes a cluster, and an incident, of what came so fast that the running one does not explain it.
func (s *State) secondFault(slot, cluster uint32, d *event.Placement, count, over int, score int64) {
	whole := s.incidentOfCluster(cluster)
	place := event.Placement{
		Kind: event.PlaceOnset, Cluster: cluster, Item: d.Item, Component: d.Component, At: d.At, Edge: event.NoScore, Near: score,
		Needed: s.forestParams().ReonsetExcess, Expected: max(s.forest.ComponentItems(d.Component), 1) - 1, NearIn: whole,
		Alerts: uint32(count), Items: uint32(over),
	}
	s.emit(event.Change{Kind: event.ClusterParted, Place: &place})
	if whole == 0 || s.incidents.Phase(whole) != event.IncidentOpen {
		return
	}
	group := s.alerts.At(slot).group
	var moved []event.AlertID
	for at := s.members.At(uint32(whole)).head; at != 0; at = s.alerts.At(at).next {
		if s.alerts.At(at).group == group {
			moved = append(moved, event.NewAlertID(at, s.alerts.At(at).number))
		}
	}
	if len(moved) == 0 {
		return
	}
	s.partIncident(whole, moved, fmt.Sprintf("a second fault: %d alerts of %d items in 10 s", count, over))
}

// partIncident opens an incident for alerts of another that turned out to be about something else.
func (s *State) partIncident(whole event.IncidentID, moved []event.AlertID, why string) {
	worst := event.Info
	for _, id := range moved {
		if a := s.alerts.At(id.Slot()); a.phase == event.Firing {
			worst = min(worst, a.severity)
		}
	}
	first := s.alertState(moved[0].Slot())
	old := s.incidents.State(whole)
	key := s.keyOf(moved[0].Slot(), old.Tenant)
	part := itsm.Open(itsm.Opening{
		ID: s.incidents.Next(), Tenant: old.Tenant, Title: title(&first, nil), Rule: key.rule, Labels: key.labels.Clone(), Severity: worst, At: s.meta.At,
	})
	s.onsetOfAlert(first.ID.Slot())
	s.hurtFirst(&part, &first, s.work.onset)
	ruled := s.govern(&part, &first, &key)
	part.Storm = s.stormOf(part.Tenant, part.Priority)
	_, _ = itsm.Relate(&part, whole)
	s.emit(event.Change{Kind: event.IncidentOpened, Incident: &part, Ledger: append([]event.LedgerEntry{
		{Kind: "second_onset", Operands: []string{whole.String(), why}},
	}, ruled...)})
	for _, id := range moved {
		s.move(id, part.ID, "")
	}
	old = s.incidents.State(whole)
	_, _ = itsm.Relate(&old, part.ID) // a full list: the part names the whole
	s.emit(event.Change{Kind: event.IncidentSplit, Incident: &old, Text: fmt.Sprintf("into %s: %s", part.ID, why)})
	s.settle(part.ID)
	s.settle(whole)
	s.reviewMembers(part.ID)
}

// scheduleCluster sets the timer of a cluster: to weigh what may be its cause, or to close it.
func (s *State) scheduleCluster(cluster uint32) {
	s.schedule(s.clusterTimer(cluster), timerCluster, cluster, wholeSecond(s.clusterDeadline(cluster)))
}

// clusterTimer is where the id of a cluster's timer lies.
func (s *State) clusterTimer(cluster uint32) *uint32 {
	for s.clusters.Len() <= cluster {
		s.clusters.Alloc()
	}
	return s.clusters.Mut(cluster)
}

func (s *State) cancelCluster(cluster uint32) {
	id := s.clusterTimer(cluster)
	s.timers.Cancel(*id)
	*id = 0
}

func (s *State) clusterDeadline(cluster uint32) event.Time {
	settle := s.forest.Last(cluster) + s.forestParams().SettleAfter
	if id := s.incidentOfCluster(cluster); id != 0 && s.incidents.Phase(id) == event.IncidentOpen {
		return min(settle, s.causes.Due(cluster))
	}
	return settle
}

func (s *State) clusterDue(cluster uint32) {
	if !s.forest.Live(cluster) || *s.clusterTimer(cluster) != 0 {
		return
	}
	if s.clusterDeadline(cluster) > s.meta.At {
		s.scheduleCluster(cluster)
		return
	}
	s.weigh(cluster)
	if s.forest.Last(cluster)+s.forestParams().SettleAfter > s.meta.At {
		s.scheduleCluster(cluster)
		return
	}
	s.emit(event.Change{Kind: event.ClusterSettled, Place: &event.Placement{Cluster: cluster, Edge: event.NoScore, Near: event.NoScore}})
}

func (s *State) applySettled(cluster uint32) {
	s.causes.Learn(cluster, s.forest.ComponentOf(cluster))
	s.cancelCluster(cluster)
	s.forest.Settle(cluster)
	if s.meta.Halved == 0 {
		s.meta.Halved = s.meta.At
	}
	if s.meta.At-s.meta.Halved >= forgetHalf {
		s.meta.Halved = s.meta.At
		s.causes.Halve()
	}
}

// forgetHalf is how long it takes until what was learned of causes counts half.
const forgetHalf = 30 * event.Day

// forestParams are the rules' numbers in the forest's units.
func (s *State) forestParams() *forest.Params { return &s.work.forest }

// forgetItem lets go of an item that nobody knows any more, and of its cluster when it was the last.
func (s *State) forgetItem(ci uint32) {
	c := s.forest.ClusterOf(ci)
	s.forest.Forget(ci)
	if c != 0 && len(s.forest.Items(c, 1, nil)) == 0 {
		s.applySettled(c)
	}
}
