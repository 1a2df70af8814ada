package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/imports"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// IncidentImports takes incidents of other systems into the history: *imports.Importer.
type IncidentImports interface {
	Run(ctx context.Context, in imports.Input) (*imports.Summary, error)
}

// IncidentImportQuery is how an import is asked for.
type IncidentImportQuery struct {
	Map    string   `query:"map" maxLength:"64" doc:"a map that comes with Tocsin: servicenow, servicenow-log, service-manager, service-manager-log; without it the first part of the body is the map"`
	Name   string   `query:"name" maxLength:"64" doc:"of the import, beside which reports and lists show its incidents; the same name again changes what it brought (default the file's)"`
	Tenant string   `query:"tenant_of" maxLength:"200" doc:"whose the incidents are where the map does not say (default main)"`
	Zone   string   `query:"zone" maxLength:"64" doc:"time zone of times without an offset, in place of the map's"`
	Dates  []string `query:"dates,explode" doc:"formats of times, in place of the map's" example:"dd/MM/yyyy HH:mm"`
	DryRun bool     `query:"dry_run" doc:"only say what would change"`
	Follow bool     `query:"follow" doc:"answer while it is read, as one JSON object per line: progress, rejects, and done or failed as the last"`
}

// IncidentImportLine is a line of an answer that follows an import.
type IncidentImportLine struct {
	Progress *imports.Progress `json:"progress,omitempty"`
	Reject   *imports.Reject   `json:"reject,omitempty"`
	Done     *imports.Summary  `json:"done,omitempty"`
	Failed   *auth.Problem     `json:"failed,omitempty" doc:"why it came to no end; with done: what was read before was taken"`
}

const (
	historyImportPath = root + "/history/import/incidents"
	maxMap            = 1 << 20
	defaultMaxHistory = 4 << 30     // bytes of an export, where the options say nothing
	historyRead       = time.Minute // without a byte, and the sender is gone
	progressWithin    = 200 * time.Millisecond
)

// importRoutes adds the import of incidents.
func (s *server) importRoutes(sp *spec) {
	if s.Imports == nil {
		return
	}
	op := sp.operation(route{method: "POST", path: "/history/import/incidents", role: auth.Admin, tag: "admin", summary: "Import incidents of another system into the history"})
	op.Description += " The body is the export itself, with `map` naming a map that comes with Tocsin; or multipart/mixed whose first part is the map and " +
		"whose second is the export. It is read as it comes, however long it is. Rows with mistakes are left out and listed."
	op.Responses = map[string]*huma.Response{
		"200": {Description: "Done; with follow: application/x-ndjson", Content: map[string]*huma.MediaType{
			"application/json": {Schema: sp.schema(reflect.TypeFor[imports.Summary]())}, "application/x-ndjson": {Schema: sp.schema(reflect.TypeFor[IncidentImportLine]())},
		}},
		"default": sp.problem(),
	}
	huma.Register(sp.api, op, ofHouse(func(_ context.Context, in *IncidentImportQuery) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			s.importIncidents(w, r, in)
		}}, nil
	}))
}

// importIncidents reads an export and answers. What has been sent is taken even when the sender leaves: the next import of the same name goes
// on from there.
func (s *server) importIncidents(w http.ResponseWriter, r *http.Request, q *IncidentImportQuery) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context())) // the deadline of other answers is not for this one
	defer cancel()
	defer context.AfterFunc(closingContext(r.Context(), ctx), cancel)()
	a := &importAnswer{w: w, r: r, rc: http.NewResponseController(w), follow: q.Follow}
	_ = a.rc.EnableFullDuplex() // not every writer can, and then progress comes late
	in, err := s.importInput(w, r, a.rc, q)
	if err != nil {
		a.fail(err, nil)
		return
	}
	if a.follow {
		in.Progress, in.Rejected = a.progress, a.reject
	}
	out, err := s.Imports.Run(ctx, *in)
	if err != nil {
		a.fail(importProblem(err), out)
		return
	}
	a.done(out)
}

// importInput takes a request apart, as far as the export, which is read later.
func (s *server) importInput(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, q *IncidentImportQuery) (*imports.Input, error) {
	body := http.MaxBytesReader(w, &slowBody{r.Body, rc}, cmp.Or(s.MaxImport, defaultMaxHistory))
	in := &imports.Input{Origin: q.Name, Tenant: cmp.Or(q.Tenant, event.DefaultTenant), DryRun: q.DryRun, Now: s.desk.now().Time(), Body: body}
	file, text, err := mapNamed(q.Map)
	if err != nil {
		return nil, err
	}
	name := ""
	if kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		if text == nil {
			if file, text, err = mapPart(parts); err != nil {
				return nil, err
			}
		}
		part, err := parts.NextPart()
		if err != nil {
			return nil, invalid("there is no part with the export: "+err.Error(), "the parts are the map, unless the query names one, and the export, in this order")
		}
		in.Body, name = part, part.FileName()
	}
	if text == nil {
		return nil, invalid("no map", "name one with map="+strings.Join(imports.ShippedNames(), ", map=")+", or send multipart/mixed with the map as its first part")
	}
	in.Origin = cmp.Or(in.Origin, originOf(name))
	if !imports.ValidOrigin(in.Origin) {
		return nil, invalid(fmt.Sprintf("name: %q cannot be the name of an import", in.Origin), imports.OriginRule)
	}
	if in.Map, err = imports.Parse(file, text, imports.Override{Zone: q.Zone, Dates: q.Dates}); err != nil {
		return nil, mapProblem(err)
	}
	return in, nil
}

// originOf names an import after its file.
func originOf(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	base, _, _ = strings.Cut(base, ".")
	base = strings.Map(func(c rune) rune {
		if c == '.' || c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return '-'
	}, base)
	return cmp.Or(strings.Trim(base[:min(len(base), 64)], "-._"), "import")
}

func mapNamed(name string) (file string, text []byte, err error) {
	if name == "" {
		return "", nil, nil
	}
	file, text, ok := imports.Shipped(name)
	if !ok {
		return "", nil, invalid(fmt.Sprintf("map: %q does not come with Tocsin", name), "there are "+strings.Join(imports.ShippedNames(), ", ")+"; send your own as the first part of multipart/mixed")
	}
	return file, text, nil
}

func mapPart(parts *multipart.Reader) (file string, text []byte, err error) {
	part, err := parts.NextPart()
	if err != nil {
		return "", nil, invalid("there is no part with the map: "+err.Error(), "the parts are the map and the export, in this order")
	}
	text, err = io.ReadAll(io.LimitReader(part, maxMap+1))
	switch {
	case err != nil:
		return "", nil, invalid("the map broke off: "+err.Error(), "")
	case len(text) > maxMap:
		return "", nil, invalid("the first part is larger than a map can be", "the parts are the map and the export, in this order")
	}
	return cmp.Or(part.FileName(), "map.yml"), text, nil
}

// mapProblem says what is wrong with a map, each with its place.
func mapProblem(err error) error {
	several, ok := errors.AsType[strict.Errors](err)
	if !ok {
		return err
	}
	p := &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "map_wrong", Detail: "the map is wrong", Hint: "docs/history-import.md says what a map may hold"}
	for _, one := range several {
		p.Errors = append(p.Errors, one.String())
	}
	return p
}

// importProblem turns an import's error into a problem.
func importProblem(err error) *auth.Problem {
	if bad, ok := errors.AsType[*imports.FileError](err); ok {
		return &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "file_wrong", Detail: bad.Error()}
	}
	if errors.Is(err, imports.ErrBusy) {
		return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "busy", Detail: "another import is under way", Hint: "wait until it is over", RetryAfter: 10 * time.Second}
	}
	return historyFailure(err)
}

// historyFailure turns an error of the history into a problem.
func historyFailure(err error) *auth.Problem {
	switch {
	case errors.Is(err, history.ErrOff):
		return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "history_off", Detail: "the history is off", Hint: "`history.url` in the configuration turns it on"}
	case errors.Is(err, history.ErrDown):
		return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "history_down", Detail: "the history cannot be reached", Hint: "`tocsin history status` says why", RetryAfter: 10 * time.Second}
	case errors.Is(err, history.ErrSchema):
		return &auth.Problem{Status: http.StatusServiceUnavailable, Code: "history_newer", Detail: "the history was written by a newer version of Tocsin", Hint: "run that version"}
	}
	return failure(err)
}

// slowBody gives each piece of a long body its own time to arrive.
type slowBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

// Read waits for a piece.
func (b *slowBody) Read(p []byte) (int, error) {
	_ = b.rc.SetReadDeadline(time.Now().Add(historyRead)) // not every writer can
	return b.ReadCloser.Read(p)
}

// importAnswer writes the answer to an import. Its goroutine is the request's.
type importAnswer struct {
	w      http.ResponseWriter
	r      *http.Request
	rc     *http.ResponseController
	follow bool
	begun  bool
	shown  time.Time
}

func (a *importAnswer) progress(p imports.Progress) {
	if now := time.Now(); now.Sub(a.shown) >= progressWithin {
		a.shown = now
		a.line(IncidentImportLine{Progress: &p})
	}
}

func (a *importAnswer) reject(r imports.Reject) { a.line(IncidentImportLine{Reject: &r}) }

// line sends one line at once but for rejects, of which many may come.
func (a *importAnswer) line(l IncidentImportLine) {
	if !a.begun {
		a.begun = true
		a.w.Header().Set("Content-Type", "application/x-ndjson")
		a.w.Header().Set("X-Accel-Buffering", "no") // nginx would hold lines back
		a.w.WriteHeader(http.StatusOK)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return // it is made of texts and numbers
	}
	_ = a.rc.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer can
	_, _ = a.w.Write(append(text, '\n'))                   // the client is gone when this fails, and what it sent is taken all the same
	if l.Reject == nil {
		_ = a.rc.Flush()
	}
}

func (a *importAnswer) done(out *imports.Summary) {
	if a.follow {
		a.line(IncidentImportLine{Done: out})
		return
	}
	text, err := json.Marshal(out)
	if err != nil {
		failure(err).Write(a.w, a.r)
		return
	}
	a.w.Header().Set("Content-Type", "application/json")
	_ = a.rc.SetWriteDeadline(time.Now().Add(writeWithin))                    // not every writer can
	_, _ = io.Copy(a.w, bytes.NewReader(append(bytes.TrimSpace(text), '\n'))) // the client is gone when this fails
}

// fail ends an answer that has not begun with a problem, and one that has with a line.
func (a *importAnswer) fail(err error, out *imports.Summary) {
	p := failure(err)
	switch {
	case a.begun || a.follow && out != nil:
		a.line(IncidentImportLine{Failed: p, Done: out})
	default:
		_ = a.rc.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer can
		p.Write(a.w, a.r)
	}
}

// closingContext returns a context that ends when the server shuts down, or with ctx.
func closingContext(request, ctx context.Context) context.Context {
	done := closing(request)
	ending, end := context.WithCancel(ctx)
	go func() {
		defer end()
		select {
		case <-done:
		case <-ctx.Done():
		}
	}()
	return ending
}
