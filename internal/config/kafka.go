package config

import (
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

func (rd *reader) clusters(dst *[]Kafka) strict.Value {
	taken := map[string]strict.Place{}
	return strict.List(dst, func(k *Kafka) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			rd.cluster(k)(r, n)
			unique(r, n, "name", "this cluster", taken, k.Name, k.Name != "")
		}
	})
}

func (rd *reader) cluster(k *Kafka) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		k.Group = "tocsin"
		strict.Mapping(
			strict.Field{Key: "name", Value: name(&k.Name), Required: true},
			strict.Field{Key: "brokers", Value: notEmpty(&k.Brokers, hostPort), Required: true},
			strict.Field{Key: "group", Value: name(&k.Group)},
			strict.Field{Key: "dead_letter_topic", Value: name(&k.DeadLetterTopic)},
			strict.Field{Key: "tls", Value: rd.tls(&k.TLS)},
			strict.Field{Key: "sasl", Value: rd.sasl(&k.SASL)},
			strict.Field{Key: "topics", Value: notEmpty(&k.Topics, topics(k)), Required: true},
		)(r, n)
		if k.SASL != nil && k.SASL.Mechanism == "plain" && k.TLS == nil {
			rd.warn(r, n, "sasl", "the password goes over the network in plain text", "add tls, or use scram-sha-512")
		}
	}
}

// notEmpty reads a list of at least one item.
func notEmpty[T any](dst *[]T, item func(*T) strict.Value) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		strict.List(dst, item)(r, n)
		if *dst != nil && len(*dst) == 0 {
			r.Problem(n, "must not be empty", "")
		}
	}
}

func (rd *reader) tls(dst **TLS) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		*dst = &TLS{}
		rd.tlsFiles(*dst, "the brokers' certificates are not checked")(r, n)
	}
}

// tlsFiles reads how the other side is known; unchecked is the warning when it is not.
func (rd *reader) tlsFiles(t *TLS, unchecked string) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		strict.Mapping(
			strict.Field{Key: "ca_file", Value: rd.path(&t.CAFile)},
			strict.Field{Key: "cert_file", Value: rd.path(&t.CertFile)},
			strict.Field{Key: "key_file", Value: rd.path(&t.KeyFile)},
			strict.Field{Key: "server_name", Value: strict.Text(&t.ServerName)},
			strict.Field{Key: "insecure_skip_verify", Value: strict.Bool(&t.InsecureSkipVerify)},
		)(r, n)
		if (t.CertFile == "") != (t.KeyFile == "") {
			r.Problem(n, "cert_file and key_file belong together", "")
		}
		if t.InsecureSkipVerify {
			rd.warn(r, n, "insecure_skip_verify", unchecked, "name their CA in ca_file")
		}
	}
}

func (rd *reader) sasl(dst **SASL) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		s := &SASL{}
		*dst = s
		strict.Mapping(
			strict.Field{Key: "mechanism", Value: strict.OneOf(&s.Mechanism, "plain", "scram-sha-256", "scram-sha-512"), Required: true},
			strict.Field{Key: "username", Value: strict.Word(&s.Username), Required: true},
			strict.Field{Key: "password_file", Value: rd.secretFile(&s.PasswordFile, &s.Password), Required: true},
		)(r, n)
	}
}

// topics gives the reader of one of k's topics.
func topics(k *Kafka) func(*Topic) strict.Value {
	taken := map[string]strict.Place{}
	return func(t *Topic) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			t.Tenant = event.DefaultTenant
			strict.Mapping(
				strict.Field{Key: "topic", Value: name(&t.Topic), Required: true},
				strict.Field{Key: "format", Value: strict.OneOf(&t.Format, AlertmanagerWebhook, AlertmanagerAPI, Native), Required: true},
				strict.Field{Key: "source", Value: name(&t.Source)},
				strict.Field{Key: "tenant", Value: name(&t.Tenant)},
				strict.Field{Key: "kind", Value: strict.OneOf(&t.Kind, kindResender, kindSendOnce)},
			)(r, n)
			if t.Source == "" {
				t.Source = t.Topic
			}
			unique(r, n, "topic", "this topic of the cluster", taken, t.Topic, t.Topic != "")
			if t.Topic != "" && t.Topic == k.DeadLetterTopic {
				r.ProblemAt(n, "topic", "this is the cluster's dead letter topic", "a dead letter would be read again for ever")
			}
		}
	}
}
