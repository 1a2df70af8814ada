package api

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// MemberWhy says why a configuration item, or an alert that is bound to none, is in an incident.
type MemberWhy struct {
	CI       string   `json:"ci" doc:"empty: the alert is bound to no item"`
	Name     string   `json:"name" doc:"the item, or the alert and what it is about"`
	Alerts   uint32   `json:"alerts"`
	Firing   uint32   `json:"firing"`
	Names    []string `json:"alert_names" doc:"the first 5"`
	IDs      []string `json:"alert_ids" doc:"the first 20"`
	Sentence string   `json:"sentence"`
	Place    *Place   `json:"place,omitempty" doc:"how the item was placed first; left out: rules group it, or that is no longer kept"`
	Moved    *Place   `json:"moved,omitempty" doc:"what became of the group that the item had begun"`
}

const (
	maxNames = 5
	maxIDs   = 20
)

// membersWhy says of each item, and of each alert without one, why it is in an incident; left is how many are left out.
func membersWhy(v *correlate.View, p *past, id event.IncidentID, moves []event.Change) (list []MemberWhy, left int) {
	list = []MemberWhy{}
	at, over := map[uint32]int{}, map[uint32]bool{}
	for a := range v.Members(id) {
		item := a.Item()
		n, known := at[item]
		switch {
		case item != 0 && known:
		case len(list) == maxReasons:
			if item == 0 || !over[item] {
				left++
			}
			over[item] = true
			continue
		default:
			n = len(list)
			list = append(list, MemberWhy{Names: []string{}, IDs: []string{}})
			at[item] = n
		}
		list[n].add(v, p, a)
	}
	for n := range moves {
		m := moves[n].Place
		if k, known := at[m.Item]; known && m.Kind == event.PlaceEdge && m.Item != 0 {
			list[k].Moved = p.moved(v, m)
			list[k].Sentence += " Then: " + list[k].Moved.Sentence
		}
	}
	return list, left
}

// add takes in one alert of a member. What placed its item says more than that the item had been placed.
func (m *MemberWhy) add(v *correlate.View, p *past, a correlate.Alert) {
	st := a.State()
	m.Alerts++
	if st.Phase == event.Firing {
		m.Firing++
	}
	if len(m.Names) < maxNames && !slices.Contains(m.Names, st.Name) {
		m.Names = append(m.Names, st.Name)
	}
	if len(m.IDs) < maxIDs {
		m.IDs = append(m.IDs, st.ID.String())
	}
	if m.Alerts == 1 {
		m.CI, _, _ = a.CI()
		m.Name, m.Sentence = m.CI, alertWhy(v, st)
		if m.CI == "" {
			m.Name = alertName(st.Name, st.Resource)
		}
	}
	where, ok := p.placement(&st)
	if !ok || where == nil || where.Kind == event.PlaceNone || m.Place != nil && m.Place.says() {
		return
	}
	if now := p.place(v, where); m.Place == nil || now.says() {
		m.Place, m.Sentence = now, now.Sentence
		if by := movedWhy(v, &st); by != "" {
			m.Sentence = fmt.Sprintf("%s %s", now.Sentence, by)
		}
	}
}

// says tells whether a placement says why an item is where it is, and not only that it was there.
func (out *Place) says() bool {
	return out.Kind != event.PlaceSame.String() && out.Kind != event.PlaceBack.String()
}

// movedWhy says how an alert came to its incident when people, or a merge, moved it there; "" when it came by itself.
func movedWhy(v *correlate.View, st *event.AlertState) string {
	i, ok := v.Incident(st.Incident)
	if !ok {
		return ""
	}
	if i.Dossier != nil {
		for _, a := range i.Dossier.Absorbed {
			if !a.Undone && slices.Contains(a.Alerts, st.ID) {
				return fmt.Sprintf("It came with %s, which was merged into %s.", a.Other, i.ID)
			}
		}
	}
	if i.OpenedBy != "" { // no alert finds its way into one that a person opened
		return fmt.Sprintf("A person moved it to %s.", i.ID)
	}
	return ""
}

// alertWhy says in a sentence why an alert is where it is.
func alertWhy(v *correlate.View, st event.AlertState) string {
	if moved := movedWhy(v, &st); moved != "" {
		return moved
	}
	in, after := st.Incident.String(), v.Rules.Settings.OpenAfter[st.Severity]
	switch st.Reason {
	case event.ReasonOpened:
		return "It opened " + in + "."
	case event.ReasonHeld:
		return fmt.Sprintf("It opened %s after firing for its severity's waiting time.", in)
	case event.ReasonJoined:
		return fmt.Sprintf("Its group's incident %s was open, so it joined.", in)
	case event.ReasonEvidence:
		return fmt.Sprintf("It was waiting when its group's incident %s opened, and was taken in.", in)
	case event.ReasonReopened:
		return fmt.Sprintf("It fired again soon after %s was resolved, and reopened it.", in)
	case event.ReasonWaiting:
		return fmt.Sprintf("It fires, but opens an incident only after firing for %s (severity %s).", span(after), st.Severity)
	case event.ReasonNeverOpens:
		return fmt.Sprintf("Severity %s opens no incident; it joins as evidence when another alert of its group opens one.", st.Severity)
	case event.ReasonSilenced:
		return "A silence quiets it."
	case event.ReasonInhibited:
		return "Another alert inhibits it."
	case event.ReasonOver:
		return "It was over before it opened an incident."
	case event.ReasonLate:
		return "It was read late; it waits in case its end is next in the queue."
	case event.ReasonMaintenance:
		return "It began inside a maintenance window, which quiets it until the window ends."
	case event.ReasonFlapping:
		return fmt.Sprintf("It goes up and down; it counts as firing once it has fired for %s without a break.", span(v.Rules.Settings.FlapSteady))
	case event.ReasonFlapped:
		return fmt.Sprintf("It goes up and down so often that this alone brought it into %s.", in)
	case event.ReasonSymptom:
		return "What its item rests on is down: it is quiet evidence of that."
	case event.ReasonFiltered:
		return "A rule keeps it quiet."
	case event.ReasonBelowThreshold:
		return "A rule waits for more of its kind before it opens an incident."
	case event.ReasonPaired:
		return fmt.Sprintf("A rule ties it to an alert that is in %s.", in)
	case event.ReasonHeartbeat:
		return "It is a sign of life and opens nothing; only its absence does."
	}
	return ""
}
