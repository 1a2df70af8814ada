package correlate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestAHundredIncidentsAreLinkedToAnOutageAndTheLastSaysSo(t *testing.T) {
	s := New()
	s.in = &event.Input{}
	s.emit(event.Change{Kind: event.OutageSet, Outage: &event.Outage{Number: 1, Tenant: "main", Service: "shop", Kind: event.OutageDown, ByMachine: true}})
	for id := event.IncidentID(1); id <= 3*maxOutageIncidents; id++ {
		s.linkOutage(s.desk.runningOutage("main", "shop"), 1+id/2)
	}
	require.Len(t, s.out, 1+maxOutageIncidents, "each once, and none beyond")
	require.Empty(t, s.out[maxOutageIncidents-1].Text)
	require.Contains(t, s.out[maxOutageIncidents].Text, "100 incidents are linked to it")
	require.Len(t, s.desk.Outages[0].Incidents, maxOutageIncidents)
}

func TestOutagesThatAreOverGoWhenThereAreTooManyAndTheFirstGoFirst(t *testing.T) {
	var d desk
	d.countLasting()
	add := func(number uint32, ended event.Time) {
		o := &event.Outage{Number: number, Tenant: "main", Service: "shop", Kind: event.OutageDown, EndedAt: ended}
		d.putOutage(-1, o)
		d.countOutage(o)
	}
	at := 500 * event.Day
	for number := uint32(1); number <= maxOutages; number++ {
		ended := at
		if number%10 == 1 {
			ended = 0
		}
		add(number, ended)
		d.dropOutages(at)
	}
	require.Len(t, d.Outages, maxOutages, "so many there may be")
	view := d.Outages
	d.outagesShared = true
	add(maxOutages+1, at)
	d.dropOutages(at)
	require.Len(t, d.Outages, maxOutages-dropAtOnce)
	require.Equal(t, []uint32{1, 11}, []uint32{d.Outages[0].Number, d.Outages[1].Number}, "what lasts stays")
	require.Equal(t, uint32(maxOutages+1), d.Outages[len(d.Outages)-1].Number)
	require.Equal(t, uint32(2), view[1].Number, "what a view shows stays as it is")
	d.dropOutages(at + keptOutages + 1)
	require.Len(t, d.Outages, maxOutages/10, "what was over long ago goes whatever there is room for")
	d.dropOutages(at + 2*keptOutages)
	require.Len(t, d.Outages, maxOutages/10)
}
