package dashboards

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// Options of the console. Desk must be set.
type Options struct {
	Desk        *api.Desk
	RoutePrefix string // in front of every link; "" for none
	ExternalURL string // shown to those who send the first alert; "" shows the address they use
	Version     string
	Logger      *slog.Logger
}

// Console renders the pages.
type Console struct {
	Options
	list, incident, oops *template.Template
	visible              *strings.Replacer
	now                  func() time.Time
}

// New returns the console. It fails when the templates do not parse, which a build's tests find out.
func New(o Options) (*Console, error) {
	o.RoutePrefix = strings.TrimRight(o.RoutePrefix, "/")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Console{Options: o, visible: visible(), now: time.Now}
	for page, t := range map[string]**template.Template{"list": &c.list, "incident": &c.incident, "oops": &c.oops} {
		var err error
		if *t, err = template.New("layout.html").Funcs(c.funcs()).ParseFS(templates, "templates/layout.html", "templates/"+page+".html"); err != nil {
			return nil, fmt.Errorf("dashboards: %w", err)
		}
	}
	return c, nil
}

// Mounts returns the pages for api.Options.
func (c *Console) Mounts() []api.Mount {
	return []api.Mount{
		{Pattern: "GET /{$}", Handler: http.HandlerFunc(c.serveList)},
		{Pattern: "GET /incidents/{id}", Handler: http.HandlerFunc(c.serveIncident)},
		{Pattern: "GET /static/{file}", Handler: http.HandlerFunc(serveStatic)},
	}
}

// page is what the layout needs on every page.
type page struct {
	Heading   string
	Prefix    string
	Version   string
	Head      string // the state the page shows includes this change
	Kinds     string // of changes that make the page old
	Back      string // after a start: how long it was away
	Principal auth.Principal
	Asked     string // tenant that the reader asked for in the query, "" for none; every link and request of the page asks for it too
	Now       time.Time
}

func (c *Console) page(r *http.Request, title string) page {
	return page{
		Heading: title, Prefix: c.RoutePrefix, Version: c.Version, Head: c.Desk.Head(), Kinds: liveKinds(), Back: c.Desk.Back(),
		Principal: auth.FromContext(r.Context()), Asked: r.URL.Query().Get("tenant"), Now: c.now(),
	}
}

// First is what follows a link that has no query, More what follows one that has.
func (p page) First() template.URL { return p.query("?") }

// More is First behind another parameter.
func (p page) More() template.URL { return p.query("&") }

func (p page) query(mark string) template.URL {
	if p.Asked == "" {
		return ""
	}
	return template.URL(mark + "tenant=" + url.QueryEscape(p.Asked)) // escaped
}

// CanAct tells whether the reader may do more than read.
func (p page) CanAct() bool { return p.Principal.Role >= auth.Responder }

// render writes a page, or an error page when it cannot be made.
func (c *Console) render(w http.ResponseWriter, status int, t *template.Template, data any) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		c.Logger.Error("page cannot be rendered", "error", err)
		http.Error(w, "this page cannot be shown; the log tells why", http.StatusInternalServerError)
		return
	}
	headers(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = c.visible.WriteString(w, b.String()) // the client is gone when this fails
}

// visible shows the characters that turn the direction of text around: a label that holds one would reverse what follows it.
func visible() *strings.Replacer {
	var pairs []string
	for _, r := range "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" {
		pairs = append(pairs, string(r), "\ufffd")
	}
	return strings.NewReplacer(pairs...)
}

// fail shows a problem to a person.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := &auth.Problem{Status: http.StatusInternalServerError, Detail: err.Error()}
	errors.As(err, &p)
	c.render(w, p.Status, c.oops, struct {
		page
		Problem *auth.Problem
	}{c.page(r, http.StatusText(p.Status)), p})
}

// headers are what every page is served with: nothing but our own files runs or loads, and nobody frames us.
func headers(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
}

func serveStatic(w http.ResponseWriter, r *http.Request) {
	headers(w.Header())
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, static, "static/"+r.PathValue("file"))
}
