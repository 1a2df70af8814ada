package main

import (
	"fmt"
	"strconv"

	"github.com/tocsin-noc/tocsin/api"
)

// dossier prints what people keep on an incident, in sections of which the empty ones are left out: what somebody has to do comes
// first.
func (p *printer) dossier(i *api.Incident) error {
	if err := p.major(i.Major); err != nil {
		return err
	}
	p.proposals(i)
	p.services(i)
	if len(i.Tasks) > 0 {
		p.section(fmt.Sprintf("Tasks (%d, %d open)", len(i.Tasks), i.OpenTasks))
		if err := p.table(p.taskTable(i.Tasks, ""), "  "); err != nil {
			return err
		}
	}
	if err := p.ticket(i.Ticket); err != nil {
		return err
	}
	p.reports(i)
	p.absorbed(i)
	return p.review(i.Review)
}

func (p *printer) major(m *api.MajorIncident) error {
	if m == nil {
		return nil
	}
	p.section("Major incident")
	next := ""
	switch {
	case m.EndedAt != nil:
	case m.NextUpdateAt == nil:
		next = "is due, and nobody has posted it"
	default:
		next = p.clock(m.NextUpdateAt)
	}
	return p.pairs("  ",
		"Since", p.time(m.Since)+unless(m.By == "", by(m.By)), "Ended", unless(m.EndedAt == nil, p.at(m.EndedAt)),
		"Commander", m.Commander, "Communications", m.Comms, "Scribe", m.Scribe, "Bridge", m.Bridge,
		"Next update", next, "Told so far", unless(m.Updates == 0, strconv.Itoa(int(m.Updates))+"×"),
	)
}

func (p *printer) proposals(i *api.Incident) {
	open := openProposals(i)
	if len(open) == 0 {
		return
	}
	p.section(fmt.Sprintf("Waits for an answer (%d): tocsin incident accept %s, or reject", len(open), i.ID))
	for n := range open {
		what := "merge " + open[n].Other + " into this"
		if open[n].Kind == "major" {
			what = "make this a major incident"
		}
		who := unless(open[n].By == "", ", says "+open[n].By)
		p.line("  %d  %s%s: %s (%s)", open[n].Number, what, who, open[n].Why, p.time(open[n].At))
	}
}

func (p *printer) services(i *api.Incident) {
	if i.ServiceCount == 0 {
		return
	}
	p.section(fmt.Sprintf("Services it hurts (%d)", i.ServiceCount))
	for _, s := range i.Services {
		how := "rests on what is ill, and runs"
		switch {
		case s.Down:
			how = "down"
		case s.Spare:
			how = "runs on a spare: redundancy holds"
		}
		p.line("  %s: %s", s.Service, how)
	}
	if more := int(i.ServiceCount) - len(i.Services); more > 0 {
		p.line("  and %d more", more)
	}
}

func (p *printer) ticket(t *api.Ticket) error {
	if t == nil {
		return nil
	}
	p.section("Ticket at " + t.Supplier)
	return p.pairs("  ",
		"Reference", t.Reference, "Promised", unless(t.PromisedAt == nil, p.clock(t.PromisedAt)),
		"Last word", unless(t.LastWord == "", p.at(t.LastWordAt)+": "+t.LastWord), "Ask again", unless(t.ChaseAt == nil, p.clock(t.ChaseAt)),
	)
}

// shownReports are the latest reports that show prints.
const shownReports = 5

func (p *printer) reports(i *api.Incident) {
	if i.Reported == 0 {
		return
	}
	p.section(fmt.Sprintf("Reported by %s", plural(int(i.Reported), "person", "people")))
	latest := i.Reports[max(0, len(i.Reports)-shownReports):]
	if early := int(i.Reported) - len(latest); early > 0 {
		p.line("  %d earlier", early)
	}
	for _, r := range latest {
		p.line("  %s  %s%s%s", p.time(r.At), r.Caller, unless(r.Service == "", " cannot use "+r.Service), unless(r.Text == "", ": "+r.Text))
	}
}

func (p *printer) absorbed(i *api.Incident) {
	if len(i.Absorbed) == 0 {
		return
	}
	p.section("Merged into it")
	for _, a := range i.Absorbed {
		p.line("  %s  %s%s, with %s%s", a.Other, p.time(a.At), by(a.By), plural(a.Alerts, "alert", "alerts"), unless(!a.Undone, "; undone"))
	}
}

func (p *printer) review(r *api.Review) error {
	if r == nil {
		return nil
	}
	p.section("Review")
	if err := p.pairs("  ",
		"Due", unless(r.DueAt == nil || r.DoneAt != nil, p.clock(r.DueAt)), "Finished", unless(r.DoneAt == nil, p.at(r.DoneAt)+by(r.DoneBy)),
	); err != nil {
		return err
	}
	if r.Summary != "" {
		p.text("    │ ", r.Summary)
	}
	return nil
}
