// Package message holds what people are told: the data that templates see, the templates, and the rendered message that the
// outbox keeps until a receiver has taken it.
//
// It decides neither what is told nor to whom. Alert text is hostile: whatever comes out has no control or bidi characters, and
// each receiver escapes it for its own format. Templates may be used from any goroutine.
package message
