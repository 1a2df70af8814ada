package correlate

import (
	"slices"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// mute is a silence or a window: it quiets what it matches.
type mute interface {
	of() string // its tenant
	matches(tenant string, ls event.Labels) bool
	// narrowed returns a label and its values, one of which all that it matches has; "" when no label is so.
	narrowed() (label string, values []string)
}

// ciLabel stands for the configuration item, whichever label names it. No label is called so.
const ciLabel = " ci"

func (sil *silence) of() string { return sil.Tenant }

func (w *window) of() string { return w.Tenant }

func (sil *silence) narrowed() (label string, values []string) { return equality(sil.matchers) }

func (w *window) narrowed() (label string, values []string) {
	if len(w.CIs) > 0 {
		return ciLabel, w.CIs
	}
	return equality(w.matchers)
}

func equality(list labels.Matchers) (label string, values []string) {
	for _, m := range list {
		if m.Type == labels.MatchEqual && m.Value != "" {
			return m.Name, []string{m.Value}
		}
	}
	return "", nil
}

// firingUnder returns, for each mute, the firing claims that it matches. It looks at every claim once, whatever the number of
// mutes, and reads the labels of none that is another tenant's.
func (s *State) firingUnder(list ...mute) [][]uint32 {
	out := make([][]uint32, len(list))
	if len(list) == 0 {
		return out
	}
	x := newMutes(list)
	tenants := map[flat.Sym]bool{}
	for slot := uint32(1); slot < s.sources.Len(); slot++ {
		tenant := s.sources.At(slot).tenant
		tenants[tenant] = slices.ContainsFunc(list, func(m mute) bool { return m.of() == s.text.String(tenant) })
	}
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		c := s.claims.At(slot)
		if c.alert == 0 || c.phase != event.Firing {
			continue
		}
		sym := s.sources.At(c.source).tenant
		if !tenants[sym] {
			continue
		}
		tenant, ls := s.text.String(sym), s.claimLabels(slot)
		x.each(ls, func(i int) {
			if list[i].matches(tenant, ls) {
				out[i] = append(out[i], slot)
			}
		})
	}
	return out
}

// mutes finds those of a list that can match a label set without asking each.
type mutes struct {
	labels  []string // by which some are narrowed
	byValue []map[string][]int
	rest    []int
}

func newMutes(list []mute) *mutes {
	x := &mutes{}
	for i, m := range list {
		label, values := m.narrowed()
		if label == "" {
			x.rest = append(x.rest, i)
			continue
		}
		at := slices.Index(x.labels, label)
		if at < 0 {
			at = len(x.labels)
			x.labels, x.byValue = append(x.labels, label), append(x.byValue, map[string][]int{})
		}
		for _, v := range values {
			if known := x.byValue[at][v]; !slices.Contains(known, i) {
				x.byValue[at][v] = append(known, i)
			}
		}
	}
	return x
}

// each calls fn with those that may match ls, each once.
func (x *mutes) each(ls event.Labels, fn func(i int)) {
	for _, i := range x.rest {
		fn(i)
	}
	for at, label := range x.labels {
		value := ""
		if label == ciLabel {
			value = ls.CI().Name
		} else {
			value = ls.Get(label)
		}
		for _, i := range x.byValue[at][value] {
			fn(i)
		}
	}
}

// alertsOf counts the alerts that claims belong to.
func (s *State) alertsOf(claims []uint32) uint64 {
	alerts := make([]uint32, 0, len(claims))
	for _, c := range claims {
		alerts = append(alerts, s.claims.At(c).alert)
	}
	slices.Sort(alerts)
	return uint64(len(slices.Compact(alerts)))
}
