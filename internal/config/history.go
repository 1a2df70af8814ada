package config

import (
	"errors"
	"net/url"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// What history.url may be besides a server's URL.
const (
	HistoryEmbedded = "chdb" // ClickHouse as a child process of the daemon
	HistoryNone     = "none"
)

// History says where the history lies.
type History struct {
	URL            string           `yaml:"url"`             // HistoryEmbedded, HistoryNone, or clickhouse://host:9000/database, https://host:8443/database
	Library        string           `yaml:"library"`         // of the embedded engine; "": where `tocsin history install` puts it
	Listen         string           `yaml:"listen"`          // of the embedded engine, loopback; "": the port after the daemon's own
	Memory         Size             `yaml:"memory"`          // of the embedded engine
	Cluster        string           `yaml:"cluster"`         // ON CLUSTER; "": one server
	Username       string           `yaml:"username"`        // of a server
	PasswordFile   string           `yaml:"password_file"`   // of a server
	ReaderUsername string           `yaml:"reader_username"` // who reports ask as; "": as who writes
	ReaderPassword string           `yaml:"reader_password_file"`
	TLS            TLS              `yaml:"tls"`
	Retention      HistoryRetention `yaml:"retention"`

	Password     string `yaml:"-"`
	ReaderSecret string `yaml:"-"`
}

// HistoryRetention is how long facts are kept in the history.
type HistoryRetention struct {
	Alerts    Duration `yaml:"alerts"`    // what happened to alerts, messages, the rest
	Incidents Duration `yaml:"incidents"` // incidents, outages, items, hourly sums
}

func (rd *reader) history(h *History) strict.Value {
	return strict.Mapping(
		strict.Field{Key: "url", Value: historyURL(&h.URL)},
		strict.Field{Key: "library", Value: rd.path(&h.Library)},
		strict.Field{Key: "listen", Value: loopback(&h.Listen)},
		size("memory", &h.Memory, 256<<20, 1<<44),
		strict.Field{Key: "cluster", Value: name(&h.Cluster)},
		strict.Field{Key: "username", Value: strict.Word(&h.Username)},
		strict.Field{Key: "password_file", Value: rd.secretFile(&h.PasswordFile, &h.Password)},
		strict.Field{Key: "reader_username", Value: strict.Word(&h.ReaderUsername)},
		strict.Field{Key: "reader_password_file", Value: rd.secretFile(&h.ReaderPassword, &h.ReaderSecret)},
		strict.Field{Key: "tls", Value: rd.tlsFiles(&h.TLS, "the server's certificate is not checked")},
		strict.Field{Key: "retention", Value: strict.Mapping(
			span("alerts", &h.Retention.Alerts, day, 36500*day),
			span("incidents", &h.Retention.Incidents, day, 36500*day),
		)},
	)
}

// secretFile reads the name of a file and what stands in it.
func (rd *reader) secretFile(path, secret *string) strict.Value {
	return strict.Scalar(func(text string) error {
		*path = rd.resolve(text)
		b, err := readSecret(*path)
		*secret = string(b)
		return err
	})
}

func historyURL(dst *string) strict.Value {
	return strict.Secret(func(s string) error {
		if s == HistoryEmbedded || s == HistoryNone {
			*dst = s
			return nil
		}
		u, err := url.Parse(s)
		switch {
		case err != nil, u.Host == "", u.Scheme != "clickhouse" && u.Scheme != "http" && u.Scheme != "https":
			return errors.New("must be chdb, none, or a server such as clickhouse://ch.example.org:9000/tocsin or https://ch.example.org:8443/tocsin")
		case u.User != nil:
			return errors.New("must not hold a user or password: they go into username and password_file")
		}
		*dst = s
		return nil
	})
}

// loopback reads an address that only this machine reaches.
func loopback(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		c := Config{Listen: s}
		if err := c.Exposed(); err != nil {
			return errors.New("must be a loopback address with a port, such as 127.0.0.1:8123")
		}
		*dst = s
		return nil
	})
}

func defaultHistory() History {
	return History{
		URL: HistoryEmbedded, Memory: 2 << 30,
		Retention: HistoryRetention{Alerts: Duration(400 * day), Incidents: Duration(3650 * day)},
	}
}
