package correlate

import (
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// members holds a memberRec for each incident that alerts, a group or a timer still belong to: of most incidents that are over
// there is nothing left to count.
type members struct {
	slots   *flat.Slab[uint32] // by incident number; 0: nothing
	recs    *flat.Slab[memberRec]
	touched []uint32 // incidents whose record this step may have emptied
}

func newMembers() members {
	return members{slots: flat.NewSlab[uint32](), recs: flat.NewSlab[memberRec]()}
}

// Alloc makes room for the next incident.
func (m *members) Alloc() { m.slots.Alloc() }

// At returns an incident's record to read; all of it is zero when there is none.
func (m *members) At(incident uint32) *memberRec { return m.recs.At(*m.slots.At(incident)) }

// Mut returns an incident's record to write. It lasts until the end of the step at least.
func (m *members) Mut(incident uint32) *memberRec {
	slot := *m.slots.At(incident)
	if slot == 0 {
		slot = m.recs.Alloc()
		*m.slots.Mut(incident) = slot
	}
	m.touched = append(m.touched, incident)
	return m.recs.Mut(slot)
}

// sweep gives back the records that have become empty. It ends every step.
func (m *members) sweep() {
	for _, incident := range m.touched {
		if slot := *m.slots.At(incident); slot != 0 && *m.recs.At(slot) == (memberRec{}) {
			m.recs.Free(slot)
			*m.slots.Mut(incident) = 0
		}
	}
	m.touched = m.touched[:0]
}

// membersView is members as they were at one moment.
type membersView struct {
	slots flat.SlabView[uint32]
	recs  flat.SlabView[memberRec]
}

// View returns the records as they are now. The owner calls it between steps.
func (m *members) View() membersView { return membersView{m.slots.View(), m.recs.View()} }

func (v *membersView) At(incident uint32) *memberRec { return v.recs.At(*v.slots.At(incident)) }

func (v *membersView) Save(w *flat.Writer) error {
	if err := v.slots.Save(w, "member_slots"); err != nil {
		return err
	}
	return v.recs.Save(w, "members")
}

func (m *members) Load(r *flat.Reader) error {
	if err := m.slots.Load(r, "member_slots"); err != nil {
		return err
	}
	return m.recs.Load(r, "members")
}

// memberRec is the machine's side of an incident: counts that follow from its alerts.
type memberRec struct {
	head, tail uint32
	group      uint32
	timer      uint32
	alerts     uint32
	firing     uint32
	expired    uint32
	suppressed uint32
	damped     uint32
	apart      uint32    // that rules keep out of some incidents
	worst      [6]uint32 // firing alerts that are not quiet, by severity
}
