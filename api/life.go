package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/itsm"
)

// IncidentDraft is what a person opens an incident with.
type IncidentDraft struct {
	Title       string `json:"title" minLength:"1" maxLength:"200"`
	Description string `json:"description,omitempty" maxLength:"16384" doc:"becomes its first note"`
	Severity    string `json:"severity,omitempty" enum:"critical,major,minor,warning,info" doc:"this, or impact and urgency"`
	Impact      uint8  `json:"impact,omitempty" minimum:"1" maximum:"3" doc:"1 is the greatest"`
	Urgency     uint8  `json:"urgency,omitempty" minimum:"1" maximum:"3" doc:"1 is the greatest"`
	CI          string `json:"ci,omitempty" maxLength:"200" doc:"id of the configuration item it is about"`
	Service     string `json:"service,omitempty" maxLength:"200" doc:"in place of ci: id of the service it is about, which is a configuration item too"`
	Team        string `json:"team,omitempty" maxLength:"200"`
	Assignee    string `json:"assignee,omitempty" maxLength:"200" doc:"login, name or id"`
}

// IncidentChanges are an incident's fields that a person sets, which the machine then leaves alone; what is left out stays.
type IncidentChanges struct {
	Title   *string  `json:"title,omitempty" minLength:"1" maxLength:"200"`
	Impact  *uint8   `json:"impact,omitempty" minimum:"1" maximum:"3"`
	Urgency *uint8   `json:"urgency,omitempty" minimum:"1" maximum:"3"`
	CI      *string  `json:"ci,omitempty" maxLength:"200"`
	Release []string `json:"release,omitempty" enum:"title,impact,urgency,ci" maxItems:"4" doc:"fields that are handed back to the machine"`
}

// OpenIncident opens an incident in the name of ctx's principal.
func (d *Desk) OpenIncident(ctx context.Context, draft *IncidentDraft) (*Incident, error) {
	if draft.CI != "" && draft.Service != "" {
		return nil, invalid("give either ci or service", "a service is a configuration item: name the one that it is about first of all")
	}
	if err := mayActFor(ctx, draft.Team, "the incident"); err != nil {
		return nil, err
	}
	if err := d.mustBeService(ctx, draft.Service); err != nil {
		return nil, err
	}
	assignee, err := d.id(ctx, draft.Assignee)
	if err != nil {
		return nil, err
	}
	e := &event.IncidentEdit{Title: strings.TrimSpace(draft.Title), Impact: draft.Impact, Urgency: draft.Urgency, CI: draft.CI + draft.Service}
	e.Fields = event.PinTitle
	for field, given := range map[event.Pin]bool{event.PinImpact: e.Impact != 0, event.PinUrgency: e.Urgency != 0, event.PinCI: e.CI != ""} {
		if given {
			e.Fields |= field
		}
	}
	if draft.Severity != "" {
		e.Severity, _ = event.ParseSeverity(draft.Severity)
	}
	res, err := d.do(ctx, event.Command{
		Kind: event.OpenIncident, Edit: e, Text: strings.TrimSpace(draft.Description), Team: draft.Team, Assignee: assignee,
	})
	if err != nil {
		return nil, err
	}
	id := res.Incident.String()
	if draft.Team == "" && assignee == "" {
		return d.Incident(ctx, id)
	}
	return d.on(ctx, id, event.Command{Kind: event.Assign, Assignee: assignee, Team: draft.Team})
}

// EditIncident sets fields of an incident, and hands others back to the machine.
func (d *Desk) EditIncident(ctx context.Context, incident string, c *IncidentChanges) (*Incident, error) {
	e := &event.IncidentEdit{}
	if c.Title != nil {
		e.Fields, e.Title = e.Fields|event.PinTitle, strings.TrimSpace(*c.Title)
	}
	if c.Impact != nil {
		e.Fields, e.Impact = e.Fields|event.PinImpact, *c.Impact
	}
	if c.Urgency != nil {
		e.Fields, e.Urgency = e.Fields|event.PinUrgency, *c.Urgency
	}
	if c.CI != nil {
		e.Fields, e.CI = e.Fields|event.PinCI, *c.CI
	}
	for _, name := range c.Release {
		e.Release |= pin(name)
	}
	return d.on(ctx, incident, event.Command{Kind: event.EditIncident, Edit: e})
}

// Watch lets a person be told what becomes of an incident, or no longer; "" is ctx's principal.
func (d *Desk) Watch(ctx context.Context, incident, who string, watch bool) (*Incident, error) {
	id, err := d.creator(ctx, who)
	if err != nil {
		return nil, err
	}
	kind := event.Unwatch
	if watch {
		kind = event.Watch
	}
	return d.on(ctx, incident, event.Command{Kind: kind, Assignee: id})
}

// dossierOf returns what people keep on an incident of ctx's tenant now, empty where there is nothing.
func (d *Desk) dossierOf(ctx context.Context, incident string) (*event.Dossier, *event.IncidentState, error) {
	_, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, nil, err
	}
	if i.Dossier == nil {
		return &event.Dossier{}, &i.IncidentState, nil
	}
	return i.Dossier, &i.IncidentState, nil
}

// TaskChanges are a task's fields; what is left out stays.
type TaskChanges struct {
	Title    *string `json:"title,omitempty" minLength:"1" maxLength:"200"`
	Assignee *string `json:"assignee,omitempty" maxLength:"200" doc:"login, name or id; empty takes it back"`
	Team     *string `json:"team,omitempty" maxLength:"200"`
	Due      *string `json:"due,omitempty" maxLength:"40" doc:"a time, or a span from now such as 2h; empty: none"`
	Done     *bool   `json:"done,omitempty"`
}

// SetTask adds a task (number 0) or changes one.
func (d *Desk) SetTask(ctx context.Context, incident string, number uint32, c *TaskChanges) (*Incident, error) {
	dossier, i, err := d.dossierOf(ctx, incident)
	if err != nil {
		return nil, err
	}
	t := event.Task{}
	if number != 0 {
		n := slices.IndexFunc(dossier.Tasks, func(t event.Task) bool { return t.Number == number })
		if n < 0 {
			return nil, notFound(fmt.Sprintf("task %d of %s", number, i.ID))
		}
		t = dossier.Tasks[n]
	}
	setWords(field{&t.Title, c.Title}, field{&t.Team, c.Team})
	if c.Done != nil {
		t.Done = *c.Done
	}
	if err := d.setPersons(ctx, field{&t.Assignee, c.Assignee}); err != nil {
		return nil, err
	}
	if err := d.setTimes(moment{"due", &t.DueAt, c.Due}); err != nil {
		return nil, err
	}
	return d.on(ctx, incident, event.Command{Kind: event.SetTask, Task: &t})
}

// field is a text of a record and what a client wants it to be, nil: it stays.
type field struct {
	dst  *string
	text *string
}

func setWords(fields ...field) {
	for _, f := range fields {
		if f.text != nil {
			*f.dst = strings.TrimSpace(*f.text)
		}
	}
}

// setPersons is setWords of fields that hold persons.
func (d *Desk) setPersons(ctx context.Context, fields ...field) (err error) {
	for _, f := range fields {
		if f.text != nil {
			if *f.dst, err = d.id(ctx, strings.TrimSpace(*f.text)); err != nil {
				return err
			}
		}
	}
	return nil
}

// moment is a time of a record and what a client wants it to be: a time, or a span from now; nil: it stays.
type moment struct {
	name string
	dst  *event.Time
	text *string
}

func (d *Desk) setTimes(moments ...moment) (err error) {
	for _, m := range moments {
		if m.text != nil {
			if *m.dst, err = parseAhead(m.name, *m.text, d.now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// MajorChanges say who does what in a major incident; what is left out stays.
type MajorChanges struct {
	Commander *string `json:"commander,omitempty" maxLength:"200" doc:"login, name or id"`
	Comms     *string `json:"comms,omitempty" maxLength:"200" doc:"who talks to those who are hit"`
	Scribe    *string `json:"scribe,omitempty" maxLength:"200"`
	Bridge    *string `json:"bridge,omitempty" maxLength:"1000" doc:"where they talk: a URL or a number"`
	Next      *string `json:"next_update,omitempty" maxLength:"40" doc:"when the next word is due: a time, or a span from now such as 30m"`
	Why       string  `json:"why,omitempty" maxLength:"4096"`
}

// SetMajor promotes an incident to a major one, which takes a manager, or changes who does what in it.
func (d *Desk) SetMajor(ctx context.Context, incident string, c *MajorChanges) (*Incident, error) {
	dossier, i, err := d.dossierOf(ctx, incident)
	if err != nil {
		return nil, err
	}
	m := event.MajorIncident{}
	if itsm.MajorRuns(i) {
		m = *dossier.Major
		m.NextUpdate = 0 // one that is past would be refused; without it the core keeps its own
	} else if p := auth.Check(ctx, planner); p != nil {
		return nil, p
	}
	setWords(field{&m.Bridge, c.Bridge})
	if err := d.setPersons(ctx, field{&m.Commander, c.Commander}, field{&m.Comms, c.Comms}, field{&m.Scribe, c.Scribe}); err != nil {
		return nil, err
	}
	if err := d.setTimes(moment{"next_update", &m.NextUpdate, c.Next}); err != nil {
		return nil, err
	}
	return d.on(ctx, incident, event.Command{Kind: event.SetMajor, Major: &m, Text: strings.TrimSpace(c.Why)})
}

// EndMajor ends a major incident; the incident goes on.
func (d *Desk) EndMajor(ctx context.Context, incident string) (*Incident, error) {
	return d.on(ctx, incident, event.Command{Kind: event.SetMajor, Major: &event.MajorIncident{EndedAt: d.now()}})
}

// TellUpdate posts an update for those whom a major incident hits. next is when they hear more: a time, a span, or empty.
func (d *Desk) TellUpdate(ctx context.Context, incident, text, next string) (*Incident, error) {
	until, err := parseAhead("next", next, d.now())
	if err != nil {
		return nil, err
	}
	return d.on(ctx, incident, event.Command{Kind: event.TellUpdate, Text: strings.TrimSpace(text), Until: until})
}

// ReviewChanges are what is said in an incident's review; what is left out stays.
type ReviewChanges struct {
	Due     string `json:"due,omitempty" maxLength:"40" doc:"a time, or a span from now such as 5d"`
	Summary string `json:"summary,omitempty" maxLength:"16384" doc:"what happened, why, and what changes because of it"`
	Done    bool   `json:"done,omitempty" doc:"it is finished"`
}

// SetReview begins, changes or finishes an incident's review.
func (d *Desk) SetReview(ctx context.Context, incident string, c *ReviewChanges) (*Incident, error) {
	due, err := parseAhead("due", c.Due, d.now())
	if err != nil {
		return nil, err
	}
	r := &event.Review{DueAt: due, Summary: strings.TrimSpace(c.Summary)}
	if c.Done {
		r.DoneAt = d.now()
	}
	return d.on(ctx, incident, event.Command{Kind: event.SetReview, Review: r})
}

// TicketChanges are the fields of an incident's ticket at a supplier; what is left out stays.
type TicketChanges struct {
	Supplier  *string `json:"supplier,omitempty" maxLength:"200"`
	Reference *string `json:"reference,omitempty" maxLength:"200"`
	Promised  *string `json:"promised,omitempty" maxLength:"40" doc:"when they said it would be done: a time, or a span from now such as 2h; empty: nothing said"`
	LastWord  *string `json:"last_word,omitempty" maxLength:"1000"`
	Chase     *string `json:"chase,omitempty" maxLength:"40" doc:"when to ask them again; empty: never"`
}

// SetTicket makes or changes an incident's ticket at a supplier.
func (d *Desk) SetTicket(ctx context.Context, incident string, c *TicketChanges) (*Incident, error) {
	dossier, _, err := d.dossierOf(ctx, incident)
	if err != nil {
		return nil, err
	}
	t := event.Ticket{}
	if dossier.Ticket != nil {
		t = *dossier.Ticket
	}
	setWords(field{&t.Supplier, c.Supplier}, field{&t.Reference, c.Reference}, field{&t.LastWord, c.LastWord})
	if err := d.setTimes(moment{"promised", &t.PromisedAt, c.Promised}, moment{"chase", &t.ChaseAt, c.Chase}); err != nil {
		return nil, err
	}
	return d.on(ctx, incident, event.Command{Kind: event.SetTicket, Ticket: &t})
}

// ReportDraft is one person's word that they are hit.
type ReportDraft struct {
	Caller  string `json:"caller,omitempty" maxLength:"200" doc:"whom it hits: login, name or id; who asks, if not given"`
	Text    string `json:"text,omitempty" maxLength:"1000"`
	Service string `json:"service,omitempty" maxLength:"200" doc:"id of the service they cannot use"`
}

// TakeReport counts one more person whom an incident hits.
func (d *Desk) TakeReport(ctx context.Context, incident string, draft *ReportDraft) (*Incident, error) {
	caller, err := d.creator(ctx, strings.TrimSpace(draft.Caller))
	if err != nil {
		return nil, err
	}
	if err := d.mustBeService(ctx, draft.Service); err != nil {
		return nil, err
	}
	r := &event.Report{Caller: caller, Text: strings.TrimSpace(draft.Text), Service: draft.Service}
	return d.on(ctx, incident, event.Command{Kind: event.TakeReport, Report: r})
}

// mustBeService refuses the ID of a service that nobody has told of, where services are told of at all: a typo would cost the priority.
func (d *Desk) mustBeService(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	c, err := d.configuration(ctx)
	if err != nil {
		return err
	}
	if slot := c.Find(c.tenant, id); slot != 0 && c.State(slot).Class == event.ServiceClass {
		return nil
	}
	for slot := range c.Slots() {
		if c.Criticality(slot) == 0 || c.Tenant(slot) != c.tenant {
			continue
		}
		return invalid("there is no service "+id, "`tocsin service list` lists those there are; anything else can be given as ci")
	}
	return nil // a desk without a catalogue
}
