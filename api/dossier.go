package api

import (
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// IncidentDossier is what people keep on an incident besides its state.
type IncidentDossier struct {
	Watchers  []string       `json:"watchers" doc:"persons who are told"`
	Watching  bool           `json:"watching" doc:"who asks is one of them"`
	Tasks     []Task         `json:"tasks"`
	OpenTasks int            `json:"open_tasks" doc:"how many are not done"`
	Related   []string       `json:"related" doc:"incidents that have to do with it"`
	Children  []string       `json:"children" doc:"incidents of which it is the parent"`
	Ticket    *Ticket        `json:"ticket,omitempty" doc:"its counterpart at a supplier; left out: none"`
	Major     *MajorIncident `json:"major,omitempty" doc:"left out: it never was a major incident"`
	Review    *Review        `json:"review,omitempty" doc:"the look back; left out: there is none"`
	Reports   []Report       `json:"reports" doc:"who is hit: the latest of them, oldest first; lists leave them out"`
	Reported  uint32         `json:"reported" doc:"how many there were"`
	Proposals []Proposal     `json:"proposals" doc:"what somebody has to answer, or has answered"`
	Absorbed  []Absorbed     `json:"absorbed" doc:"incidents that were merged into it"`
	Rating    uint8          `json:"rating" doc:"1 to 5, how content people were; 0: nobody said"`
	RatedWith string         `json:"rated_with" doc:"what they said with it"`
}

// Task is a piece of work on an incident.
type Task struct {
	Number   uint32     `json:"number" doc:"within the incident"`
	Title    string     `json:"title"`
	Assignee string     `json:"assignee"`
	Team     string     `json:"team"`
	DueAt    *time.Time `json:"due_at"`
	Done     bool       `json:"done"`
	DoneBy   string     `json:"done_by"`
	DoneAt   *time.Time `json:"done_at"`
	Review   bool       `json:"review" doc:"an action of the review: it outlives the incident"`
}

// Ticket is an incident's counterpart at a supplier.
type Ticket struct {
	Supplier   string     `json:"supplier"`
	Reference  string     `json:"reference"`
	PromisedAt *time.Time `json:"promised_at" doc:"when they said it would be done"`
	LastWord   string     `json:"last_word"`
	LastWordAt *time.Time `json:"last_word_at"`
	ChaseAt    *time.Time `json:"chase_at" doc:"when to ask them again"`
}

// MajorIncident is what a major incident has besides.
type MajorIncident struct {
	Since        time.Time  `json:"since"`
	By           string     `json:"by" doc:"who promoted it"`
	Commander    string     `json:"commander"`
	Comms        string     `json:"comms" doc:"who talks to those who are hit"`
	Scribe       string     `json:"scribe"`
	Bridge       string     `json:"bridge" doc:"where they talk: a URL or a number"`
	NextUpdateAt *time.Time `json:"next_update_at" doc:"when the next word is due; null: none is planned"`
	Updates      uint32     `json:"updates" doc:"told so far"`
	EndedAt      *time.Time `json:"ended_at" doc:"null: it runs"`
}

// Review is the look back at an incident.
type Review struct {
	DueAt   *time.Time `json:"due_at"`
	Summary string     `json:"summary" doc:"lists leave it out"`
	DoneBy  string     `json:"done_by"`
	DoneAt  *time.Time `json:"done_at" doc:"null: it is not finished"`
}

// Report is one person's word that they are hit.
type Report struct {
	At      time.Time `json:"at"`
	By      string    `json:"by" doc:"who took it down"`
	Caller  string    `json:"caller" doc:"whom it hits"`
	Text    string    `json:"text"`
	Service string    `json:"service" doc:"id of its configuration item; empty: unknown"`
}

// Proposal asks people whether another incident belongs into this one, or whether this one is a major incident.
type Proposal struct {
	Number uint32    `json:"number" doc:"within the incident"`
	Kind   string    `json:"kind" enum:"merge,major"`
	Other  string    `json:"other" doc:"of merge: the incident that would come in"`
	Why    string    `json:"why"`
	By     string    `json:"by" doc:"empty: the machine"`
	At     time.Time `json:"at"`
	Answer string    `json:"answer" enum:"open,accepted,rejected" doc:"a refusal binds the machine"`
	Who    string    `json:"answered_by"`
}

// Absorbed is an incident that was merged into another.
type Absorbed struct {
	Other  string    `json:"other"`
	At     time.Time `json:"at"`
	By     string    `json:"by" doc:"empty: the machine"`
	Alerts int       `json:"alerts" doc:"that came with it"`
	Undone bool      `json:"undone"`
}

// AffectedService is a service that an incident hurts.
type AffectedService struct {
	Service string `json:"service" doc:"id of its configuration item"`
	Down    bool   `json:"down" doc:"it is; else it rests on what is ill, and still runs"`
	Spare   bool   `json:"spare" doc:"it runs on without what is ill: redundancy holds"`
}

// dossier shapes what people keep on an incident; whole tells whether what is long comes too.
func (d *Desk) dossier(in *event.Dossier, whole bool) IncidentDossier {
	if in == nil {
		in = &event.Dossier{}
	}
	out := IncidentDossier{
		Watchers: d.names(in.Watchers), Tasks: make([]Task, len(in.Tasks)), Related: incidentIDs(in.Related), Children: incidentIDs(in.Children),
		Ticket: ticketOf(in.Ticket), Major: d.major(in.Major), Review: d.review(in.Review, whole), Reports: []Report{}, Reported: in.Reported,
		Proposals: make([]Proposal, len(in.Proposals)), Absorbed: make([]Absorbed, len(in.Absorbed)), Rating: in.Rating, RatedWith: in.RatedWith,
	}
	for n, t := range in.Tasks {
		out.Tasks[n] = Task{t.Number, t.Title, d.name(t.Assignee), t.Team, stamp(t.DueAt), t.Done, d.name(t.DoneBy), stamp(t.DoneAt), t.Review}
		if !t.Done {
			out.OpenTasks++
		}
	}
	for n, p := range in.Proposals {
		out.Proposals[n] = Proposal{p.Number, "merge", incidentID(p.Other), p.Why, d.name(p.By), p.At.Time(), p.Answer.String(), d.name(p.Decided)}
		if p.Other == 0 {
			out.Proposals[n].Kind = "major"
		}
	}
	for n, a := range in.Absorbed {
		out.Absorbed[n] = Absorbed{a.Other.String(), a.At.Time(), d.name(a.By), len(a.Alerts), a.Undone}
	}
	if whole {
		for _, r := range in.Reports {
			out.Reports = append(out.Reports, Report{r.At.Time(), d.name(r.By), d.name(r.Caller), r.Text, r.Service})
		}
	}
	return out
}

func ticketOf(t *event.Ticket) *Ticket {
	if t == nil {
		return nil
	}
	return &Ticket{t.Supplier, t.Reference, stamp(t.PromisedAt), t.LastWord, stamp(t.LastWordAt), stamp(t.ChaseAt)}
}

func (d *Desk) major(m *event.MajorIncident) *MajorIncident {
	if m == nil {
		return nil
	}
	return &MajorIncident{
		m.Since.Time(), d.name(m.By), d.name(m.Commander), d.name(m.Comms), d.name(m.Scribe), m.Bridge, stamp(m.NextUpdate), m.Updates, stamp(m.EndedAt),
	}
}

func (d *Desk) review(r *event.Review, whole bool) *Review {
	if r == nil {
		return nil
	}
	out := &Review{DueAt: stamp(r.DueAt), DoneBy: d.name(r.DoneBy), DoneAt: stamp(r.DoneAt)}
	if whole {
		out.Summary = r.Summary
	}
	return out
}

func (d *Desk) names(ids []string) []string {
	out := make([]string, len(ids))
	for n, id := range ids {
		out[n] = d.name(id)
	}
	return out
}

func services(in []event.Affected) []AffectedService {
	out := make([]AffectedService, len(in))
	for n, a := range in {
		out[n] = AffectedService{a.Service, a.Down, a.Spare}
	}
	return out
}

// incidentID returns the id as people write it, "" for none.
func incidentID(id event.IncidentID) string {
	if id == 0 {
		return ""
	}
	return id.String()
}

func incidentIDs(ids []event.IncidentID) []string {
	out := make([]string, len(ids))
	for n, id := range ids {
		out[n] = id.String()
	}
	return out
}

// pins names the fields of a Pin, in the order of its bits.
func pins(p event.Pin) []string {
	out := []string{}
	for n, name := range fields() {
		if p&(1<<n) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// pin is the inverse of pins for one name.
func pin(name string) event.Pin {
	for n, f := range fields() {
		if f == name {
			return 1 << n
		}
	}
	return 0
}

func fields() [4]string { return [4]string{"title", "impact", "urgency", "ci"} }
