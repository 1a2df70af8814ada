package receivers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/notify/message"
)

// notifier is Alertmanager's.
type notifier interface {
	Notify(ctx context.Context, alerts ...*amalert.Alert) (bool, error)
}

// peer is one of Alertmanager's notifiers as a receiver.
type peer struct {
	name, kind string
	timeout    time.Duration
	notifier   notifier
}

func (r *peer) Name() string { return r.name }

// Send hands the message over as one alert whose annotations hold what was rendered.
func (r *peer) Send(ctx context.Context, m message.Message, to []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	ctx = notify.WithGroupKey(ctx, m.Group())
	ctx = notify.WithReceiverName(ctx, r.name)
	ctx = notify.WithGroupLabels(ctx, model.LabelSet{"subject": model.LabelValue(m.Subject)})
	ctx = notify.WithNow(ctx, m.At)
	ctx = notify.WithRepeatInterval(ctx, time.Hour)
	ctx = notify.WithNotificationReason(ctx, notify.ReasonFirstNotification)
	type outcome struct {
		retry bool
		err   error
	}
	done := make(chan outcome, 1)
	go func() { // a mail server that falls silent in mid-conversation would hold a notifier for ever
		defer func() {
			if p := recover(); p != nil { // an answer that the notifier did not expect must not end the daemon
				done <- outcome{true, fmt.Errorf("receivers: %s: the notifier failed: %v", r.name, p)}
			}
		}()
		retry, err := r.notifier.Notify(ctx, alert(&m, r.kind, to))
		done <- outcome{retry, err}
	}()
	select {
	case o := <-done:
		return o.retry && o.err != nil, o.err
	case <-ctx.Done():
		return true, fmt.Errorf("receivers: %s: no answer within %s: %w", r.name, r.timeout, ctx.Err())
	}
}

// alert is what a notifier's configuration picks its texts from.
func alert(m *message.Message, kind string, to []string) *amalert.Alert {
	text := m.Text
	title := m.Title
	if escape := escapes()[kind]; escape != nil {
		title, text = escape(title), escape(text)
	}
	out := &amalert.Alert{UpdatedAt: m.At}
	out.Labels = model.LabelSet{"alertname": model.LabelValue(title), "subject": model.LabelValue(m.Subject)}
	out.Annotations = model.LabelSet{}
	for name, value := range map[string]string{
		"title": title, "text": text, "html": m.HTML, "link": m.Link, "key": m.Key, "subject": m.Subject, "event": string(m.Event),
		"priority": fmt.Sprintf("P%d", m.Priority), "severity": pagerSeverity(m), "to": strings.Join(to, ", "), "thread": messageID(m.Group()),
		"message_id": messageID(m.Key),
	} {
		out.Annotations[model.LabelName(name)] = model.LabelValue(value)
	}
	out.StartsAt = m.At
	if m.Data.Incident != nil {
		out.StartsAt = m.Data.Incident.OpenedAt
	}
	if m.Resolved {
		out.EndsAt = m.At
	}
	out.GeneratorURL = m.Link
	return out
}

// pagerSeverity is the severity in the words that pagers know.
func pagerSeverity(m *message.Message) string {
	switch m.Priority {
	case 1, 2:
		return "critical"
	case 3:
		return "error"
	case 4:
		return "warning"
	}
	return "info"
}

// messageID makes a mail's id of a key: the same for every attempt.
func messageID(key string) string {
	return "<" + regexp.MustCompile(`[^A-Za-z0-9.-]+`).ReplaceAllString(key, ".") + "@tocsin>"
}

// escapes are what keeps alert text from acting in chats. Formats that are escaped by their notifier are not in it.
func escapes() map[string]func(string) string {
	breakMentions := func(s string) string { return strings.ReplaceAll(s, "@", "@\u200b") }
	angle := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	markdown := strings.NewReplacer("](", "]\u200b(", "<", "‹", ">", "›", "`", "'")
	chat := func(s string) string { return breakMentions(markdown.Replace(s)) }
	return map[string]func(string) string{
		"slack":   func(s string) string { return breakMentions(angle.Replace(s)) },
		"discord": chat, "mattermost": chat, "msteamsv2": chat, "rocketchat": chat, "webex": chat,
	}
}

// amTemplate is what notifiers execute their configuration with; our texts come as data.
func amTemplate() (*template.Template, error) {
	t, err := template.FromGlobs(nil)
	if err != nil {
		return nil, fmt.Errorf("receivers: %w", err)
	}
	t.ExternalURL = &url.URL{Scheme: "http", Host: "localhost"}
	return t, nil
}

// decode reads Alertmanager's fields for a kind; an unknown field is an error. What the user did not set stays the kind's
// default, which set may replace.
func decode(node *yaml.Node, into any) error {
	if node == nil {
		node = &yaml.Node{Kind: yaml.MappingNode}
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return errors.New(strings.TrimSpace(regexp.MustCompile(`(yaml: unmarshal errors:\n\s*)?line \d+: | in type \S+`).ReplaceAllString(err.Error(), "")))
	}
	return nil
}

// has tells whether the configuration sets a field.
func has(node *yaml.Node, field string) bool {
	if node == nil {
		return false
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == field {
			return true
		}
	}
	return false
}

// prefer puts our wording where the user set none.
func prefer(node *yaml.Node, field string, dst *string, value string) {
	if !has(node, field) {
		*dst = value
	}
}

// httpConfig returns the HTTP settings with what outbound safety asks for, and the option that dials through the policy.
func httpConfig(c *commoncfg.HTTPClientConfig, o Options) (*commoncfg.HTTPClientConfig, []commoncfg.HTTPClientOption, error) {
	if c == nil {
		fresh := commoncfg.DefaultHTTPClientConfig
		c = &fresh
	}
	if c.ProxyURL.URL != nil || c.ProxyFromEnvironment {
		return nil, nil, errors.New("http_config: a proxy would hide where the message goes; reach the receiver directly")
	}
	c.FollowRedirects = false
	return c, []commoncfg.HTTPClientOption{commoncfg.WithDialContextFunc(o.Outbound.DialContext), commoncfg.WithUserAgent("Tocsin/" + o.Version)}, nil
}

// paths makes the files that a configuration names start from its directory.
func paths(dir string, files ...*string) {
	for _, f := range files {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
}
