package facts

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

var senders = []event.Source{{Name: "prom", Tenant: "main"}, {Name: "tocsin", Tenant: "main"}}

// columnOf returns a column's values, as text.
func columnOf(b Batch, table, column string) (out []string) {
	for _, t := range b.Tables {
		for _, c := range t.Columns {
			if t.Name == table && c.Name == column {
				return textsOf(c.Data)
			}
		}
	}
	return nil
}

func textsOf(data any) (out []string) {
	switch data := data.(type) {
	case []string:
		return append(out, data...)
	case []bool:
		for _, v := range data {
			out = append(out, fmt.Sprint(v))
		}
	case []uint64:
		for _, v := range data {
			out = append(out, fmt.Sprint(v))
		}
	case []uint32:
		for _, v := range data {
			out = append(out, fmt.Sprint(v))
		}
	case []*int64:
		for _, v := range data {
			if v == nil {
				out = append(out, "NULL")
			} else {
				out = append(out, fmt.Sprint(*v))
			}
		}
	}
	return out
}

func TestASendersWordIsToldFromWhatTheMachineDoesByItself(t *testing.T) {
	live, cleared, expired := event.ClaimState{ID: 1, Phase: event.Firing}, event.ClaimState{ID: 1, Phase: event.Cleared}, event.ClaimState{ID: 1, Phase: event.Expired}
	for name, c := range map[string]struct {
		ch   event.Change
		said bool
	}{
		"a firing":                                 {event.Change{Kind: event.AlertFiring, Claim: live}, true},
		"a clear":                                  {event.Change{Kind: event.AlertCleared, Claim: cleared}, true},
		"another severity":                         {event.Change{Kind: event.AlertUpdated, Claim: live}, true},
		"a binding":                                {event.Change{Kind: event.AlertUpdated}, false},
		"one of several senders clears":            {event.Change{Kind: event.ClaimEnded, Claim: cleared}, true},
		"one of several senders falls silent":      {event.Change{Kind: event.ClaimEnded, Claim: expired}, false},
		"silence":                                  {event.Change{Kind: event.AlertExpired, Claim: expired}, false},
		"a clear after another's silence":          {event.Change{Kind: event.AlertExpired, Claim: cleared}, true},
		"a silence set by people":                  {event.Change{Kind: event.AlertSuppressed, Claim: live}, false},
		"an alert that Tocsin raises about itself": {event.Change{Kind: event.AlertFiring, Claim: live, Alert: event.AlertState{Source: 2}}, false},
		"it is forgotten":                          {event.Change{Kind: event.AlertDropped}, false},
	} {
		f := New(0, senders, nil)
		c.ch.Alert.ID = 1
		if c.ch.Alert.Source == 0 {
			c.ch.Alert.Source = 1
		}
		f.Add(&c.ch)
		require.Equal(t, []string{fmt.Sprint(c.said)}, columnOf(f.Take(), "transitions", "event"), name)
	}
}

func seen(seq uint64, at event.Time) *event.Change {
	return &event.Change{Seq: seq, At: at, Kind: event.AlertSeen, Alert: event.AlertState{ID: 1, Source: 1}}
}

func TestRepeatsGoOnWhereTheRowInTheDatabaseEnded(t *testing.T) {
	f := New(0, senders, []Count{{Hour: 0, Block: 0, Tenant: "main", Source: "prom", Repeats: 10, Through: 100}})
	for _, seq := range []uint64{99, 100, 100, 101, 101} {
		f.Add(seen(seq, event.Minute))
	}
	b := f.Take()
	require.Equal(t, []string{"12"}, columnOf(b, "repeats", "repeats"), "those up to 100 are in the row")
	require.Equal(t, []string{"101"}, columnOf(b, "repeats", "through"))
	require.Equal(t, b, f.Take(), "it may be asked for again")
	f.Done()
	require.Empty(t, f.Take().Tables)
	f.Add(seen(102, event.Minute))
	f.Add(seen(70_000, event.Minute))
	f.Add(seen(70_001, event.Hour))
	require.Equal(t, []string{"13", "1", "1"}, columnOf(f.Take(), "repeats", "repeats"), "a row for each hour and block")
	f.Done()
	f.Add(seen(70_002, event.Hour))
	require.Equal(t, []string{"2"}, columnOf(f.Take(), "repeats", "repeats"))
}

func TestSendersKeepTheirNumbers(t *testing.T) {
	f := New(0, senders, nil)
	for _, name := range []string{"prom", "new", "tocsin"} {
		f.Add(&event.Change{Kind: event.SourceAdded, Source: event.Source{Name: name, Tenant: "main"}})
	}
	require.Equal(t, []string{"1", "3", "2"}, columnOf(f.Take(), "sources", "source"))
	f.Add(&event.Change{Kind: event.AlertDropped, Alert: event.AlertState{ID: 1, Source: 9}})
	require.Equal(t, []string{""}, columnOf(f.Take(), "transitions", "tenant"), "nobody's alert is shown to no tenant")
}

func TestTimesThatAreNotSetAreNULLAndThoseTooLateAreTheLast(t *testing.T) {
	f := New(0, nil, nil)
	f.Add(&event.Change{Kind: event.SilenceSet, Silence: &event.Silence{EndsAt: event.Never}})
	require.Equal(t, []string{"NULL"}, columnOf(f.Take(), "log", "since"))
	require.Equal(t, []string{"9214646399999"}, columnOf(f.Take(), "log", "until"))
}

func TestNumbersOfIncidentsNameTheShard(t *testing.T) {
	require.Equal(t, "INC-42", numberOf(0, 42))
	require.Equal(t, "INC-3-42", numberOf(3, 42))
}

func TestWhatGroupingRestsOnIsNoFact(t *testing.T) {
	f := New(0, nil, nil)
	for _, ch := range []event.Change{
		{Kind: event.PositionMoved}, {Kind: event.ItemPlaced, Place: &event.Placement{}}, {Kind: event.TraceNoted, Trace: &event.Trace{}}, {Kind: event.ComponentAdded},
	} {
		f.Add(&ch)
	}
	require.Zero(t, f.Rows())
	f.Add(&event.Change{Kind: event.RulesLoaded, Text: "a long text"})
	require.Equal(t, []string{"11"}, columnOf(f.Take(), "log", "count"))
	require.Equal(t, []string{""}, columnOf(f.Take(), "log", "text"))
}

func TestAnIncidentThatOpensBecauseAnotherIsFullSaysSo(t *testing.T) {
	f := New(0, nil, nil)
	for _, ledger := range [][]event.LedgerEntry{
		nil,
		{{Kind: "full", Operands: []string{"INC-7", "1000", "1000"}}, {Kind: "alert", Operands: []string{"1", "DiskFull", "db-3"}}},
		{{Kind: "too_old", Operands: []string{"INC-8", "24h0m0s", "24h0m0s"}}},
	} {
		f.Add(&event.Change{Kind: event.IncidentOpened, Incident: &event.IncidentState{ID: 9}, Ledger: ledger})
	}
	rows := f.Take()
	require.Equal(t, []string{"0", "7", "8"}, columnOf(rows, "incident_versions", "continues"))
}
