package message

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"maps"
	"net/url"
	"strings"
	"text/template"
	"time"

	amtemplate "github.com/prometheus/alertmanager/template"
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
	link string
}

// Source is one file of templates, which override the shipped ones ("title", "text") by name.
type Source struct{ Name, Text string }

// New parses the shipped templates, then files over them, then the receivers' own. externalURL stands in front of links; it
// may be empty. Every error is told.
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

func funcs() template.FuncMap {
	f := template.FuncMap(amtemplate.DefaultFuncs)
	out := template.FuncMap{}
	maps.Copy(out, f)
	out["ago"] = func(from, to time.Time) string { return span(to.Sub(from)) }
	out["clock"] = func(t time.Time) string { return t.UTC().Format("15:04 MST") }
	out["plural"] = func(n int, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %s", n, many)
	}
	out["summary"] = func(a Alert) string {
		for _, name := range []string{"summary", "description", "message"} {
			if v := a.Annotations[name]; v != "" {
				return oneLine(v)
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
	d.Version, d.ExternalURL = DataVersion, t.link
	t.addLinks(&d)
	m := Message{Key: d.Key, Event: d.Event, At: d.At, Data: d, Subject: subject(&d), Resolved: d.Event == Resolved || d.Event == StormEnded}
	switch {
	case d.Incident != nil:
		m.Priority, m.Severity, m.Link = d.Incident.Priority, d.Incident.Severity, d.Incident.Link
	case d.Storm != nil:
		m.Priority, m.Severity, m.Link = d.Storm.Worst, "critical", d.Storm.Link
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

func (t *Templates) addLinks(d *Data) {
	if d.Incident != nil {
		i := *d.Incident
		i.Link = t.link + "/incidents/" + i.ID
		i.Alerts = append([]Alert(nil), i.Alerts...)
		for n := range i.Alerts {
			i.Alerts[n].GeneratorURL = SafeURL(i.Alerts[n].GeneratorURL)
		}
		d.Incident = &i
	}
	if d.Storm != nil {
		s := *d.Storm
		s.Link = t.link + "/"
		s.Open = append([]IncidentLine(nil), s.Open...)
		for n := range s.Open {
			s.Open[n].Link = t.link + "/incidents/" + s.Open[n].ID
		}
		d.Storm = &s
	}
	for n := range d.Digest {
		t.addLinks(&d.Digest[n])
	}
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

// The plain words do without templates: they are what is left when one fails.

func plainTitle(d *Data) string {
	switch {
	case d.Incident != nil:
		return fmt.Sprintf("P%d %s: %s (%s)", d.Incident.Priority, strings.ReplaceAll(string(d.Event), "_", " "), d.Incident.Title, d.Incident.ID)
	case d.Storm != nil:
		return fmt.Sprintf("%s: %d incidents (STORM-%d)", strings.ReplaceAll(string(d.Event), "_", " "), d.Storm.Openings, d.Storm.Number)
	}
	return "Tocsin: " + strings.ReplaceAll(string(d.Event), "_", " ")
}

func plainText(d *Data) string {
	text := plainTitle(d)
	if d.Reason != "" {
		text += "\n" + d.Reason
	}
	if d.Incident != nil {
		text += fmt.Sprintf("\n%d alerts firing\n%s", d.Incident.Firing, d.Incident.Link)
	}
	return text
}
