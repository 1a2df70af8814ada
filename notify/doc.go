// Package notify tells people. It follows the engine's changes from a cursor, asks the settings whom a change concerns, and keeps
// each message in an outbox until its receiver has taken it. What is worth telling is the core's decision; who is told is decided
// here.
//
//	changes ──▶ decide ──▶ outbox ──▶ one queue per receiver ──▶ receivers
//	              │  ▲
//	              ▼  │ due
//	        escalations, digests
//
// Cursor, messages, escalations, digests and overrides lie in one bbolt file; one transaction moves the cursor and enqueues. So
// nothing is lost and nothing enqueued twice; a message is sent at least once, each time with the same key.
//
// A Notifier's methods may be called from any goroutine.
package notify
