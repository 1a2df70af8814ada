package alertmanager

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// alertGroup is an incident as Alertmanager's clients see it, or alerts that have none and share a grouping key.
type alertGroup struct {
	Alerts      []*gettableAlert  `json:"alerts"`
	Labels      map[string]string `json:"labels"`
	Receiver    receiverName      `json:"receiver"`
	RouteLabels map[string]string `json:"routeLabels"`

	key event.Labels
	id  event.IncidentID
}

// getGroups lists every alert that fires in exactly one group: its incident, else its grouping key. The parameter muted is
// without effect, as nothing mutes whole groups here.
func (a *API) getGroups(w http.ResponseWriter, r *http.Request) {
	q, ok := a.alertQuery(w, r)
	if !ok {
		return
	}
	v := a.view(w, r)
	if v == nil {
		return
	}
	answer(w, http.StatusOK, groups(newReader(v, tenant(r), a.now(), &q)))
}

// groupID tells groups apart: by incident, or by rule and key.
type groupID struct {
	incident event.IncidentID
	rule     string
	key      string
}

func groups(rd *reader) []*alertGroup {
	byID := map[groupID]*alertGroup{}
	list := []*alertGroup{}
	for alert := range rd.view.Alerts() {
		shown := rd.of(alert)
		if len(shown) == 0 {
			continue
		}
		id, key := groupOf(rd.view, alert)
		g := byID[id]
		if g == nil {
			g = &alertGroup{
				Labels: key.Map(), Receiver: receiverName{receiver}, RouteLabels: map[string]string{}, key: key, id: id.incident,
			}
			byID[id] = g
			list = append(list, g)
		}
		g.Alerts = append(g.Alerts, shown...)
	}
	for _, g := range list {
		slices.SortFunc(g.Alerts, compareInGroup)
	}
	slices.SortFunc(list, func(a, b *alertGroup) int { return cmp.Or(compareLabels(a.key, b.key), cmp.Compare(a.id, b.id)) })
	return list
}

// groupOf returns which group an alert is in and the labels that the group is known by. An alert that no rule has looked at
// yet is alone.
func groupOf(v *correlate.View, alert correlate.Alert) (groupID, event.Labels) {
	if id := alert.Incident(); id != 0 {
		if inc, ok := v.Incident(id); ok {
			return groupID{incident: id}, event.SharedLabels(inc.Rule, inc.Labels)
		}
	}
	if alert.HasGroup() {
		rule, key := alert.Group()
		return groupID{rule: rule, key: key.String()}, event.SharedLabels(rule, key)
	}
	ls := alert.Labels()
	return groupID{key: ls.String()}, ls
}

// compareInGroup orders alerts as Alertmanager does: by job, by instance, those without either last, then by their labels.
func compareInGroup(a, b *gettableAlert) int {
	for _, name := range [...]string{"job", "instance"} {
		x, y := a.set.Get(name), b.set.Get(name)
		switch {
		case x == y:
		case x == "":
			return 1
		case y == "":
			return -1
		default:
			return strings.Compare(x, y)
		}
	}
	return compareLabels(a.set, b.set)
}

// compareLabels orders label sets as prometheus/common/model does: the smaller set first; of equal size, the one that lacks
// the first name in which they differ, or has the lower value there.
func compareLabels(a, b event.Labels) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	for i := range a {
		switch {
		case a[i].Name < b[i].Name:
			return 1 // b lacks a's name
		case a[i].Name > b[i].Name:
			return -1
		case a[i].Value != b[i].Value:
			return strings.Compare(a[i].Value, b[i].Value)
		}
	}
	return 0
}
