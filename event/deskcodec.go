package event

import "fmt"

// What follows came with version 3 of both formats.

// made returns what p points at, which is made when it is read.
func made[T any](c *coder, p **T) *T {
	if c.reading {
		*p = new(T)
	}
	return *p
}

// optional codes what may be missing.
func optional[T any](c *coder, p **T, code func(*coder, *T)) {
	has := *p != nil
	c.bool(&has)
	if has {
		code(c, made(c, p))
	}
}

// list codes a list, item by item.
func list[T any](c *coder, l *[]T, code func(*coder, *T)) {
	n := c.count(len(*l))
	if c.reading {
		*l = nil
		if n > 0 {
			*l = make([]T, 0, min(n, 4096))
		}
		for range n {
			var item T
			if code(c, &item); c.err != nil {
				return
			}
			*l = append(*l, item)
		}
		return
	}
	for i := range *l {
		code(c, &(*l)[i])
	}
}

func codeText(c *coder, v *string)           { c.string(v) }
func codeAlertID(c *coder, v *AlertID)       { number(c, v) }
func codeIncidentID(c *coder, v *IncidentID) { number(c, v) }

func codeDeskCommand(c *coder, cmd *Command) {
	optional(c, &cmd.CIs, codeCIEdit)
	optional(c, &cmd.Outage, codeOutage)
	optional(c, &cmd.Edit, codeIncidentEdit)
	number(c, &cmd.HeldAs)
	number(c, &cmd.Other)
	list(c, &cmd.Alerts, codeAlertID)
	optional(c, &cmd.Task, codeTask)
	optional(c, &cmd.Ticket, codeTicket)
	optional(c, &cmd.Major, codeMajor)
	optional(c, &cmd.Review, codeReview)
	optional(c, &cmd.Report, codeReport)
	number(c, &cmd.Number)
	c.bool(&cmd.Accept)
	optional(c, &cmd.Redaction, codeRedaction)
}

func codeRedaction(c *coder, r *Redaction) {
	number(c, &r.Place.Part)
	number(c, &r.Place.Number)
	c.string(&r.Words)
	number(c, &r.Outage)
	c.string(&r.CI)
	c.string(&r.Attribute)
	c.fixed64(&r.Key)
}

func codeCIEdit(c *coder, e *CIEdit) {
	c.string(&e.Source)
	list(c, &e.Set, codeCI)
	list(c, &e.Retire, codeText)
	list(c, &e.Release, codeText)
	c.bool(&e.Loose)
}

func codeCI(c *coder, ci *CI) {
	c.string(&ci.Tenant)
	c.string(&ci.ID)
	c.string(&ci.Class)
	c.string(&ci.Name)
	number(c, &ci.State)
	number(c, &ci.Needs)
	c.labels(&ci.Attributes)
	list(c, &ci.Relations, codeRelation)
	c.string(&ci.Source)
	number(c, &ci.Confidence)
	list(c, &ci.Pinned, codeText)
	c.time(&ci.ValidFrom)
	c.time(&ci.KnownAt)
}

func codeRelation(c *coder, r *Relation) {
	number(c, &r.Kind)
	c.string(&r.To)
	c.string(&r.Source)
}

func codeOutage(c *coder, o *Outage) {
	number(c, &o.Number)
	c.string(&o.Tenant)
	c.string(&o.Service)
	number(c, &o.Kind)
	number(c, &o.State)
	c.time(&o.BeganAt)
	c.time(&o.EndedAt)
	c.string(&o.Cause)
	c.bool(&o.ByMachine)
	c.time(&o.Known)
	c.string(&o.ConfirmedBy)
	c.time(&o.ConfirmedAt)
	list(c, &o.Incidents, codeIncidentID)
}

func codeIncidentEdit(c *coder, e *IncidentEdit) {
	number(c, &e.Fields)
	number(c, &e.Release)
	c.string(&e.Title)
	number(c, &e.Impact)
	number(c, &e.Urgency)
	c.string(&e.CI)
	number(c, &e.Severity)
}

func codeIncidentDesk(c *coder, i *IncidentState) {
	c.string(&i.OpenedBy)
	c.time(&i.BegunAt)
	number(c, &i.HeldAs)
	c.time(&i.ClosedAt)
	number(c, &i.MergedInto)
	number(c, &i.Parent)
	number(c, &i.Impact)
	number(c, &i.Urgency)
	number(c, &i.Pins)
	c.string(&i.CI)
	list(c, &i.Services, codeAffected)
	number(c, &i.ServiceCount)
	optional(c, &i.Dossier, codeDossier)
}

func codeAffected(c *coder, a *Affected) {
	c.string(&a.Service)
	number(c, &a.Impact)
	c.bool(&a.Down)
	c.bool(&a.Spare)
}

// AppendDossier appends a dossier for those who keep it by itself, with the version of its form in front.
func AppendDossier(dst []byte, d *Dossier) []byte {
	c := coder{buf: append(dst, changeVersion), version: changeVersion}
	codeDossier(&c, d)
	return c.buf
}

// DecodeDossier is the inverse of AppendDossier. The dossier's texts alias b.
func DecodeDossier(b []byte) (*Dossier, error) {
	if len(b) == 0 || b[0] == 0 || b[0] > changeVersion {
		return nil, fmt.Errorf("%w: unknown version", ErrMalformed)
	}
	c, d := coder{buf: b[1:], reading: true, version: b[0]}, new(Dossier)
	codeDossier(&c, d)
	return d, c.err
}

func codeDossier(c *coder, d *Dossier) {
	list(c, &d.Watchers, codeText)
	list(c, &d.Tasks, codeTask)
	list(c, &d.Related, codeIncidentID)
	list(c, &d.Children, codeIncidentID)
	optional(c, &d.Ticket, codeTicket)
	optional(c, &d.Major, codeMajor)
	optional(c, &d.Review, codeReview)
	list(c, &d.Reports, codeReport)
	number(c, &d.Reported)
	list(c, &d.Proposals, codeProposal)
	list(c, &d.Absorbed, codeAbsorbed)
	number(c, &d.Rating)
	c.string(&d.RatedWith)
}

func codeTask(c *coder, t *Task) {
	number(c, &t.Number)
	c.string(&t.Title)
	c.string(&t.Assignee)
	c.string(&t.Team)
	c.time(&t.DueAt)
	c.bool(&t.Done)
	c.string(&t.DoneBy)
	c.time(&t.DoneAt)
	c.bool(&t.Review)
}

func codeTicket(c *coder, t *Ticket) {
	c.string(&t.Supplier)
	c.string(&t.Reference)
	c.time(&t.PromisedAt)
	c.string(&t.LastWord)
	c.time(&t.LastWordAt)
	c.time(&t.ChaseAt)
}

func codeMajor(c *coder, m *MajorIncident) {
	c.time(&m.Since)
	c.string(&m.By)
	c.string(&m.Commander)
	c.string(&m.Comms)
	c.string(&m.Scribe)
	c.string(&m.Bridge)
	c.time(&m.NextUpdate)
	number(c, &m.Updates)
	c.time(&m.EndedAt)
}

func codeReview(c *coder, r *Review) {
	c.time(&r.DueAt)
	c.string(&r.Summary)
	c.string(&r.DoneBy)
	c.time(&r.DoneAt)
}

func codeReport(c *coder, r *Report) {
	c.time(&r.At)
	c.string(&r.By)
	c.string(&r.Caller)
	c.string(&r.Text)
	c.string(&r.Service)
}

func codeProposal(c *coder, p *Proposal) {
	number(c, &p.Number)
	number(c, &p.Other)
	c.string(&p.Why)
	c.string(&p.By)
	c.time(&p.At)
	number(c, &p.Answer)
	c.string(&p.Decided)
}

func codeAbsorbed(c *coder, a *Absorbed) {
	number(c, &a.Other)
	c.time(&a.At)
	c.string(&a.By)
	list(c, &a.Alerts, codeAlertID)
	c.bool(&a.Undone)
}
