package receivers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/internal/outbound"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// Receiver takes messages.
type Receiver interface {
	Name() string
	// Send delivers one message. to are the addresses of the people it is for, for receivers that reach people; none: the
	// configured ones. retry tells whether a failure may pass. A RetryLater error says when to try again.
	Send(ctx context.Context, m message.Message, to []string) (retry bool, err error)
}

// Spec is a receiver's configuration.
type Spec struct {
	Name   string
	Kind   string     // slack, email, webhook, …: see Kinds
	Config *yaml.Node // the fields that Alertmanager has for the kind; for webhook see Webhook
	Dir    string     // relative paths in Config start here
}

// Options are what every receiver shares.
type Options struct {
	Outbound *outbound.Policy
	Logger   *slog.Logger
	Version  string        // of Tocsin, in the User-Agent
	Timeout  time.Duration // of one attempt; 0: 30 s
}

// RetryLater is an error that says when the receiver wants to be asked again.
type RetryLater struct {
	After time.Duration
	Err   error
}

func (e *RetryLater) Error() string { return e.Err.Error() }

func (e *RetryLater) Unwrap() error { return e.Err }

// ErrConfig says that a receiver's configuration is wrong.
var ErrConfig = errors.New("receivers: configuration")

// Kinds lists the kinds of receiver, sorted.
func Kinds() []string {
	return []string{
		"discord", "email", "mattermost", "msteamsv2", "opsgenie", "pagerduty", "pushover", "rocketchat", "slack", "telegram",
		"victorops", "webex", "webhook",
	}
}

// Addressed returns which of a person's addresses a kind of receiver is sent to: "email", or "" when the receiver alone says
// where a message goes.
func Addressed(kind string) string {
	if kind == "email" {
		return "email"
	}
	return ""
}

// New returns the receiver that s describes.
func New(s Spec, o Options) (Receiver, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Kind == "webhook" {
		return newWebhook(s, o)
	}
	build := builders()[s.Kind]
	if build == nil {
		return nil, fmt.Errorf("%w: receiver %s: there is no kind %q", ErrConfig, s.Name, s.Kind)
	}
	tmpl, err := amTemplate()
	if err != nil {
		return nil, err
	}
	r := &peer{name: s.Name, kind: s.Kind, timeout: o.Timeout}
	if r.notifier, err = build(s, o, tmpl); err != nil {
		return nil, fmt.Errorf("%w: receiver %s: %s: %w", ErrConfig, s.Name, s.Kind, err)
	}
	return r, nil
}
