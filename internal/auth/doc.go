// Package auth decides who is asking: it stands in front of every HTTP handler, checks host, origin, tokens and ingest keys,
// and puts the principal into the request's context. What a principal may do is decided by the handlers' own rule (Require).
//
// It is not a user directory: names and roles come from the token file, passwords and TLS from exporter-toolkit's web
// configuration, senders from the daemon's configuration. It knows package event and, for reading files, rules/strict; api,
// ingest and app use it. A Guard serves any number of goroutines; Use may be called at any time.
package auth
