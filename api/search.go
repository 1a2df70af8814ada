package api

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/search"
)

// ErrNoSearch says that the index cannot be asked, or not yet.
var ErrNoSearch = errors.New("api: the search index is not open")

// Searcher finds incidents by the words in them.
type Searcher interface {
	Search(ctx context.Context, q search.Query) (*search.Result, error) // *search.QueryError, ErrNoSearch
	Forget(incident event.IncidentID, at engine.Cursor)                 // the text of an entry was taken away; the zero Cursor: that of a field
}

// SearchQuery is what to look for.
type SearchQuery struct {
	Q        string   `query:"q" maxLength:"1000" doc:"words, \"phrases\", prefix*, -without, field:value; without it: every incident that the rest lets pass, the newest first" example:"disk full team:dba -vendor"`
	Limit    int      `query:"limit" default:"20" minimum:"1" maximum:"200"`
	Status   []string `query:"status" enum:"open,resolved,closed,cancelled,merged,acknowledged,snoozed,held"`
	Severity []string `query:"severity" enum:"critical,major,minor,warning,info"`
	Team     []string `query:"team"`
	Since    string   `query:"since" doc:"changed at this time or later: RFC 3339, or a span before now such as 8h"`
}

// SearchResult is what was found, the best first.
type SearchResult struct {
	Total  int          `json:"total" doc:"incidents found"`
	Hits   []SearchHit  `json:"hits"`
	Behind SearchBehind `json:"behind" doc:"how far the index lags"`
}

// SearchHit is one incident.
type SearchHit struct {
	Incident  string        `json:"incident" example:"INC-42"`
	Tenant    string        `json:"tenant"`
	Title     string        `json:"title"`
	Status    string        `json:"status"`
	UpdatedAt time.Time     `json:"updated_at"`
	Score     float64       `json:"score" doc:"the higher the better; of this query alone"`
	Matches   []SearchMatch `json:"matches" doc:"texts that say why, the best first, at most three"`
}

// SearchMatch is a text in which words of the query stand.
type SearchMatch struct {
	Field  string     `json:"field" example:"note"`
	Label  string     `json:"label,omitempty" doc:"of a label: its name"`
	Text   string     `json:"text" doc:"as it was written: escape it"`
	Marks  [][2]int   `json:"marks" doc:"where the words stand in text: from, to, in characters (Unicode code points)"`
	Before bool       `json:"before" doc:"there is more text before it"`
	After  bool       `json:"after" doc:"there is more text behind it"`
	At     *time.Time `json:"at" doc:"when it was written; null for a title or a label"`
	By     string     `json:"by,omitempty"`
	Entry  string     `json:"entry,omitempty" doc:"id of the timeline's entry"`
}

// SearchBehind is how far the index lags.
type SearchBehind struct {
	Entries  uint64  `json:"entries" doc:"changes that it has not read"`
	Seconds  float64 `json:"seconds"`
	Building bool    `json:"building" doc:"it is being filled: more will be found later"`
}

// search answers a query in ctx's tenant.
func (s *server) search(ctx context.Context, q *SearchQuery) (*SearchResult, error) {
	since, err := parseSince(q.Since, s.desk.now())
	if err != nil {
		return nil, err
	}
	find := search.Query{
		Tenant: auth.FromContext(ctx).Tenant, Text: q.Q, Limit: q.Limit,
		Filters: search.Filters{Status: q.Status, Severity: q.Severity, Teams: q.Team},
	}
	if since != 0 {
		find.Filters.Since = since.Time()
	}
	found, err := s.Searcher.Search(ctx, find)
	if bad, ok := errors.AsType[*search.QueryError](err); ok {
		return nil, &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: bad.Error(), Hint: bad.Hint}
	}
	if errors.Is(err, ErrNoSearch) {
		return nil, &auth.Problem{
			Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the search index is not open", Hint: "just after a start it is read; otherwise the log says why", RetryAfter: 5 * time.Second,
		}
	}
	if err != nil {
		return nil, failure(err)
	}
	out := &SearchResult{
		Total: found.Total, Hits: []SearchHit{},
		Behind: SearchBehind{Entries: found.Behind.Entries, Seconds: found.Behind.Lag.Seconds(), Building: found.Behind.Building},
	}
	for i := range found.Hits {
		out.Hits = append(out.Hits, s.searchHit(&found.Hits[i]))
	}
	return out, nil
}

func (s *server) searchHit(h *search.Hit) SearchHit {
	out := SearchHit{
		Incident: h.Incident.String(), Tenant: h.Tenant, Title: h.Title, Status: h.Status, UpdatedAt: h.Updated.Time(), Score: h.Score,
		Matches: []SearchMatch{},
	}
	for _, m := range append([]search.Match{h.Match}, h.Others...) {
		if m.Field == "" {
			continue
		}
		text := m.Snippet.Text
		match := SearchMatch{
			Field: m.Field, Label: m.Label, Text: text, Marks: [][2]int{}, Before: m.Snippet.Before, After: m.Snippet.After,
			At: stamp(m.At), By: s.desk.name(m.By),
		}
		for _, mark := range m.Snippet.Marks {
			from := utf8.RuneCountInString(text[:mark[0]])
			match.Marks = append(match.Marks, [2]int{from, from + utf8.RuneCountInString(text[mark[0]:mark[1]])})
		}
		if m.Seq != 0 {
			match.Entry = engine.Cursor{Seq: m.Seq, N: m.N}.String()
		}
		out.Matches = append(out.Matches, match)
	}
	return out
}
