package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/history/reports/render"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
)

// Reports answers questions about longer times.
type Reports interface {
	List() []*reports.Report
	Find(name string) (*reports.Report, error)                                         // reports.ErrUnknown
	Run(ctx context.Context, name string, p reports.Params) (*reports.Result, error)   // reports.ErrUnknown, ErrWaits, *reports.Problem, history.ErrDown
	Items(ctx context.Context, name string, p reports.Params) (*reports.Result, error) // the same
	Pack(ctx context.Context, pack string, p reports.Params) (page []byte, err error)  // the same
}

// Pack makes the page of a pack of reports.
type Pack func(ctx context.Context, q history.Querier, c *reports.Catalogue, p reports.Params) ([]byte, error)

// NewReports returns the reports of this version, asked of q; of nil as of one that cannot be reached.
func NewReports(q history.Querier, packs map[string]Pack) (Reports, error) {
	c, err := reports.Open()
	if err != nil {
		return nil, err
	}
	if q == nil {
		q = nobody{}
	}
	return &catalogue{Catalogue: c, ask: q, packs: packs}, nil
}

// nobody is the history where there is none.
type nobody struct{}

// Query says so.
func (nobody) Query(context.Context, string, map[string]string) (*history.Table, error) {
	return nil, history.ErrDown
}

// errNoPack is reports.ErrUnknown of a pack.
var errNoPack = fmt.Errorf("%w or pack", reports.ErrUnknown)

type catalogue struct {
	*reports.Catalogue
	ask   history.Querier
	packs map[string]Pack
}

// Run asks a report.
func (c *catalogue) Run(ctx context.Context, name string, p reports.Params) (*reports.Result, error) {
	return c.Catalogue.Run(ctx, c.ask, name, p)
}

// Items asks for the list behind a report.
func (c *catalogue) Items(ctx context.Context, name string, p reports.Params) (*reports.Result, error) {
	return c.Catalogue.Items(ctx, c.ask, name, p)
}

// Pack makes the page of a pack.
func (c *catalogue) Pack(ctx context.Context, pack string, p reports.Params) ([]byte, error) {
	build, ok := c.packs[pack]
	if !ok {
		return nil, fmt.Errorf("%w: no pack is called %q (known: %s)", errNoPack, pack, strings.Join(slices.Sorted(maps.Keys(c.packs)), ", "))
	}
	return build(ctx, c.ask, c.Catalogue, p)
}

// ReportInfo is the definition of a report.
type ReportInfo struct {
	ID         string         `json:"id" example:"R8"`
	Name       string         `json:"name" example:"mtta"`
	Title      string         `json:"title"`
	Question   string         `json:"question" doc:"that it answers"`
	Waits      string         `json:"waits,omitempty" doc:"what it waits for; such a report cannot be run yet"`
	Anchor     string         `json:"anchor,omitempty" doc:"which clock puts a row into the period"`
	Population string         `json:"population,omitempty" doc:"who counts, who is left out"`
	Formula    string         `json:"formula"`
	Zone       string         `json:"zone,omitempty" doc:"what the zone is used for"`
	Columns    []ReportColumn `json:"columns,omitempty"`
	Items      []ReportColumn `json:"items,omitempty" doc:"columns of the list behind the numbers"`
	Packs      []string       `json:"packs,omitempty" doc:"packs that it is part of"`
}

// ReportColumn is one column of a result.
type ReportColumn struct {
	Name    string `json:"name"`
	Unit    string `json:"unit" enum:"bucket,text,count,number,ratio,seconds,time,flag"`
	Meaning string `json:"meaning"`
}

// ReportCatalogue is all reports.
type ReportCatalogue struct {
	Reports []ReportInfo `json:"reports"`
}

// ReportSQL is what a report asks the history.
type ReportSQL struct {
	SQL    string `json:"sql" doc:"of the report, with the engine's named parameters"`
	List   string `json:"list" doc:"of the list behind its numbers"`
	Script string `json:"script" doc:"both, with the parameters set in front, for any client of the engine"`
}

// ReportQuery is what a report is asked for.
type ReportQuery struct {
	From     string `query:"from" maxLength:"64" doc:"begin of the period: RFC 3339, a date, -30d, last month, this week, … in the zone; 30 days before to, if not given" example:"last month"`
	To       string `query:"to" maxLength:"64" doc:"end of the period, which does not belong to it; a date is the end of that day; now, or where last month and its like end, if not given"`
	Zone     string `query:"zone" maxLength:"64" default:"UTC" doc:"IANA time zone of days, weeks and hours" example:"Europe/Berlin"`
	Service  string `query:"service" maxLength:"256" doc:"only what is about this service"`
	Team     string `query:"team" maxLength:"256" doc:"only what is about this team"`
	Priority uint8  `query:"priority" minimum:"0" maximum:"5" doc:"only incidents of this priority; 0: all"`
	Bucket   string `query:"bucket" enum:"day,week,month" doc:"how the period is cut; by its length, if not given"`
	Mine     bool   `query:"mine" doc:"of reports about people: what is about who asks"`
}

// ReportFormat is how a result is written.
type ReportFormat struct {
	Format string `query:"format" enum:"json,csv,html" default:"json"`
}

// ReportName names a report.
type ReportName struct {
	Name string `path:"name" maxLength:"64" doc:"or its number, where one report has it" example:"mtta"`
}

// params are the parameters of a report in ctx's tenant.
func (q *ReportQuery) params(ctx context.Context, now time.Time) (reports.Params, error) {
	p := reports.Params{Zone: q.Zone, Service: q.Service, Team: q.Team, Priority: q.Priority, Bucket: q.Bucket}
	who := auth.FromContext(ctx)
	if p.Tenant = who.Tenant; p.Tenant == event.AllTenants {
		p.Tenant = ""
	}
	if q.Mine {
		p.Person = who.ID
	}
	loc, _, err := zoneinfo.Load(q.Zone)
	if err != nil {
		return p, &reports.Problem{Field: "zone", Rule: "must be a name of the IANA time zone database", Hint: fmt.Sprintf("as in Europe/Berlin; got %q", q.Zone)}
	}
	p.From, p.To, err = reports.ParsePeriod(q.From, q.To, now.In(loc))
	return p, err
}

// reportFailure turns an error of the reports into a problem.
func reportFailure(err error) *auth.Problem {
	if bad, ok := errors.AsType[*reports.Problem](err); ok {
		return invalid(bad.Field+": "+bad.Rule, bad.Hint)
	}
	switch {
	case errors.Is(err, reports.ErrUnknown):
		p := notFound("such report")
		p.Detail, p.Hint = strings.TrimPrefix(err.Error(), "reports: "), "`tocsin report list` and GET "+root+"/reports list them"
		return p
	case errors.Is(err, reports.ErrWaits):
		return &auth.Problem{Status: http.StatusConflict, Code: "waits", Detail: strings.TrimPrefix(err.Error(), "reports: "), Hint: "`tocsin report list` and GET " + root + "/reports tell what waits for what"}
	case errors.Is(err, history.ErrOff):
		return historyFailure(err)
	case errors.Is(err, history.ErrDown):
		return &auth.Problem{
			Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the history cannot be asked", RetryAfter: 10 * time.Second,
			Hint: "`tocsin history status` says why; `tocsin history install` fetches the embedded engine",
		}
	case errors.Is(err, context.DeadlineExceeded):
		return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "timeout", Detail: "the history did not answer in time", Hint: "ask for a shorter period, or larger buckets"}
	}
	return failure(err)
}

func reportInfo(r *reports.Report) ReportInfo {
	columns := func(list []reports.Column) (out []ReportColumn) {
		for _, c := range list {
			out = append(out, ReportColumn{c.Name, string(c.Unit), c.Meaning})
		}
		return out
	}
	return ReportInfo{
		ID: r.ID, Name: r.Name, Title: r.Title, Question: r.Question, Waits: r.Waits, Anchor: r.Anchor, Population: r.Population, Formula: r.Formula,
		Zone: r.Zone, Columns: columns(r.Columns), Items: columns(r.Items), Packs: r.Packs,
	}
}

func (s *server) reportRoutes(sp *spec) {
	if s.Reports == nil {
		return
	}
	show := func(path, summary string) route {
		return route{method: "GET", path: path, role: auth.Viewer, tag: "reports", summary: summary}
	}
	add(sp, show("/reports", "List the reports, those that wait for facts as well"), func(context.Context, *struct{}) (*ReportCatalogue, error) {
		out := &ReportCatalogue{}
		for _, r := range s.Reports.List() {
			out.Reports = append(out.Reports, reportInfo(r))
		}
		return out, nil
	})
	add(sp, show("/reports/{name}/sql", "Show what a report asks the history"), func(ctx context.Context, in *struct {
		ReportName
		ReportQuery
	}) (*ReportSQL, error) {
		return s.reportSQL(ctx, in.Name, &in.ReportQuery)
	})
	s.reportPages(sp, show("/reports/{name}", "Run a report"), s.Reports.Run)
	s.reportPages(sp, show("/reports/{name}/items", "List what is behind the numbers of a report"), s.Reports.Items)
	s.packRoute(sp, show("/report-packs/{pack}", "Make the page of a pack of reports"))
}

func (s *server) reportSQL(ctx context.Context, name string, q *ReportQuery) (*ReportSQL, error) {
	r, err := s.Reports.Find(name)
	if err == nil && r.Waits != "" {
		err = fmt.Errorf("%w: %s waits for %s", reports.ErrWaits, r.Name, r.Waits)
	}
	if err != nil {
		return nil, reportFailure(err)
	}
	p, err := q.params(ctx, s.desk.now().Time())
	if err != nil {
		return nil, reportFailure(err)
	}
	first, err := p.Script(r.SQL())
	if err != nil {
		return nil, reportFailure(err)
	}
	second, err := p.Script(r.ListSQL())
	if err != nil {
		return nil, reportFailure(err)
	}
	return &ReportSQL{SQL: r.SQL(), List: r.ListSQL(), Script: first + "\n" + second}, nil
}

// reportPages adds a route whose answer is a result in any format.
func (s *server) reportPages(sp *spec, r route, ask func(context.Context, string, reports.Params) (*reports.Result, error)) {
	op := sp.operation(r)
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses = map[string]*huma.Response{
		"200": {Description: "The result", Content: map[string]*huma.MediaType{
			"application/json": {Schema: sp.schema(reflect.TypeFor[render.Answer]())}, "text/csv": text, "text/html": text,
		}},
		"default": sp.problem(),
	}
	huma.Register(sp.api, op, func(ctx context.Context, in *struct {
		ReportName
		ReportQuery
		ReportFormat
	}) (*huma.StreamResponse, error) {
		p, err := in.params(ctx, s.desk.now().Time())
		if err != nil {
			return nil, reportFailure(err)
		}
		result, err := ask(ctx, in.Name, p)
		if err != nil {
			return nil, reportFailure(err)
		}
		var items *reports.Result
		if in.Format == "html" && !result.List {
			if items, err = s.Reports.Items(ctx, in.Name, p); err != nil {
				return nil, reportFailure(err)
			}
		}
		return written(in.Format, result, items)
	})
}

// written answers with a result in a format.
func written(format string, result, items *reports.Result) (*huma.StreamResponse, error) {
	var out bytes.Buffer
	kind, err := "", error(nil)
	switch format {
	case "csv":
		kind, err = "text/csv; charset=utf-8", render.CSV(&out, result)
	case "html":
		kind, err = "text/html; charset=utf-8", render.HTML(&out, result, items)
	default:
		kind, err = "application/json", render.JSON(&out, result)
	}
	if err != nil {
		return nil, failure(err)
	}
	return page(kind, out.Bytes()), nil
}

// page answers with text; a page may hold its own styles and pictures, and nothing else runs or is fetched.
func page(kind string, text []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", kind)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		_, _ = (&patient{w: w}).Write(text) // the client is gone when this fails
	}}
}

func (s *server) packRoute(sp *spec, r route) {
	op := sp.operation(r)
	op.Responses = map[string]*huma.Response{
		"200":     {Description: "A page", Content: map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}}},
		"default": sp.problem(),
	}
	huma.Register(sp.api, op, func(ctx context.Context, in *struct {
		Pack string `path:"pack" maxLength:"64" example:"monthly"`
		ReportQuery
	}) (*huma.StreamResponse, error) {
		p, err := in.params(ctx, s.desk.now().Time())
		if err != nil {
			return nil, reportFailure(err)
		}
		text, err := s.Reports.Pack(ctx, in.Pack, p)
		if err != nil {
			return nil, reportFailure(err)
		}
		return page("text/html; charset=utf-8", text), nil
	})
}
