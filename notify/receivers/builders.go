package receivers

import (
	"context"
	"errors"
	"maps"
	"net/url"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	amcommon "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/notify/discord"
	"github.com/prometheus/alertmanager/notify/email"
	"github.com/prometheus/alertmanager/notify/mattermost"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/opsgenie"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/notify/pushover"
	"github.com/prometheus/alertmanager/notify/rocketchat"
	"github.com/prometheus/alertmanager/notify/slack"
	"github.com/prometheus/alertmanager/notify/telegram"
	"github.com/prometheus/alertmanager/notify/victorops"
	"github.com/prometheus/alertmanager/notify/webex"
	"github.com/prometheus/alertmanager/template"
	commoncfg "github.com/prometheus/common/config"
)

// What notifiers pick from the alert that stands for a message.
const (
	aTitle    = `{{ .CommonAnnotations.title }}`
	aText     = `{{ .CommonAnnotations.text }}`
	aBoth     = aTitle + "\n" + aText
	aLink     = `{{ .CommonAnnotations.link }}`
	aPriority = `{{ .CommonAnnotations.priority }}`
	aSeverity = `{{ .CommonAnnotations.severity }}`
	aColour   = `{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}`
)

type builder func(s Spec, o Options, t *template.Template) (notifier, error)

func builders() map[string]builder {
	return map[string]builder{
		"discord": newDiscord, "email": newEmail, "mattermost": newMattermost, "msteamsv2": newTeams, "opsgenie": newOpsgenie,
		"pagerduty": newPagerduty, "pushover": newPushover, "rocketchat": newRocketchat, "slack": newSlack, "telegram": newTelegram,
		"victorops": newVictorops, "webex": newWebex,
	}
}

func newSlack(s Spec, o Options, t *template.Template) (notifier, error) {
	var c config.SlackConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	if c.APIURL == nil && c.APIURLFile == "" && c.AppToken == "" && c.AppTokenFile == "" {
		return nil, errors.New("needs api_url or api_url_file, or app_token_file")
	}
	paths(s.Dir, &c.APIURLFile, &c.AppTokenFile)
	prefer(s.Config, "title", &c.Title, aTitle)
	prefer(s.Config, "title_link", &c.TitleLink, aLink)
	prefer(s.Config, "text", &c.Text, aText)
	prefer(s.Config, "fallback", &c.Fallback, aTitle)
	prefer(s.Config, "color", &c.Color, aColour)
	prefer(s.Config, "username", &c.Username, "Tocsin")
	if !has(s.Config, "mrkdwn_in") {
		c.MrkdwnIn = []string{"none"} // alert text is no markup
	}
	if c.AppURL == nil {
		c.AppURL = mustURL("https://slack.com/api/chat.postMessage")
	}
	if c.APIURL == nil && c.APIURLFile == "" {
		c.APIURL = (*amcommon.SecretURL)(c.AppURL)
	}
	h, opts, err := httpConfig(c.HTTPConfig, o)
	if err != nil {
		return nil, err
	}
	if token := c.AppToken; token != "" || c.AppTokenFile != "" {
		h.Authorization = &commoncfg.Authorization{Type: "Bearer", Credentials: token, CredentialsFile: c.AppTokenFile}
	}
	c.HTTPConfig = h
	return slack.New(&c, t, o.Logger, opts...)
}

func mustURL(text string) *amcommon.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err) // a constant of this file
	}
	return &amcommon.URL{URL: u}
}

func newPagerduty(s Spec, o Options, t *template.Template) (notifier, error) {
	var c pagerduty.PagerdutyConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.ServiceKeyFile, &c.RoutingKeyFile)
	if c.URL == nil {
		c.URL = mustURL("https://events.pagerduty.com/v2/enqueue")
	}
	prefer(s.Config, "description", &c.Description, aTitle)
	prefer(s.Config, "client", &c.Client, "Tocsin")
	prefer(s.Config, "client_url", &c.ClientURL, aLink)
	prefer(s.Config, "source", &c.Source, "Tocsin")
	prefer(s.Config, "severity", &c.Severity, aSeverity)
	if !has(s.Config, "details") {
		c.Details = map[string]any{"text": aText, "priority": aPriority}
	}
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return pagerduty.New(&c, t, o.Logger, opts...)
}

func newOpsgenie(s Spec, o Options, t *template.Template) (notifier, error) {
	var c opsgenie.OpsGenieConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	if c.APIKey == "" && c.APIKeyFile == "" {
		return nil, errors.New("needs api_key_file or api_key")
	}
	paths(s.Dir, &c.APIKeyFile)
	if c.APIURL == nil {
		c.APIURL = mustURL("https://api.opsgenie.com/")
	}
	prefer(s.Config, "message", &c.Message, aTitle)
	prefer(s.Config, "description", &c.Description, aText)
	prefer(s.Config, "source", &c.Source, "Tocsin")
	prefer(s.Config, "priority", &c.Priority, aPriority)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return opsgenie.New(&c, t, o.Logger, opts...)
}

func newTelegram(s Spec, o Options, t *template.Template) (notifier, error) {
	var c telegram.TelegramConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	if c.BotToken == "" && c.BotTokenFile == "" {
		return nil, errors.New("needs bot_token_file or bot_token")
	}
	paths(s.Dir, &c.BotTokenFile, &c.ChatIDFile)
	if c.APIUrl == nil {
		c.APIUrl = mustURL("https://api.telegram.org")
	}
	prefer(s.Config, "message", &c.Message, aBoth) // the parse mode is HTML, for which the notifier escapes
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return telegram.New(&c, t, o.Logger, opts...)
}

func newTeams(s Spec, o Options, t *template.Template) (notifier, error) {
	var c msteamsv2.MSTeamsV2Config
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.WebhookURLFile)
	prefer(s.Config, "title", &c.Title, aTitle)
	prefer(s.Config, "text", &c.Text, aText)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return msteamsv2.New(&c, t, o.Logger, opts...)
}

func newDiscord(s Spec, o Options, t *template.Template) (notifier, error) {
	var c discord.DiscordConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.WebhookURLFile)
	prefer(s.Config, "title", &c.Title, aTitle)
	prefer(s.Config, "message", &c.Message, aText)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return discord.New(&c, t, o.Logger, opts...)
}

func newMattermost(s Spec, o Options, t *template.Template) (notifier, error) {
	var c mattermost.MattermostConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.WebhookURLFile)
	prefer(s.Config, "username", &c.Username, "Tocsin")
	prefer(s.Config, "title", &c.Title, aTitle)
	prefer(s.Config, "title_link", &c.TitleLink, aLink)
	prefer(s.Config, "text", &c.Text, aText)
	prefer(s.Config, "fallback", &c.Fallback, aTitle)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return mattermost.New(&c, t, o.Logger, opts...)
}

func newRocketchat(s Spec, o Options, t *template.Template) (notifier, error) {
	var c config.RocketchatConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.TokenFile, &c.TokenIDFile)
	if c.APIURL == nil {
		return nil, errors.New("needs api_url")
	}
	prefer(s.Config, "title", &c.Title, aTitle)
	prefer(s.Config, "title_link", &c.TitleLink, aLink)
	prefer(s.Config, "text", &c.Text, aText)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return rocketchat.New(&c, t, o.Logger, opts...)
}

func newWebex(s Spec, o Options, t *template.Template) (notifier, error) {
	var c config.WebexConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	if c.APIURL == nil {
		c.APIURL = mustURL("https://webexapis.com/v1/messages")
	}
	prefer(s.Config, "message", &c.Message, aBoth)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return webex.New(&c, t, o.Logger, opts...)
}

func newPushover(s Spec, o Options, t *template.Template) (notifier, error) {
	var c config.PushoverConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.UserKeyFile, &c.TokenFile)
	prefer(s.Config, "title", &c.Title, aTitle)
	prefer(s.Config, "message", &c.Message, aText)
	prefer(s.Config, "url", &c.URL, aLink)
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return pushover.New(&c, t, o.Logger, opts...)
}

func newVictorops(s Spec, o Options, t *template.Template) (notifier, error) {
	var c config.VictorOpsConfig
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	paths(s.Dir, &c.APIKeyFile)
	if c.APIURL == nil {
		c.APIURL = mustURL("https://alert.victorops.com/integrations/generic/20131114/alert/")
	}
	prefer(s.Config, "entity_display_name", &c.EntityDisplayName, aTitle)
	prefer(s.Config, "state_message", &c.StateMessage, aText)
	prefer(s.Config, "monitoring_tool", &c.MonitoringTool, "Tocsin")
	var opts []commoncfg.HTTPClientOption
	var err error
	if c.HTTPConfig, opts, err = httpConfig(c.HTTPConfig, o); err != nil {
		return nil, err
	}
	return victorops.New(&c, t, o.Logger, opts...)
}

// mailer sends each message with a configuration of its own, since who it is for and where the server is may change.
type mailer struct {
	c    config.EmailConfig
	o    Options
	tmpl *template.Template
	own  bool // the configuration names who gets what has no addresses of its own
}

// ErrNoAddress says that a message names nobody whom its receiver could reach.
var ErrNoAddress = errors.New("the message names no address, and the receiver has no `to`")

func newEmail(s Spec, o Options, t *template.Template) (notifier, error) {
	c, own := config.EmailConfig{}, has(s.Config, "to")
	if !own && s.Config != nil { // the people it is for have addresses of their own
		withTo := *s.Config
		withTo.Content = append(append(withTo.Content[:0:0], withTo.Content...), scalar("to"), scalar("nobody@localhost"))
		s.Config = &withTo
	}
	if err := decode(s.Config, &c); err != nil {
		return nil, err
	}
	if c.From == "" || c.Smarthost.Host == "" {
		return nil, errors.New("needs from and smarthost")
	}
	paths(s.Dir, &c.AuthPasswordFile, &c.AuthSecretFile)
	if c.RequireTLS == nil {
		c.RequireTLS = new(true)
	}
	if c.TLSConfig == nil {
		c.TLSConfig = &commoncfg.TLSConfig{}
	}
	prefer(s.Config, "html", &c.HTML, `{{ .CommonAnnotations.html | safeHtml }}`)
	prefer(s.Config, "text", &c.Text, aText+"\n")
	return &mailer{c, o, t, own}, nil
}

// Notify resolves the server through the policy and talks to the address that was judged.
func (r *mailer) Notify(ctx context.Context, alerts ...*amalert.Alert) (bool, error) {
	c := r.c
	if alerts[0].Annotations["to"] == "" && !r.own {
		return false, ErrNoAddress
	}
	addr, err := r.o.Outbound.Resolve(ctx, c.Smarthost.Host)
	if err != nil {
		return true, err
	}
	tls := *c.TLSConfig
	if tls.ServerName == "" {
		tls.ServerName = c.Smarthost.Host
	}
	c.TLSConfig, c.Smarthost.Host = &tls, addr
	if to := string(alerts[0].Annotations["to"]); to != "" {
		c.To = to
	}
	c.Headers = map[string]string{
		"Subject": aTitle, "Message-Id": `{{ .CommonAnnotations.message_id }}`,
		"References": `{{ .CommonAnnotations.thread }}`, "In-Reply-To": `{{ .CommonAnnotations.thread }}`,
		"Auto-Submitted": "auto-generated",
	}
	maps.Copy(c.Headers, r.c.Headers)
	return email.New(&c, r.tmpl, r.o.Logger).Notify(ctx, alerts...)
}
