package api

import "github.com/tocsin-noc/tocsin/event"

// CIBrief is a configuration item in a change.
type CIBrief struct {
	ID     string `json:"id"`
	Class  string `json:"class"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Source string `json:"source" doc:"who told of it first"`
}

// ofConfiguration adds what is about configuration items and outages.
func (d *Desk) ofConfiguration(ch *event.Change, out *Change) {
	if ci := ch.CI; ci != nil {
		out.CI = &CIBrief{ci.ID, ci.Class, ci.Name, ci.State.String(), ci.Source}
	}
	if ch.Outage != nil {
		out.Outage = new(d.outageFacts(ch.Outage))
		out.Outage.Running = lasts(ch.Outage, ch.At)
	}
}
