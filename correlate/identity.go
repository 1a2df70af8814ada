package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// Which labels tell one alert from another is in the hands of the rules, and rules change. An alert in memory keeps the identity that it
// was born with: a scheme is a list of labels that identity leaves out, and claims say by which scheme their alert is known. Scheme 0
// leaves out the volatile labels alone.

// maxSchemes bounds the schemes that are in use at a time. What comes beyond goes on by the scheme before it.
const maxSchemes = 255

// identity is an alert's identity by one scheme.
type identity struct {
	hash   uint64
	scheme uint8
}

// identities lists what an event's alert may be known by: first by schemes of before, so that those in memory keep theirs, then by that of
// the rules in force.
func (s *State) identities(tenant string, ev *event.Event) []identity {
	r := &s.work.reading
	if r.scheme == 0 && len(s.desk.Schemes) == 0 {
		r.ids = append(r.ids[:0], identity{hash: ev.Identity})
		return r.ids
	}
	r.ids = r.ids[:0]
	for scheme := range len(s.desk.Schemes) + 1 {
		if scheme := uint8(scheme); scheme != r.scheme && r.schemes[scheme] > 0 {
			r.ids = append(r.ids, identity{s.identityBy(scheme, tenant, ev.Labels), scheme})
		}
	}
	r.ids = append(r.ids, identity{s.identityBy(r.scheme, tenant, ev.Labels), r.scheme})
	return r.ids
}

func (s *State) identityBy(scheme uint8, tenant string, ls event.Labels) (hash uint64) {
	hash, s.work.bytes = ls.IdentityBut(s.ignored(scheme), tenant, s.work.bytes)
	return hash
}

// ignored returns the labels that a scheme leaves out besides the volatile ones.
func (s *State) ignored(scheme uint8) []string {
	if scheme == 0 {
		return nil
	}
	return s.desk.Schemes[scheme-1]
}

// findAlert returns the slot of the alert with these labels that is known by a scheme, 0 when there is none.
func (s *State) findAlert(id identity, tenant string, ls event.Labels) uint32 {
	slot, _ := s.byIdentity.Find(id.hash, func(ref uint32) bool {
		claim := s.claims.At(s.alerts.At(ref).claims)
		if claim.scheme != id.scheme {
			return false
		}
		s.work.labels = labelset.Append(s.text, s.work.labels[:0], claim.labels)
		return s.work.labels.SameBut(s.ignored(id.scheme), ls) && s.text.String(s.sources.At(claim.source).tenant) == tenant
	})
	return slot
}

// findLive returns the alert of an event whose occurrence, or the next of it, the event is about; 0 when there is none.
func (s *State) findLive(tenant string, ev *event.Event, h heard) uint32 {
	for _, id := range s.identities(tenant, ev) {
		if alert := s.findAlert(id, tenant, ev.Labels); alert != 0 && !s.outdated(alert, h) {
			return alert
		}
	}
	return 0
}

// findRepeat is the fast path: the alert and claim of an event whose content, identity and source are known as they are.
func (s *State) findRepeat(tenant string, source uint32, ev *event.Event, h heard) (alert, claim uint32) {
	for _, id := range s.identities(tenant, ev) {
		alert, _ = s.byIdentity.Find(id.hash, func(ref uint32) bool {
			for c := s.alerts.At(ref).claims; c != 0; c = s.claims.At(c).next {
				if rec := s.claims.At(c); rec.content == ev.Content && rec.source == source && rec.scheme == id.scheme {
					claim = c
					return true
				}
			}
			return false
		})
		if claim != 0 && !s.outdated(alert, h) {
			return alert, claim
		}
		claim = 0
	}
	return 0, 0
}

// schemeOf returns the scheme that leaves out some labels, and makes it where there is room.
func (s *State) schemeOf(ignore []string) uint8 {
	if len(ignore) == 0 {
		return 0
	}
	if i := slices.IndexFunc(s.desk.Schemes, func(known []string) bool { return slices.Equal(known, ignore) }); i >= 0 {
		return uint8(i + 1)
	}
	if i := slices.IndexFunc(s.desk.Schemes, func(known []string) bool { return known == nil }); i >= 0 {
		s.desk.Schemes = replaced(s.desk.Schemes, i, ignore)
		return uint8(i + 1)
	}
	if len(s.desk.Schemes) == maxSchemes {
		return s.work.reading.scheme
	}
	s.desk.Schemes = replaced(s.desk.Schemes, -1, ignore)
	return uint8(len(s.desk.Schemes))
}

// dropSchemes forgets the schemes by which no alert is known any more, before others come into force.
func (s *State) dropSchemes() {
	for i := range s.desk.Schemes {
		if s.work.reading.schemes[i+1] == 0 {
			s.desk.Schemes = replaced(s.desk.Schemes, i, nil)
		}
	}
	for n := len(s.desk.Schemes); n > 0 && s.desk.Schemes[n-1] == nil; n-- {
		s.desk.Schemes = s.desk.Schemes[:n-1]
	}
}

// countScheme moves the count of claims by the scheme of their alert.
func (s *State) countScheme(scheme uint8, by int32) { s.work.reading.schemes[scheme] += uint32(by) }

// countSchemes counts anew, after a snapshot was read.
func (s *State) countSchemes() {
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		if c := s.claims.At(slot); c.alert != 0 {
			s.countScheme(c.scheme, 1)
		}
	}
}
