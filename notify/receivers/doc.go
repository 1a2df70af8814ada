// Package receivers carries rendered messages out: Alertmanager's own notifiers with its own configuration fields for chats,
// pagers and mail, and webhooks in Alertmanager's v4 format or Tocsin's. It keeps nothing and repeats nothing; the outbox does.
//
// What a message says reaches a notifier as data, never as a template. Every connection goes through package outbound. A
// Receiver may be used from any goroutine.
package receivers
