package notify

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tocsin-noc/tocsin/notify/message"
)

// The file's buckets. Values are JSON.
//
//	meta       cursor
//	messages   receiver → number → envelope      what waits, in the order it was enqueued
//	subjects   main/INC-42 → subject             whom it was told to, and its escalation
//	digests    team → digest                     what waits for the end of quiet hours
//	history    number → Sent                     the last keptHistory outcomes
//	overrides  id → Override
const (
	keptHistory = 2_000
	maxPending  = 100_000 // messages of one receiver; what exceeds it is told in the history
	keptSubject = 24 * time.Hour
)

type store struct {
	db   *bbolt.DB
	last string // cursor as last read or written; the loop's
	at   time.Time
}

func buckets() []string {
	return []string{"meta", "messages", "subjects", "digests", "history", "overrides"}
}

func openStore(path string) (*store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("notify: %s: %w", path, err)
	}
	s := &store{db: db}
	err = db.Update(func(t *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := t.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		s.last = string(t.Bucket([]byte("meta")).Get([]byte("cursor")))
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("notify: %w", err), db.Close())
	}
	return s, nil
}

func (s *store) close() error { return s.db.Close() }

func (s *store) cursor() (c string) {
	_ = s.db.View(func(t *bbolt.Tx) error { // a view of an open file does not fail
		c = string(t.Bucket([]byte("meta")).Get([]byte("cursor")))
		return nil
	})
	return c
}

// cursorStale tells, every ten seconds, that the cursor should be written although nothing was decided.
func (s *store) cursorStale(now time.Time) bool {
	if now.Sub(s.at) < 10*time.Second {
		return false
	}
	s.at = now
	return true
}

// tx is one transaction that writes.
type tx struct{ *bbolt.Tx }

func (s *store) update(fn func(*tx) error) error {
	if err := s.db.Update(func(t *bbolt.Tx) error { return fn(&tx{t}) }); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func (s *store) view(fn func(*tx) error) error {
	if err := s.db.View(func(t *bbolt.Tx) error { return fn(&tx{t}) }); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func (t *tx) setCursor(c string) error {
	return t.Bucket([]byte("meta")).Put([]byte("cursor"), []byte(c))
}

// put stores v as JSON.
func put(b *bbolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, text)
}

// get reads what put stored, false when there is nothing.
func get[T any](b *bbolt.Bucket, key []byte) (v T, ok bool, err error) {
	text := b.Get(key)
	if text == nil {
		return v, false, nil
	}
	return v, true, json.Unmarshal(text, &v)
}

// each yields every value of a bucket of JSON.
func each[T any](b *bbolt.Bucket, fn func(key []byte, v T) error) error {
	return b.ForEach(func(k, text []byte) error {
		var v T
		if text == nil {
			return nil // a bucket in it
		}
		if err := json.Unmarshal(text, &v); err != nil {
			return err
		}
		return fn(k, v)
	})
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// envelope is a message that waits for its receiver.
type envelope struct {
	Message  message.Message `json:"message"`
	To       []string        `json:"to,omitempty"`
	Who      []string        `json:"who,omitempty"` // contacts it is for
	Queued   time.Time       `json:"queued"`
	Attempts int             `json:"attempts"`
	After    time.Time       `json:"after,omitzero"` // not to be tried before
	Error    string          `json:"error,omitempty"`
}

// enqueue puts a message at the end of its receiver's queue. A full queue takes no more; the history tells.
func (t *tx) enqueue(receiver string, e envelope) error {
	b, err := t.Bucket([]byte("messages")).CreateBucketIfNotExists([]byte(receiver))
	if err != nil {
		return err
	}
	if first, _ := b.Cursor().First(); first != nil && b.Sequence()-binary.BigEndian.Uint64(first) >= maxPending {
		return t.remember(sent(receiver, &e, "dropped", "the receiver's queue is full", e.Queued))
	}
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	return put(b, number(n), e)
}

// head returns the first message of a receiver, nil when none waits.
func (t *tx) head(receiver string) (key []byte, e *envelope, err error) {
	b := t.Bucket([]byte("messages")).Bucket([]byte(receiver))
	if b == nil {
		return nil, nil, nil
	}
	k, text := b.Cursor().First()
	if k == nil {
		return nil, nil, nil
	}
	e = &envelope{}
	return append([]byte(nil), k...), e, json.Unmarshal(text, e)
}

// Sent is one outcome.
type Sent struct {
	At            time.Time     `json:"at"`
	Receiver      string        `json:"receiver"`
	Who           []string      `json:"who,omitempty"`
	Key           string        `json:"key"`
	Event         message.Event `json:"event"`
	Subject       string        `json:"subject"`
	Title         string        `json:"title"`
	Attempts      int           `json:"attempts"`
	Outcome       string        `json:"outcome"` // sent, failed, expired, dropped
	Error         string        `json:"error,omitempty"`
	TemplateError string        `json:"template_error,omitempty"`
}

func sent(receiver string, e *envelope, outcome, why string, at time.Time) Sent {
	return Sent{
		At: at, Receiver: receiver, Who: e.Who, Key: e.Message.Key, Event: e.Message.Event, Subject: e.Message.Subject, Title: e.Message.Title,
		Attempts: e.Attempts, Outcome: outcome, Error: why, TemplateError: e.Message.TemplateError,
	}
}

// remember adds an outcome to the history and drops the oldest.
func (t *tx) remember(s Sent) error {
	b := t.Bucket([]byte("history"))
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	if n > keptHistory {
		if err := b.Delete(number(n - keptHistory)); err != nil {
			return err
		}
	}
	return put(b, number(n), s)
}

// subject is what the outbox knows of an incident or a storm.
type subject struct {
	Told       []told         `json:"told,omitempty"`
	Priority   uint8          `json:"priority"` // the highest it was seen with
	Resolver   string         `json:"resolver,omitempty"`
	Done       time.Time      `json:"done,omitzero"` // resolved, or the storm over
	Escalation map[string]run `json:"escalation,omitempty"`
}

// told is a receiver that was told something.
type told struct {
	Receiver string   `json:"receiver"`
	To       []string `json:"to,omitempty"`
	Who      []string `json:"who,omitempty"`
}

// run is an escalation under way in one team.
type run struct {
	Began time.Time `json:"began"`
	Next  int       `json:"next"` // step
	Due   time.Time `json:"due"`
	Key   string    `json:"key"` // of the change that began it
}

func (t *tx) subject(key string) (subject, error) {
	s, _, err := get[subject](t.Bucket([]byte("subjects")), []byte(key))
	return s, err
}

func (t *tx) putSubject(key string, s subject) error {
	return put(t.Bucket([]byte("subjects")), []byte(key), s)
}
