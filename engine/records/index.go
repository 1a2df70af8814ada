package records

import "github.com/tocsin-noc/tocsin/event"

// slot is what memory holds of an incident. count 0 is an incident without entries.
type slot struct {
	last      position // of its latest entry
	milestone position // of its latest milestone
	count     uint32   // entries ever kept, those dropped since included
	first     uint32   // segment its first entry is or was in; 0 when a scan found entries missing
}

// pageSlots is the number of slots of one page, 24 KiB.
const pageSlots = 1024

// index finds an incident's slot. Incidents are numbered from 1 without gaps, so it is an array, in pages: growing copies
// nothing, and the collector sees one pointer per page.
type index struct {
	pages []*[pageSlots]slot // by id / pageSlots; nil where no incident has an entry
	used  int                // slots with entries
}

// at returns id's slot by value.
func (x *index) at(id event.IncidentID) slot {
	page := int(id / pageSlots)
	if page >= len(x.pages) || x.pages[page] == nil {
		return slot{}
	}
	return x.pages[page][id%pageSlots]
}

// set replaces id's slot by s, which has entries.
func (x *index) set(id event.IncidentID, s slot) {
	page := int(id / pageSlots)
	if page >= len(x.pages) {
		x.pages = append(x.pages, make([]*[pageSlots]slot, page+1-len(x.pages))...)
	}
	if x.pages[page] == nil {
		x.pages[page] = new([pageSlots]slot)
	}
	place := &x.pages[page][id%pageSlots]
	if place.count == 0 {
		x.used++
	}
	*place = s
}

// next returns the slot of an incident after the entry f, written or found at pos. Where a scan finds entries missing before f,
// by the bound or by damage, they count as dropped.
func (s slot) next(f *frame, pos position) slot {
	if f.ordinal != s.count {
		s.milestone, s.first = 0, 0
	}
	s.last, s.count = pos, f.ordinal+1
	if f.milestone() {
		s.milestone = pos
	}
	if f.ordinal == 0 {
		s.first = pos.segment()
	}
	return s
}

// all calls yield for every incident with entries, by ascending id.
func (x *index) all(yield func(event.IncidentID, slot) bool) {
	for p, page := range x.pages {
		if page == nil {
			continue
		}
		for i := range page {
			id := event.IncidentID(p*pageSlots + i)
			if page[i].count > 0 && !yield(id, page[i]) {
				return
			}
		}
	}
}
