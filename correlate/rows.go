package correlate

import (
	"iter"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/itsm"
)

// Row is an incident as lists look at it: they go over every one of them, and build the few that they show.
type Row struct {
	itsm.Row
	ID event.IncidentID

	v         *View
	tenantSym flat.Sym
	tenant    string // that tenantSym names: most rows have that of the row before
}

func (r *Row) set(id event.IncidentID) *Row {
	r.Row, r.ID = r.v.incidents.Row(id), id
	return r
}

// Rows yields every incident, the newest first. A row is there until the next one. A million of them take some 10 ms.
func (v *View) Rows() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		row := &Row{v: v}
		for id := event.IncidentID(v.incidents.Len()); id > 0; id-- {
			if !yield(row.set(id)) {
				return
			}
		}
	}
}

// OpenRows yields the open incidents, the newest first, and passes over all others without looking at them.
func (v *View) OpenRows() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		row := &Row{v: v}
		for id := range v.incidents.Open() {
			if !yield(row.set(id)) {
				return
			}
		}
	}
}

// Sym returns the symbol of a team's or a person's name, false when no incident names it: comparing symbols is cheaper than texts.
func (v *View) Sym(text string) (flat.Sym, bool) { return v.text.Strings.Lookup(text) }

// Tenant returns whose incident it is.
func (r *Row) Tenant() string {
	if r.TenantSym != r.tenantSym {
		r.tenantSym, r.tenant = r.TenantSym, r.v.text.String(r.TenantSym)
	}
	return r.tenant
}

// Team returns the team it is assigned to.
func (r *Row) Team() string { return r.v.text.String(r.TeamSym) }

// Assignee returns the person it is assigned to.
func (r *Row) Assignee() string { return r.v.text.String(r.PersonSym) }

// Brief returns its times. For an open incident that is nearly free.
func (r *Row) Brief() itsm.Brief { return r.v.incidents.Brief(r.ID, r.v.text) }

// Damped returns how many of its alerts flap.
func (r *Row) Damped() uint32 { return r.v.members.At(uint32(r.ID)).damped }

// Words returns the title and the labels.
func (r *Row) Words() (title string, labels event.Labels) { return r.v.incidents.Words(r.ID, r.v.text) }

// Incident builds the whole of it.
func (r *Row) Incident() Incident {
	i, _ := r.v.Incident(r.ID)
	return i
}
