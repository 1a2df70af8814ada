package message

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"time"

	amtemplate "github.com/prometheus/alertmanager/template"

	"github.com/tocsin-noc/tocsin/event"
)

//go:embed default.tmpl default.html
var defaults embed.FS

// Bounds of what a template may write. What is longer is no page for 03:00.
const (
	maxTitle = 300
	maxText  = 16 << 10
	maxHTML  = 64 << 10
)

// Override is a receiver's own wording: template texts, each empty for the templates' own.
type Override struct{ Title, Text string }

// Templates make messages of data. The zero value is not usable; see New.
type Templates struct {
	text *template.Template
	html *htmltemplate.Template
	own  map[string]*template.Template // of receivers, by "receiver title" and "receiver text"
	link string                        // "" where nobody said how people reach the daemon: a link that leads nowhere is worse than none

	instance string // see In
}

// Source is one file of templates, which override the shipped ones ("title", "text") by name.
type Source struct{ Name, Text string }

// New parses the shipped templates, then files over them, then the receivers' own. externalURL stands in front of links; without
// it messages have none. Every error is told.
func New(externalURL string, files []Source, receivers map[string]Override) (*Templates, error) {
	t := &Templates{own: map[string]*template.Template{}, link: strings.TrimRight(externalURL, "/")}
	t.text = template.Must(template.New("").Option("missingkey=zero").Funcs(funcs()).ParseFS(defaults, "default.tmpl"))
	t.html = htmltemplate.Must(htmltemplate.New("").Funcs(htmltemplate.FuncMap(funcs())).ParseFS(defaults, "default.html"))
	var errs []error
	for _, f := range files {
		if _, err := t.text.New(f.Name).Parse(f.Text); err != nil {
			errs = append(errs, fmt.Errorf("message: %w", err))
		}
	}
	for name, o := range receivers {
		for part, text := range map[string]string{"title": o.Title, "text": o.Text} {
			if text == "" {
				continue
			}
			clone, err := t.text.Clone()
			if err == nil {
				_, err = clone.New("receiver " + name + " " + part).Parse(text)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("message: receiver %s: %s: %w", name, part, err))
				continue
			}
			t.own[name+" "+part] = clone.Lookup("receiver " + name + " " + part)
		}
	}
	return t, errors.Join(errs...)
}

// In returns the templates of a data folder: its instance stands in front of keys, so that those of two daemons, or of one before
// and after its folder was made anew, never meet.
func (t *Templates) In(instance string) *Templates {
	out := *t
	out.instance = instance
	return &out
}

func funcs() template.FuncMap {
	f := template.FuncMap(amtemplate.DefaultFuncs)
	out := template.FuncMap{}
	maps.Copy(out, f)
	out["ago"] = func(from, to time.Time) string { return span(to.Sub(from)) }
	out["clock"] = func(t time.Time) string { return t.UTC().Format("15:04 MST") }
	out["between"] = between
	out["plural"] = plural
	out["line"] = line
	out["words"] = func(e Event) string { return strings.ReplaceAll(string(e), "_", " ") }
	out["summary"] = func(a Alert) string {
		for _, name := range []string{"summary", "description", "message"} {
			if v := a.Annotations[name]; v != "" {
				return oneLine(clean(v))
			}
		}
		return ""
	}
	out["capital"] = func(s string) string {
		if s == "" {
			return s
		}
		return strings.ToUpper(s[:1]) + s[1:]
	}
	out["first"] = func(n int, list []Alert) []Alert { return list[:min(n, len(list))] }
	return out
}

// between writes a span of time, with seconds where it begins and ends in one minute.
func between(from, to time.Time) string {
	layout := "15:04"
	if from.Truncate(time.Minute).Equal(to.Truncate(time.Minute)) {
		layout = "15:04:05"
	}
	return "from " + from.UTC().Format(layout) + " to " + to.UTC().Format(layout+" MST")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// Render makes the message of d. It never fails: where a template does, the message has plain words and TemplateError says why.
func (t *Templates) Render(d Data) Message {
	t.complete(&d)
	m := Message{Key: d.Key, Event: d.Event, At: d.At, Data: d, Subject: subject(&d), Resolved: isOver(&d)}
	m.Thread = t.mark(m.Subject)
	switch {
	case d.Incident != nil:
		m.Priority, m.Severity, m.Link = d.Incident.Priority, d.Incident.Severity, d.Incident.Link
	case d.Storm != nil:
		m.Priority, m.Severity, m.Link = d.Storm.Worst, "critical", d.Storm.Link
	case d.Mute != nil:
		m.Priority, m.Severity, m.Link = 4, "warning", d.Mute.Link
	case d.Outage != nil:
		m.Priority, m.Severity, m.Link = 4, "warning", d.Outage.Link
	default:
		m.Priority, m.Severity = 4, "warning"
	}
	var errs []error
	part := func(name string, most int, plain func(*Data) string) string {
		text, err := t.part(name, &d, most)
		if err != nil {
			errs = append(errs, err)
			text = plain(&d)
		}
		return clean(text)
	}
	m.Title = oneLine(part("title", maxTitle, plainTitle))
	m.Text = strings.TrimSpace(part("text", maxText, plainText))
	var html limited
	html.left = maxHTML
	if err := t.html.ExecuteTemplate(&html, "html", struct {
		Message
		Paragraphs []string
	}{m, strings.Split(m.Text, "\n")}); err != nil {
		errs = append(errs, err)
	} else {
		m.HTML = html.String()
	}
	if err := errors.Join(errs...); err != nil {
		m.TemplateError = clean(err.Error())
	}
	return m
}

// isOver tells whether a message closes what receivers have open on its subject. What is told of an incident that is over must not
// open it there again.
func isOver(d *Data) bool {
	switch d.Event {
	case Resolved, StormEnded, Cancelled, Merged, OutageEnded:
		return true
	case MajorEnded, Update, Task, Answered:
		return d.Incident != nil && d.Incident.Status != "" && d.Incident.Status != "open"
	default:
		return false
	}
}

// part executes a receiver's own template, or the common one of that name.
func (t *Templates) part(name string, d *Data, most int) (string, error) {
	tmpl := t.own[d.Receiver+" "+name]
	if tmpl == nil {
		if tmpl = t.text.Lookup(name); tmpl == nil {
			return "", fmt.Errorf("message: there is no template %q", name)
		}
	}
	out := limited{left: most}
	err := tmpl.Execute(&out, d)
	if err == nil && strings.TrimSpace(out.String()) == "" {
		err = fmt.Errorf("message: template %q says nothing", tmpl.Name())
	}
	return out.String(), err
}

// limited refuses what exceeds its bound, so that a template that loops ends.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= len(b); l.left < 0 {
		return 0, errors.New("message: the template writes too much")
	}
	return l.Buffer.Write(b)
}

// mark puts the instance in front of what must be nobody else's.
func (t *Templates) mark(key string) string {
	if t.instance == "" {
		return key
	}
	return t.instance + "/" + key
}

// complete adds what is the same for all messages: version, instance, links. What names somebody or something becomes one line,
// whoever wrote it. What was handed in stays as it was.
func (t *Templates) complete(d *Data) {
	d.Version, d.ExternalURL, d.Instance, d.Key = DataVersion, t.link, t.instance, t.mark(d.Key)
	d.Reason = line(d.Reason)
	t.completeSubject(d)
	d.Digest = slices.Clone(d.Digest)
	for n := range d.Digest {
		it := &d.Digest[n]
		it.Version, it.ExternalURL, it.Instance, it.Receiver, it.Team = d.Version, d.ExternalURL, d.Instance, d.Receiver, d.Team
		if it.Incident != nil {
			it.Key = d.Key + "/" + it.Incident.ID
		}
		t.completeSubject(it)
	}
}

func (t *Templates) completeSubject(d *Data) {
	if d.Incident != nil {
		i := *d.Incident
		i.Link = t.to(d.Tenant, "/incidents/"+i.ID)
		for _, text := range []*string{&i.Title, &i.Team, &i.Assignee, &i.AcknowledgedBy, &i.ResolvedBy} {
			*text = line(*text)
		}
		i.Alerts = slices.Clone(i.Alerts)
		for n := range i.Alerts {
			i.Alerts[n].GeneratorURL = SafeURL(i.Alerts[n].GeneratorURL)
		}
		d.Incident = &i
	}
	if d.Storm != nil {
		s := *d.Storm
		s.Link = t.to(d.Tenant, "/")
		s.Open = slices.Clone(s.Open)
		for n := range s.Open {
			s.Open[n].Title, s.Open[n].Link = line(s.Open[n].Title), t.to(d.Tenant, "/incidents/"+s.Open[n].ID)
		}
		d.Storm = &s
	}
	if d.Outage != nil {
		o := *d.Outage
		o.Service, o.Cause = line(o.Service), line(o.Cause)
		o.Link = t.to(d.Tenant, fmt.Sprintf("/api/v1/outages/%d", o.Number))
		d.Outage = &o
	}
	if d.Mute != nil {
		m := *d.Mute
		m.Name, m.Comment, m.CreatedBy = line(m.Name), line(m.Comment), line(m.CreatedBy)
		m.Link = t.to(d.Tenant, "/api/v1/"+m.Kind+"s/"+m.ID)
		d.Mute = &m
	}
}

// to returns a link to a page, "" where nobody said what stands in front of it. A tenant of its own is asked for in the link.
func (t *Templates) to(tenant, page string) string {
	if t.link == "" {
		return ""
	}
	if tenant != "" && tenant != event.DefaultTenant {
		page += "?tenant=" + url.QueryEscape(tenant)
	}
	return t.link + page
}

// SafeURL returns an address that may stand behind a link, "" for any other.
func SafeURL(text string) string {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return text
	}
	return ""
}

func subject(d *Data) string {
	switch {
	case d.Incident != nil:
		return d.Tenant + "/" + d.Incident.ID
	case d.Storm != nil:
		return fmt.Sprintf("%s/STORM-%d", d.Tenant, d.Storm.Number)
	case d.Outage != nil:
		return fmt.Sprintf("%s/OUT-%d", d.Tenant, d.Outage.Number)
	case d.Mute != nil:
		return d.Tenant + "/" + d.Mute.Kind + "-" + d.Mute.ID
	}
	return d.Tenant + "/" + string(d.Event) + "-" + d.Key
}

// clean takes out what could act on a terminal or turn the direction of text around.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return -1
		case r == 0x061c || r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		case r == '\u2028' || r == '\u2029':
			return '\n'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// oneLine joins lines and bounds the length, at a rune's boundary.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxTitle {
		return s
	}
	return strings.ToValidUTF8(s[:maxTitle-3], "") + "…"
}

// line makes one line of what somebody wrote.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// The plain words do without templates: they are what is left when one fails.

func plainTitle(d *Data) string {
	switch {
	case d.Incident != nil:
		return fmt.Sprintf("P%d %s: %s (%s)", d.Incident.Priority, strings.ReplaceAll(string(d.Event), "_", " "), d.Incident.Title, d.Incident.ID)
	case d.Storm != nil:
		return fmt.Sprintf("%s: %s (STORM-%d)", strings.ReplaceAll(string(d.Event), "_", " "), plural(d.Storm.Openings, "incident", "incidents"), d.Storm.Number)
	}
	return "Tocsin: " + strings.ReplaceAll(string(d.Event), "_", " ")
}

func plainText(d *Data) string {
	text := plainTitle(d)
	if d.Reason != "" {
		text += "\n" + d.Reason
	}
	if d.Incident != nil {
		text += "\n" + plural(d.Incident.Firing, "alert", "alerts") + " firing\n" + d.Incident.Link
	}
	return strings.TrimSpace(text)
}
