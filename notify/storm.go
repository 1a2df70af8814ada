package notify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// setOff is how long before a storm the incidents opened that set it off.
const setOff = time.Minute

// usualStorm is how many openings set a storm off where nobody saw it begin.
const usualStorm = 20

// mostLines bounds the incidents that a storm's message lists.
const mostLines = 20

func stormKey(tenant string, number uint32) string { return fmt.Sprintf("%s/STORM-%d", tenant, number) }

// front is a storm as one addressee is told of it. The core says that there is a storm; here it begins when one addressee has been
// told singly of as many openings as set it off. So nobody's storm holds back what concerns somebody else.
type front struct {
	Openings int    `json:"openings"` // that concern the addressee, those before the storm among them
	Held     int    `json:"held"`     // of these, not told singly
	Worst    uint8  `json:"worst"`    // the highest priority that was told
	Began    bool   `json:"began,omitempty"`
	Told     []told `json:"told,omitempty"` // who got the storm's message
}

// remember notes that t has been told of the storm.
func (f *front) remember(t told) {
	if !slices.ContainsFunc(f.Told, func(o told) bool { return o.covers(t) && slices.Equal(o.Who, t.Who) }) {
		f.Told = append(f.Told, t)
	}
}

// storm is a storm's subject while a transaction works on it.
type storm struct {
	sub    *subject
	begins []begin
}

// begin is a front whose message is to be sent when all changes of the transaction are counted.
type begin struct {
	to     addressee
	change string
	at     time.Time
}

func (s *storm) front(name string) *front {
	f := s.sub.Fronts[name]
	if f == nil {
		if s.sub.Fronts == nil {
			s.sub.Fronts = map[string]*front{}
		}
		f = &front{}
		s.sub.Fronts[name] = f
	}
	return f
}

// loadStorm returns a storm, once for all that a transaction does to it.
func (d *decider) loadStorm(key string) (*storm, error) {
	if s := d.storms[key]; s != nil {
		return s, nil
	}
	sub, err := d.tx.subject(key)
	if err != nil {
		return nil, err
	}
	s := &storm{sub: &sub}
	if d.storms == nil {
		d.storms = map[string]*storm{}
	}
	d.storms[key] = s
	return s, nil
}

// flush sends the messages of the fronts that have begun, and writes the storms.
func (d *decider) flush() error {
	for _, key := range slices.Sorted(maps.Keys(d.storms)) {
		s := d.storms[key]
		for _, b := range s.begins {
			if err := d.frontBegins(key, s, b); err != nil {
				return err
			}
		}
		if err := d.tx.putSubject(key, *s.sub); err != nil {
			return err
		}
	}
	clear(d.storms)
	return nil
}

// stormOf returns the storm with which an event of an incident may be told, nil when it is told singly whatever lasts.
func (d *decider) stormOf(i *event.IncidentState, e message.Event, at time.Time) (*storm, error) {
	opens := e == message.Opened
	if i.Storm == 0 || !opens && (i.AckedAt != 0 || e != message.Raised && e != message.SignalLost && e != message.Reopened) {
		return nil, nil
	}
	key := stormKey(i.Tenant, i.Storm)
	if d.tx.activeStorm(i.Tenant) != key {
		if !opens {
			return nil, nil
		}
		// It lasts, for an incident opened in it; that it began was not seen.
		return d.beginStorm(&event.Storm{Number: i.Storm, Tenant: i.Tenant, BeganAt: i.OpenedAt, Worst: i.Priority}, at)
	}
	return d.loadStorm(key)
}

// beginStorm makes a storm the one that lasts.
func (d *decider) beginStorm(s *event.Storm, at time.Time) (*storm, error) {
	key := stormKey(s.Tenant, s.Number)
	if err := d.tx.setActiveStorm(s.Tenant, key); err != nil {
		return nil, err
	}
	st, err := d.loadStorm(key)
	if err != nil {
		return nil, err
	}
	st.sub.Storm, st.sub.Limit = stormData(s), cmp.Or(int(s.Openings), usualStorm)
	openings, err := d.tx.openings(s.Tenant)
	for _, o := range openings {
		if o.At.After(at.Add(-setOff)) {
			for _, name := range o.To {
				f := st.front(name)
				f.Openings++
				f.tells(o.Priority)
			}
		}
	}
	return st, err
}

func stormData(s *event.Storm) *message.Storm {
	return &message.Storm{Number: int(s.Number), BeganAt: s.BeganAt.Time(), Openings: int(s.Openings), Held: int(s.Held), Worst: int(s.Worst)}
}

// tells notes what priority an addressee was told of.
func (f *front) tells(priority uint8) {
	if f.Worst == 0 || priority < f.Worst {
		f.Worst = priority
	}
}

// alone tells whether an incident rings singly in any storm.
func alone(i *event.IncidentState) bool { return i.Priority == 1 || i.Impact == 1 }

// holdsBack tells whether an addressee is told of an incident with the storm only: it has, or gets, the storm's message, and the
// incident is not worse than anything it was told of.
func (d *decider) holdsBack(st *storm, to addressee, ch *event.Change, e message.Event) bool {
	i, f, opens := ch.Incident, st.front(to.name()), e == message.Opened
	if opens {
		f.Openings++
	}
	worse := f.Worst == 0 || i.Priority < f.Worst
	f.tells(i.Priority)
	if worse {
		st.hasten(to, f)
	}
	if worse || alone(i) {
		return false
	}
	if !f.Began {
		if !opens || f.Openings <= st.sub.Limit || !d.takes(to, i, message.StormBegan) {
			return false
		}
		f.Began = true
		st.begins = append(st.begins, begin{to, cursor(ch), ch.At.Time()})
	}
	if opens {
		f.Held++
	}
	return true
}

// hasten makes the next step of a front's escalation due when the worst that it was told of wants it.
func (s *storm) hasten(to addressee, f *front) {
	if to.team == nil {
		return
	}
	r, runs := s.sub.Escalation[to.team.Name]
	if steps := to.team.Steps(); runs && r.Next < len(steps) {
		if due := r.Began.Add(steps[r.Next].After[clamp(f.Worst)] + r.Quiet); due.Before(r.Due) {
			r.Due = due
			s.sub.Escalation[to.team.Name] = r
		}
	}
}

// frontBegins tells an addressee that from here on openings are told together.
func (d *decider) frontBegins(key string, s *storm, b begin) error {
	f := s.front(b.to.name())
	data := message.Data{Event: message.StormBegan, At: b.at, Tenant: tenantOf(key), Storm: s.data(f)}
	change := b.change + ".storm." + b.to.name()
	if err := d.tellFront(data, change, f, join(d.firstContacts(b.to))); err != nil {
		return err
	}
	s.escalate(b.to, f, d.now, change)
	return nil
}

// data is the storm in the counts of a front.
func (s *storm) data(f *front) *message.Storm {
	out := *s.sub.Storm
	out.Openings, out.Held, out.Worst = f.Openings, f.Held, int(f.Worst)
	return &out
}

func (d *decider) tellFront(data message.Data, change string, f *front, to []told) error {
	for _, t := range to {
		if err := d.enqueue(data, change, t); err != nil {
			return err
		}
		f.remember(t)
	}
	return nil
}

// escalate begins the escalation of a front.
func (s *storm) escalate(to addressee, f *front, now time.Time, change string) {
	if to.team == nil {
		return
	}
	if steps := to.team.Steps(); len(steps) > 1 {
		if s.sub.Escalation == nil {
			s.sub.Escalation = map[string]run{}
		}
		s.sub.Escalation[to.team.Name] = run{Began: now, Next: 1, Due: now.Add(steps[1].After[clamp(f.Worst)]), Key: change}
	}
}

// storm follows a storm's begin and end. Nobody is told of the begin itself: a front begins with what is held back.
func (d *decider) storm(ch *event.Change) error {
	if ch.Kind == event.StormEnded {
		return d.stormEnded(ch)
	}
	_, err := d.beginStorm(ch.Storm, ch.At.Time())
	return err
}

// stormEnded tells those who know of the storm, and when nobody saw any of it, those who would have been told. Its escalation goes
// on for as long as something is open that nobody has acknowledged.
func (d *decider) stormEnded(ch *event.Change) error {
	if err := d.flush(); err != nil {
		return err
	}
	s := ch.Storm
	key := stormKey(s.Tenant, s.Number)
	if d.tx.activeStorm(s.Tenant) == key {
		if err := d.tx.setActiveStorm(s.Tenant, ""); err != nil {
			return err
		}
	}
	st, err := d.loadStorm(key)
	if err != nil {
		return err
	}
	if st.sub.Storm == nil {
		d.unseen(st, ch)
	}
	ended := s.EndedAt.Time()
	st.sub.Done, st.sub.Storm.EndedAt = d.now, &ended
	for _, name := range slices.Sorted(maps.Keys(st.sub.Fronts)) {
		f := st.sub.Fronts[name]
		if len(f.Told) == 0 {
			continue
		}
		lines, err := d.openFor(s.Tenant, name)
		if err != nil {
			return err
		}
		data := message.Data{Event: message.StormEnded, At: ch.At.Time(), Tenant: s.Tenant, Storm: st.data(f)}
		data.Storm.List(lines, mostLines)
		if err := d.tellFront(data, cursor(ch)+".storm."+name, f, join(f.Told)); err != nil {
			return err
		}
		if !slices.ContainsFunc(lines, func(i message.IncidentLine) bool { return !i.Acknowledged }) {
			delete(st.sub.Escalation, teamOf(name))
		}
	}
	return nil
}

// unseen makes fronts of whom the routes name, for a storm of which only the end was seen.
func (d *decider) unseen(st *storm, ch *event.Change) {
	s := ch.Storm
	st.sub.Storm = stormData(s)
	for _, to := range d.addressed(settings.Query{Tenant: s.Tenant, Priority: int(s.Worst), Event: message.StormEnded}) {
		f := st.front(to.name())
		f.Openings, f.Held, f.Worst, f.Began, f.Told = int(s.Openings), int(s.Held), s.Worst, true, join(d.firstContacts(to))
		st.escalate(to, f, d.now, cursor(ch)+".storm."+to.name())
	}
}

// openFor lists the open incidents that an addressee is told of, those that nobody has acknowledged before the others, the most
// urgent first.
func (d *decider) openFor(tenant, name string) (lines []message.IncidentLine, err error) {
	all, err := d.open(tenant)
	if err != nil {
		return nil, err
	}
	for n := range all {
		s := &all[n]
		q := d.query(&s.State, s.labels, s.State.Priority, message.Opened)
		if s.Quiet || !slices.ContainsFunc(d.addressed(q), func(to addressee) bool { return to.name() == name }) {
			continue
		}
		lines = append(lines, message.IncidentLine{
			ID: s.State.ID.String(), Title: s.State.Title, Priority: int(s.State.Priority), Acknowledged: s.State.AckedAt != 0 && s.State.WorseAt == 0,
		})
	}
	slices.SortStableFunc(lines, func(a, b message.IncidentLine) int {
		if a.Acknowledged != b.Acknowledged {
			return map[bool]int{true: 1, false: -1}[a.Acknowledged]
		}
		return a.Priority - b.Priority
	})
	return lines, nil
}

// presentStorm is present for a storm and one team. Its escalation is ended by an acknowledgement while it lasts. When it is over,
// what nobody has acknowledged still has to be taken on: it was not told singly. The priority is that of the worst which is open.
func (d *decider) presentStorm(data message.Data, key, team string) (_ message.Data, priority uint8, s state, err error) {
	st, err := d.loadStorm(key)
	if err != nil {
		return data, 0, over, err
	}
	name := "team/" + team
	lines, err := d.openFor(data.Tenant, name)
	if err != nil {
		return data, 0, over, err
	}
	lines = slices.DeleteFunc(lines, func(i message.IncidentLine) bool { return i.Acknowledged })
	data.Event, data.Storm = message.StormBegan, st.data(st.front(name))
	data.Storm.List(lines, mostLines)
	lasts := data.Storm.EndedAt == nil
	if !lasts {
		data.Event = message.Escalated
	}
	switch {
	case len(lines) > 0:
		return data, uint8(lines[0].Priority), rings, nil
	case lasts:
		return data, 0, quiet, nil // another may open
	}
	return data, 0, over, nil
}

// stormAcknowledged ends the escalation of a storm, for those whom an incident of it concerns, or one of those that set it off, once
// anybody has taken that on: somebody is awake.
func (d *decider) stormAcknowledged(i *event.IncidentState) error {
	key := d.tx.activeStorm(i.Tenant)
	if key == "" {
		return nil
	}
	if err := d.flush(); err != nil {
		return err
	}
	st, err := d.loadStorm(key)
	if err != nil || st.sub.Storm == nil || len(st.sub.Escalation) == 0 || i.OpenedAt.Time().Before(st.sub.Storm.BeganAt.Add(-setOff)) {
		return err
	}
	for _, to := range d.addressees(i, i.Priority, message.Opened) {
		delete(st.sub.Escalation, teamOf(to.name()))
	}
	return nil
}

// recount puts the counts of now into the message of a storm that lasts: what waited for its receiver tells how it is.
func (n *Notifier) recount(m message.Message) message.Message {
	if m.Event != message.StormBegan || m.Data.Storm == nil {
		return m
	}
	var f *front
	_ = n.store.view(func(t *tx) error { // as it was decided, then
		sub, err := t.subject(m.Subject)
		f = sub.Fronts[addressee{receiver: m.Data.Receiver}.name()]
		if m.Data.Team != "" {
			f = sub.Fronts["team/"+m.Data.Team]
		}
		return err
	})
	if f == nil || f.Openings <= m.Data.Storm.Openings {
		return m
	}
	data, s := m.Data, *m.Data.Storm
	s.Openings, s.Held, s.Worst = f.Openings, f.Held, int(f.Worst)
	data.Storm = &s
	now := n.config.Load().Templates.Render(data)
	m.Title, m.Text, m.HTML, m.Priority, m.TemplateError, m.Data.Storm = now.Title, now.Text, now.HTML, now.Priority, now.TemplateError, now.Data.Storm
	return m
}

// opening is an incident that opened outside of a storm: it may be one of those that set the next off.
type opening struct {
	At       time.Time `json:"at"`
	Priority uint8     `json:"priority"`
	To       []string  `json:"to"` // addressees that it was told to
}

func (t *tx) openings(tenant string) (list []opening, err error) {
	list, _, err = get[[]opening](t.Bucket([]byte("meta")), []byte("openings:"+tenant))
	return list, err
}

// noteOpening keeps an opening for as long as it can set a storm off.
func (t *tx) noteOpening(tenant string, o opening) error {
	list, err := t.openings(tenant)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(old opening) bool { return !old.At.After(o.At.Add(-setOff)) })
	return put(t.Bucket([]byte("meta")), []byte("openings:"+tenant), append(list, o))
}

// mute tells of what ends a silence or a window soon.
func (d *decider) mute(ch *event.Change, tenant string, m message.Mute) error {
	data := message.Data{Event: message.MuteEnding, At: ch.At.Time(), Tenant: tenant, Mute: &m}
	for _, t := range d.everybody(settings.Query{Tenant: tenant, Priority: 2, Event: message.MuteEnding}) {
		if err := d.enqueue(data, cursor(ch), t); err != nil {
			return err
		}
	}
	return nil
}
