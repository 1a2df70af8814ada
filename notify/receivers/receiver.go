package receivers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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

// Answered is an error that says which status a receiver answered with.
type Answered struct {
	Code int
	Err  error
}

func (e *Answered) Error() string { return e.Err.Error() }

func (e *Answered) Unwrap() error { return e.Err }

// peerCode is how Alertmanager's notifiers say with which status they were answered.
var peerCode = regexp.MustCompile(`unexpected status code (5\d\d)\b`)

// Refused returns the status of 5xx with which a receiver that can be reached answered a message, 0 when err says no such thing.
func Refused(err error) int {
	if a, ok := errors.AsType[*Answered](err); ok {
		if a.Code/100 == 5 {
			return a.Code
		}
		return 0
	}
	if m := peerCode.FindStringSubmatch(err.Error()); m != nil {
		code, _ := strconv.Atoi(m[1]) // three digits
		return code
	}
	return 0
}

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

// NeedsPeople tells whether a receiver cannot send anything but to addresses that a message names.
func NeedsPeople(s *Spec) bool { return Addressed(s.Kind) != "" && !has(s.Config, "to") }

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

// Hosts returns the hosts that a receiver's configuration names: of URLs, and of a mail server. What stands in files is not looked at.
func Hosts(s *Spec) (hosts []string) {
	if s.Config == nil {
		return nil
	}
	targets := []string{"url", "api_url", "webhook_url", "app_url"}
	for i := 0; i+1 < len(s.Config.Content); i += 2 {
		key, value := s.Config.Content[i].Value, s.Config.Content[i+1].Value
		if key == "smarthost" {
			if host, _, err := net.SplitHostPort(value); err == nil {
				hosts = append(hosts, host)
			}
			continue
		}
		if u, err := url.Parse(value); err == nil && u.Hostname() != "" && slices.Contains(targets, key) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}
