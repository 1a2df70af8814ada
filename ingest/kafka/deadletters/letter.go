// Package deadletters keeps what could not be read, so that a person can look at it and send it anew: newline-delimited JSON
// in a folder, bounded in bytes and age, the oldest goes first.
//
// It is no queue: nothing is delivered from here by itself. A Store may be used from any goroutine.
package deadletters

import (
	"slices"
	"strings"
	"time"
)

// Letter is one message that was refused, whole or in part.
type Letter struct {
	Time      time.Time `json:"time"` // when it was refused
	Cluster   string    `json:"cluster"`
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Sent      time.Time `json:"sent"` // the record's own time
	Source    string    `json:"source"`
	Tenant    string    `json:"tenant"`
	Format    string    `json:"format"`

	Reason  string `json:"reason"`
	Place   string `json:"place,omitempty"` // of the first fault, as in alerts[3].startsAt
	Hint    string `json:"hint,omitempty"`
	Kept    int    `json:"kept"`    // alerts of the message that were taken in all the same
	Refused int    `json:"refused"` // alerts that were not; 0 when the message could not be read so far

	Headers []Header `json:"headers,omitempty"` // without those that carry credentials
	Key     []byte   `json:"key,omitempty"`     // base64, as is the value: neither need be text
	Value   []byte   `json:"value"`
}

// Header is a header of the message.
type Header struct {
	Name  string `json:"name"`
	Value []byte `json:"value"`
}

// Secret tells whether a header of this name carries credentials and must not be kept.
func Secret(name string) bool {
	return slices.ContainsFunc([]string{"authorization", "cookie", "token", "password", "secret", "api-key", "apikey"},
		func(word string) bool { return strings.Contains(strings.ToLower(name), word) })
}
