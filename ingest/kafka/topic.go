package kafka

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/ingest/native"
	"github.com/tocsin-noc/tocsin/internal/config"
)

// topic is a configured topic. Its fields below the line are guarded by Consumer.mu.
type topic struct {
	name    string
	format  config.Format
	source  event.Source
	decode  decoder
	account Account
	// ---
	lastWord time.Time // when something of it became durable last
	messages uint64    // dealt with since the start
	alerts   uint64    // of them, durable
	refused  uint64    // messages refused in whole or in part
	fault    fault
	lag      lagging
}

// decoder reads a message's body into the batch. sent is the record's time: it decides whether an endsAt was past.
type decoder func(b *event.Batch, sent event.Time, lim alertmanager.Limits) *alertmanager.Rejection

func newTopic(cluster *config.Kafka, cfg *config.Topic) (*topic, error) {
	t := &topic{name: cfg.Topic, format: cfg.Format, account: noAccount{}}
	kind := event.SendOnce
	switch cfg.Format {
	case config.AlertmanagerWebhook:
		t.decode = decodeWebhook
	case config.AlertmanagerAPI:
		t.decode, kind = alertmanager.DecodeAlerts, event.Resender
	case config.Native:
		t.decode = native.Decode
	default:
		return nil, fmt.Errorf("kafka: %s: topic %s: unknown format %q", cluster.Name, cfg.Topic, cfg.Format)
	}
	t.source = event.Source{
		Name:   cmp.Or(cfg.Source, "kafka:"+cluster.Name+"/"+cfg.Topic),
		Tenant: cmp.Or(cfg.Tenant, event.DefaultTenant),
		Kind:   cmp.Or(cfg.Kind.Source(), kind),
	}
	return t, nil
}

func decodeWebhook(b *event.Batch, _ event.Time, lim alertmanager.Limits) *alertmanager.Rejection {
	_, rejection := alertmanager.DecodeWebhook(b, lim) // the source's name stands in the configuration
	return rejection
}
