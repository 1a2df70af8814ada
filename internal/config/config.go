package config

import (
	"crypto/sha256"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Config is the whole file. Paths in it are already resolved against the file's own directory.
type Config struct {
	Listen        string   `yaml:"listen"`          // host:port
	Data          string   `yaml:"data"`            // directory
	ExternalURL   string   `yaml:"external_url"`    // without a slash at the end; "" when links are relative
	WebConfigFile string   `yaml:"web_config_file"` // of exporter-toolkit
	RuleFiles     []string `yaml:"rule_files"`      // globs
	NotifyFile    string   `yaml:"notify_file"`     // who is told; "": nobody
	Auth          Auth     `yaml:"auth"`
	Limits        Limits   `yaml:"limits"`
	Sources       []Source `yaml:"sources"`
	Kafka         []Kafka  `yaml:"kafka"`
	Heartbeat     Beat     `yaml:"heartbeat"`
	Journal       Journal  `yaml:"journal"`
	Changes       Changes  `yaml:"changes"`
	Records       Records  `yaml:"records"`
	Snapshot      Snapshot `yaml:"snapshot"`
	History       History  `yaml:"history"`

	Warnings strict.Errors `yaml:"-"` // what was accepted and looks wrong
}

// Auth says who may talk to the daemon.
type Auth struct {
	TokenFile      string   `yaml:"token_file"`
	AllowedHosts   []string `yaml:"allowed_hosts"` // values of the Host header, without port, besides the loopback names
	InsecureNoAuth bool     `yaml:"insecure_no_auth"`
}

// Beat is Tocsin's own sign of life to somebody outside.
type Beat struct {
	URLFile  string   `yaml:"url_file"` // holds the URL, which is often a secret; "": none is sent
	Interval Duration `yaml:"interval"`

	URL string `yaml:"-"`
}

// Limits bound what is taken in.
type Limits struct {
	BodyBytes            Size `yaml:"body_bytes"`
	AlertsPerRequest     int  `yaml:"alerts_per_request"`
	LabelsPerAlert       int  `yaml:"labels_per_alert"`
	LabelNameBytes       Size `yaml:"label_name_bytes"`
	LabelValueBytes      Size `yaml:"label_value_bytes"`
	AnnotationsPerAlert  int  `yaml:"annotations_per_alert"`
	AnnotationValueBytes Size `yaml:"annotation_value_bytes"`
	GeneratorURLBytes    Size `yaml:"generator_url_bytes"`
	AlertsPerSource      int  `yaml:"alerts_per_source"`
	QueueAlerts          int  `yaml:"queue_alerts"` // alerts accepted and not yet durable
}

// Source is a sender with an ingest key of its own.
type Source struct {
	Name          string `yaml:"name"`
	Tenant        string `yaml:"tenant"`
	Kind          Kind   `yaml:"kind"`
	KeySHA256     string `yaml:"key_sha256,omitempty"` // hexadecimal
	KeyFile       string `yaml:"key_file,omitempty"`
	RatePerSecond int    `yaml:"rate_per_second"` // alerts; 0: no limit
	Burst         int    `yaml:"burst"`           // alerts; as RatePerSecond when not set

	Digest [sha256.Size]byte `yaml:"-"` // of the key, whichever way it was given
}

// Kind is a sender's kind as it is written; "" leaves it to the format the alerts come in.
type Kind string

// Source returns the event package's kind, 0 for "".
func (k Kind) Source() event.SourceKind {
	switch k {
	case kindResender:
		return event.Resender
	case kindSendOnce:
		return event.SendOnce
	}
	return 0
}

const (
	kindResender Kind = "resender"
	kindSendOnce Kind = "send_once"
)

// Kafka is one cluster to consume from.
type Kafka struct {
	Name            string   `yaml:"name"`
	Brokers         []string `yaml:"brokers"` // host:port
	Group           string   `yaml:"group"`
	DeadLetterTopic string   `yaml:"dead_letter_topic"` // "": poison messages are kept by the daemon only
	TLS             *TLS     `yaml:"tls,omitempty"`     // nil: plain text
	SASL            *SASL    `yaml:"sasl,omitempty"`    // nil: none
	Topics          []Topic  `yaml:"topics"`
}

// TLS says how a server is known; its zero value trusts the system's roots.
type TLS struct {
	CAFile             string `yaml:"ca_file"`
	CertFile           string `yaml:"cert_file"`
	KeyFile            string `yaml:"key_file"`
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
}

// SASL is how the daemon identifies itself to the brokers.
type SASL struct {
	Mechanism    string `yaml:"mechanism"` // plain, scram-sha-256 or scram-sha-512
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`

	Password string `yaml:"-"`
}

// Topic is one topic and what its messages are.
type Topic struct {
	Topic  string `yaml:"topic"`
	Format Format `yaml:"format"`
	Source string `yaml:"source"`
	Tenant string `yaml:"tenant"`
	Kind   Kind   `yaml:"kind"`
}

// Format names what a message holds.
type Format string

// The formats that a topic can carry.
const (
	AlertmanagerWebhook Format = "alertmanager_webhook"
	AlertmanagerAPI     Format = "alertmanager_api"
	Native              Format = "tocsin"
)

// Journal keeps the inputs.
type Journal struct {
	SegmentBytes Size      `yaml:"segment_bytes"`
	Retention    Retention `yaml:"retention"`
}

// Retention drops the oldest once either bound is passed.
type Retention struct {
	Age   Duration `yaml:"age"`
	Bytes Size     `yaml:"bytes"`
}

// Changes keeps what was decided until every reader has it.
type Changes struct {
	SegmentBytes Size `yaml:"segment_bytes"`
	Bytes        Size `yaml:"bytes"`
}

// Records keeps closed incidents and long texts.
type Records struct {
	Bytes Size `yaml:"bytes"`
}

// Snapshot says how often the state is written out.
type Snapshot struct {
	Interval Duration `yaml:"interval"`
	Keep     int      `yaml:"keep"`
}

// Default returns the configuration of a daemon without a file.
func Default() *Config {
	return &Config{
		Listen:    "127.0.0.1:9595",
		Data:      "data",
		RuleFiles: []string{},
		Auth:      Auth{AllowedHosts: []string{}},
		Limits: Limits{
			BodyBytes:            16 << 20,
			AlertsPerRequest:     10_000,
			LabelsPerAlert:       64,
			LabelNameBytes:       512,
			LabelValueBytes:      4 << 10,
			AnnotationsPerAlert:  64,
			AnnotationValueBytes: 32 << 10,
			GeneratorURLBytes:    32 << 10,
			AlertsPerSource:      100_000,
			QueueAlerts:          100_000,
		},
		Sources:   []Source{},
		Kafka:     []Kafka{},
		Journal:   Journal{SegmentBytes: 256 << 20, Retention: Retention{Age: Duration(30 * day), Bytes: 50e9}},
		Changes:   Changes{SegmentBytes: 256 << 20, Bytes: 20e9},
		Records:   Records{Bytes: 10e9},
		Heartbeat: Beat{Interval: Duration(time.Minute)},
		Snapshot:  Snapshot{Interval: Duration(5 * time.Minute), Keep: 2},
		History:   defaultHistory(),
	}
}

const day = 24 * time.Hour

// Duration is a duration that is written as Prometheus writes it.
type Duration time.Duration

// String returns it as in 1h30m.
func (d Duration) String() string { return model.Duration(d).String() }

// MarshalYAML returns String.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// Size is a number of bytes that is written with its unit.
type Size int64

// String returns it as in 4MiB.
func (s Size) String() string { return strict.FormatSize(int64(s)) }

// MarshalYAML returns String.
func (s Size) MarshalYAML() (any, error) { return s.String(), nil }
