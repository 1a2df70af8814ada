package api

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/search"
)

// index answers every query with one hit, but for those that it cannot read.
type index struct {
	asked  search.Query
	forgot []string
	err    error
}

func (x *index) Search(_ context.Context, q search.Query) (*search.Result, error) {
	x.asked = q
	if x.err != nil {
		return nil, x.err
	}
	return &search.Result{Total: 7, Behind: search.Behind{Entries: 3}, Hits: []search.Hit{{
		Incident: 42, Tenant: q.Tenant, Title: "Über <b>Last", Status: "open", Updated: 1000,
		Match:  search.Match{Field: "note", Seq: 5, N: 2, At: 2000, By: "u-1", Snippet: search.Snippet{Text: "Zürich fällt", Marks: [][2]int{{8, 14}}, After: true}},
		Others: []search.Match{{Field: "label", Label: "service", Snippet: search.Snippet{Text: "shop"}}},
	}}}, nil
}

func (x *index) Forget(incident event.IncidentID, at engine.Cursor) {
	x.forgot = append(x.forgot, incident.String()+" "+at.String())
}

func TestSearchAnswersInTheTenantOfWhoAsks(t *testing.T) {
	x := &index{}
	f := newFixture(t, func(o *Options) { o.Searcher = x })
	got := get[SearchResult](f, "stranger", "/api/v1/search?q=fällt&status=open&team=dba&limit=5&since=1h")
	require.Equal(t, "other", x.asked.Tenant)
	require.Equal(t, []string{"open"}, x.asked.Filters.Status)
	require.Equal(t, []string{"dba"}, x.asked.Filters.Teams)
	require.Equal(t, 5, x.asked.Limit)
	require.False(t, x.asked.Filters.Since.IsZero())
	require.Equal(t, 7, got.Total)
	require.Equal(t, "INC-42", got.Hits[0].Incident)
	m := got.Hits[0].Matches[0]
	require.Equal(t, [][2]int{{7, 12}}, m.Marks, "in characters")
	require.Equal(t, "fällt", string([]rune(m.Text)[7:12]))
	require.Equal(t, "0.5.2", m.Entry)
	require.Equal(t, "service", got.Hits[0].Matches[1].Label)
	require.Equal(t, uint64(3), got.Behind.Entries)
}

func TestSearchSaysWhatItCannotRead(t *testing.T) {
	x := &index{err: &search.QueryError{Text: `"open`, Offset: 0, Message: "the quotation does not end", Hint: `end it with "`}}
	f := newFixture(t, func(o *Options) { o.Searcher = x })
	answer := f.call("viewer", "GET", "/api/v1/search?q=%22open", "")
	require.Equal(t, 422, answer.StatusCode)
	require.Contains(t, answer.text, "the quotation does not end")
	x.err = ErrNoSearch
	answer = f.call("viewer", "GET", "/api/v1/search?q=a", "")
	require.Equal(t, 503, answer.StatusCode)
	require.Equal(t, "5", answer.Header.Get("Retry-After"))
}

func TestWhatIsTakenAwayLeavesTheIndexToo(t *testing.T) {
	x := &index{}
	f := newFixture(t, func(o *Options) { o.Searcher = x })
	f.storm()
	require.Equal(t, 200, f.call("responder", "POST", "/api/v1/incidents/1/notes", `{"text":"call me: 555-1234"}`).StatusCode)
	var entry string
	for _, e := range get[Timeline](f, "viewer", "/api/v1/incidents/1/timeline").Entries {
		if e.Text == "call me: 555-1234" {
			entry = e.ID
		}
	}
	require.Equal(t, 204, f.call("admin", "POST", "/api/v1/admin/redact", `{"incident":"INC-1","entry":"`+entry+`","reason":"a number"}`).StatusCode)
	require.Equal(t, []string{"INC-1 " + entry}, x.forgot)
}
