package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/auth/webconfig"
	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/notify"
	"github.com/tocsin-noc/tocsin/rules"
)

// Options are the flags of `tocsin serve`. Where a flag is given it wins over the configuration file.
type Options struct {
	ConfigFile         string
	Data               string
	Listen             string
	RoutePrefix        string
	ExternalURL        string
	TokenFile          string
	WebConfigFile      string
	History            string // instead of history.url
	InsecureNoAuth     bool
	AlertmanagerConfig string // an Alertmanager's configuration to take over routes and inhibition from
	ClassicMatchers    bool
	Demo               bool

	Version  string
	Revision string
	Stdout   io.Writer // what the demo says
	Logger   *slog.Logger
}

// loaded is what flags and files make together; reload reads them again.
type loaded struct {
	config      *config.Config
	web         *webconfig.Config // nil: none
	credentials auth.Credentials
	rules       []byte
	notify      notify.Config
	original    string // shown as config.original of the Alertmanager API
}

// load reads every file that the options name.
func (o *Options) load() (s *loaded, err error) {
	c, err := config.Load(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	o.override(c)
	s = &loaded{config: c}
	for _, w := range c.Warnings {
		o.Logger.Warn("configuration", "warning", w.String())
	}
	if err := s.loadCredentials(); err != nil {
		return nil, err
	}
	if err := auth.CheckListen(c.Listen, s.credentials, c.Auth.InsecureNoAuth); err != nil {
		return nil, err
	}
	if c.Auth.InsecureNoAuth {
		o.Logger.Warn("anybody who reaches the listener is admin", "listen", c.Listen, "because", "insecure_no_auth")
	}
	if err := s.loadRules(o); err != nil {
		return nil, err
	}
	return s, s.loadNotify(o)
}

// override lets flags win.
func (o *Options) override(c *config.Config) {
	for _, f := range []struct {
		dst *string
		val string
	}{
		{&c.Data, o.Data}, {&c.Listen, o.Listen}, {&c.ExternalURL, o.ExternalURL},
		{&c.Auth.TokenFile, o.TokenFile}, {&c.WebConfigFile, o.WebConfigFile}, {&c.History.URL, o.History},
	} {
		if f.val != "" {
			*f.dst = f.val
		}
	}
	c.Auth.InsecureNoAuth = c.Auth.InsecureNoAuth || o.InsecureNoAuth
}

func (s *loaded) loadCredentials() (err error) {
	if path := s.config.Auth.TokenFile; path != "" {
		if s.credentials.Tokens, err = auth.LoadTokens(path); err != nil {
			return err
		}
	}
	if path := s.config.WebConfigFile; path != "" {
		if s.web, err = webconfig.Load(path); err != nil {
			return err
		}
		s.credentials.Web = s.web
	}
	for _, src := range s.config.Sources {
		key := auth.Key{Digest: src.Digest}
		key.Name, key.Tenant, key.Kind = src.Name, src.Tenant, src.Kind.Source()
		key.RatePerSecond, key.Burst = src.RatePerSecond, src.Burst
		s.credentials.Keys = append(s.credentials.Keys, key)
	}
	return nil
}

// loadRules reads and checks the rule files, and the Alertmanager configuration that is taken over.
func (s *loaded) loadRules(o *Options) error {
	files, warnings, err := s.config.ReadRules()
	if err != nil {
		return err
	}
	if o.AlertmanagerConfig != "" {
		text, err := os.ReadFile(o.AlertmanagerConfig)
		if err != nil {
			return fmt.Errorf("app: alertmanager configuration: %w", err)
		}
		am, err := alertmanager.ReadConfig(o.AlertmanagerConfig, text)
		if err != nil {
			return err
		}
		files, s.original = append(files, am.Rules), am.Original
		warnings = slices.Concat(warnings, am.Warnings)
	}
	set, err := rules.Parse(files)
	if err != nil {
		return err
	}
	for _, w := range slices.Concat(warnings, set.Warnings) {
		o.Logger.Warn("rules", "warning", w.String())
	}
	s.rules = rules.Bundle(files)
	return nil
}

// engineOptions turns the configuration into the engine's.
func (s *loaded) engineOptions(o *Options) engine.Options {
	c := s.config
	return engine.Options{
		Dir: c.Data, Version: o.Version, Rules: s.rules,
		JournalSegment: int64(c.Journal.SegmentBytes), ChangesSegment: int64(c.Changes.SegmentBytes),
		JournalRetention: journal.Retention{MaxAge: duration(c.Journal.Retention.Age), MaxBytes: int64(c.Journal.Retention.Bytes)},
		ChangesBytes:     int64(c.Changes.Bytes), RecordsBytes: int64(c.Records.Bytes),
		SnapshotInterval: duration(c.Snapshot.Interval), SnapshotKeep: c.Snapshot.Keep,
		QueueAlerts: c.Limits.QueueAlerts, Logger: o.Logger,
	}
}

// decoderLimits turns the configuration into the decoders'.
func (s *loaded) decoderLimits() alertmanager.Limits {
	l := s.config.Limits
	return alertmanager.Limits{
		AlertsPerRequest: l.AlertsPerRequest, LabelsPerAlert: l.LabelsPerAlert, LabelName: int(l.LabelNameBytes),
		LabelValue: int(l.LabelValueBytes), AnnotationsPerAlert: l.AnnotationsPerAlert,
		AnnotationValue: int(l.AnnotationValueBytes), GeneratorURL: int(l.GeneratorURLBytes),
	}
}

// IsConfiguration tells whether err is about what the operator wrote, so that the exit code says so.
func IsConfiguration(err error) bool {
	var problems rules.Errors
	return errors.As(err, &problems) || errors.Is(err, auth.ErrExposed)
}
