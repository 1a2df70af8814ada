package notify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tocsin-noc/tocsin/notify/message"
)

// The file's buckets. Values are JSON.
//
//	meta       cursor; storm:TENANT → key of the storm that lasts; openings:TENANT → those that may set one off
//	messages   receiver → number → envelope      what waits, in the order it was enqueued
//	aside      receiver → number → envelope      what the receiver fails at while it takes others
//	subjects   main/INC-42 → subject             whom it was told to, and its escalation
//	due        time, subject's key               when each subject is to be looked at next
//	digests    team → digest                     what waits for the end of quiet hours
//	history    receiver, sent|lost → number → Sent   the last keptHistory outcomes of each
//	feed       number → Delivery                 what receivers took, the last keptFeed
//	overrides  id → Override
const (
	keptHistory = 200
	maxPending  = 100_000 // messages of one receiver; what exceeds it is told in the history
	maxAside    = 100     // of these, set aside; more hold up the queue
	keptSubject = 24 * time.Hour
)

type store struct {
	db   *bbolt.DB
	full int       // messages that one receiver's queue takes
	at   time.Time // when the cursor was last found stale; the loop's
}

func buckets() []string {
	return []string{"meta", "messages", "aside", "subjects", "due", "digests", "history", "feed", "overrides"}
}

func openStore(path string) (*store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("notify: %s: %w", path, err)
	}
	s := &store{db: db, full: maxPending}
	err = db.Update(func(t *bbolt.Tx) error {
		for _, name := range buckets() {
			if _, err := t.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
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
type tx struct {
	*bbolt.Tx
	store *store
}

func (s *store) update(fn func(*tx) error) error {
	if err := s.db.Update(func(t *bbolt.Tx) error { return fn(&tx{t, s}) }); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

func (s *store) view(fn func(*tx) error) error {
	if err := s.db.View(func(t *bbolt.Tx) error { return fn(&tx{t, s}) }); err != nil {
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
	Code     int             `json:"code,omitempty"` // 5xx that the receiver answered last
	Same     int             `json:"same,omitempty"` // times in a row
	Since    time.Time       `json:"since,omitzero"` // the first of these
}

// enqueue puts a message at the end of its receiver's queue. It is false when the queue is full.
func (t *tx) enqueue(receiver string, e envelope) (fits bool, err error) {
	b, err := t.Bucket([]byte("messages")).CreateBucketIfNotExists([]byte(receiver))
	if err != nil || waiting(b) >= t.store.full {
		return false, err
	}
	n, err := b.NextSequence()
	if err != nil {
		return false, err
	}
	return true, put(b, number(n), e)
}

// waiting counts a queue's messages. They leave it at its head; one that was taken in place of the head is counted until the head
// has come past it.
func waiting(b *bbolt.Bucket) int {
	first, _ := b.Cursor().First()
	if first == nil {
		return 0
	}
	return int(b.Sequence() - binary.BigEndian.Uint64(first) + 1)
}

// item is an envelope where it lies.
type item struct {
	*envelope
	key   []byte
	aside bool
}

func (it *item) bucket(t *tx, receiver string) *bbolt.Bucket {
	if it.aside {
		return t.Bucket([]byte("aside")).Bucket([]byte(receiver))
	}
	return t.Bucket([]byte("messages")).Bucket([]byte(receiver))
}

// first returns the first messages of a receiver, at most limit.
func (t *tx) first(receiver string, limit int) ([]item, error) {
	return firstOf(t.Bucket([]byte("messages")).Bucket([]byte(receiver)), false, limit)
}

// aside returns the messages of a receiver that were set aside.
func (t *tx) aside(receiver string) ([]item, error) {
	return firstOf(t.Bucket([]byte("aside")).Bucket([]byte(receiver)), true, maxAside)
}

func firstOf(b *bbolt.Bucket, aside bool, limit int) (out []item, err error) {
	if b == nil {
		return nil, nil
	}
	c := b.Cursor()
	for k, text := c.First(); k != nil && len(out) < limit; k, text = c.Next() {
		it := item{&envelope{}, bytes.Clone(k), aside}
		if err := json.Unmarshal(text, it.envelope); err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// setAside takes a message out of its receiver's queue, so that others pass it.
func (t *tx) setAside(receiver string, it item) error {
	b, err := t.Bucket([]byte("aside")).CreateBucketIfNotExists([]byte(receiver))
	if err != nil {
		return err
	}
	if err := put(b, it.key, it.envelope); err != nil {
		return err
	}
	return it.bucket(t, receiver).Delete(it.key)
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

// remember adds an outcome to the history and drops the oldest. What was lost is kept apart: what was sent after it must not
// push it out.
func (t *tx) remember(s Sent) error {
	history := t.Bucket([]byte("history"))
	class := "sent"
	if s.Outcome != "sent" {
		class = "lost"
	}
	b, err := history.CreateBucketIfNotExists([]byte(s.Receiver + "," + class))
	if err != nil {
		return err
	}
	kept, err := b.NextSequence()
	if err != nil {
		return err
	}
	if kept > keptHistory {
		oldest, _ := b.Cursor().First()
		if err := b.Delete(oldest); err != nil {
			return err
		}
	}
	n, err := history.NextSequence() // over all receivers, so that what they did can be put in order
	if err != nil {
		return err
	}
	return put(b, number(n), s)
}

// history returns the latest outcomes, the newest first.
func (t *tx) history(limit int) (out []Sent, err error) {
	type entry struct {
		n    uint64
		text []byte
	}
	var list []entry
	history := t.Bucket([]byte("history"))
	err = history.ForEachBucket(func(name []byte) error {
		c, taken := history.Bucket(name).Cursor(), 0
		for k, text := c.Last(); k != nil && taken < limit; k, text = c.Prev() {
			list = append(list, entry{binary.BigEndian.Uint64(k), text})
			taken++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(b.n, a.n) })
	for _, it := range list[:min(len(list), limit)] {
		var s Sent
		if err := json.Unmarshal(it.text, &s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// subject is what the outbox knows of an incident or a storm.
type subject struct {
	Told       []told            `json:"told,omitempty"`
	Priority   uint8             `json:"priority"` // the highest it was seen with
	Resolver   string            `json:"resolver,omitempty"`
	Done       time.Time         `json:"done,omitzero"` // resolved, or the storm over
	Escalation map[string]run    `json:"escalation,omitempty"`
	Owed       *owed             `json:"owed,omitempty"`
	Storm      *message.Storm    `json:"storm,omitempty"`    // of a storm: as it was last heard of
	Limit      int               `json:"limit,omitempty"`    // of a storm: openings that an addressee is told of singly
	Fronts     map[string]*front `json:"fronts,omitempty"`   // of a storm: by addressee
	Labels     map[string]string `json:"labels,omitempty"`   // by which it was routed when it last rang; nil: no route asked
	Tasks      map[uint32]string `json:"tasks,omitempty"`    // as their assignees know them
	Answered   []uint32          `json:"answered,omitempty"` // proposals whose answer was told
	Due        time.Time         `json:"due,omitzero"`       // its place in the bucket due
}

// owed is a ring that waits because every alert that fires is kept quiet. The latest takes the place of an earlier one.
type owed struct {
	Event  message.Event `json:"event"`
	Reason string        `json:"reason"`
	Shard  uint32        `json:"shard"` // of the change, as Seq and N
	Seq    uint64        `json:"seq"`
	N      uint32        `json:"n"`
	Due    time.Time     `json:"due"` // when to look again
}

// remember notes that t has been told.
func (s *subject) remember(t told) {
	if !slices.ContainsFunc(s.Told, func(o told) bool { return o.covers(t) && slices.Equal(o.Who, t.Who) }) {
		s.Told = append(s.Told, t)
	}
}

// next returns when a subject is to be looked at, zero when never.
func (s *subject) next() (due time.Time) {
	if !s.Done.IsZero() {
		due = s.Done.Add(keptSubject)
	}
	sooner := func(at time.Time) {
		if due.IsZero() || at.Before(due) {
			due = at
		}
	}
	for _, r := range s.Escalation {
		sooner(r.Due)
	}
	if s.Owed != nil {
		sooner(s.Owed.Due)
	}
	return due
}

// run is an escalation under way in one team.
type run struct {
	Began time.Time     `json:"began"`
	Next  int           `json:"next"` // step
	Due   time.Time     `json:"due"`
	Quiet time.Duration `json:"quiet,omitempty"` // for how long steps waited because it was quiet or clear
	Key   string        `json:"key"`             // of the change that began it
}

func (t *tx) subject(key string) (subject, error) {
	s, _, err := get[subject](t.Bucket([]byte("subjects")), []byte(key))
	return s, err
}

func (t *tx) putSubject(key string, s subject) error {
	if err := t.forgetDue(key, s.Due); err != nil {
		return err
	}
	s.Due = s.next()
	if !s.Due.IsZero() {
		if err := t.Bucket([]byte("due")).Put(dueKey(key, s.Due), nil); err != nil {
			return err
		}
	}
	return put(t.Bucket([]byte("subjects")), []byte(key), s)
}

func (t *tx) dropSubject(key string, s subject) error {
	if err := t.forgetDue(key, s.Due); err != nil {
		return err
	}
	return t.Bucket([]byte("subjects")).Delete([]byte(key))
}

func (t *tx) forgetDue(key string, due time.Time) error {
	if due.IsZero() {
		return nil
	}
	return t.Bucket([]byte("due")).Delete(dueKey(key, due))
}

// dueKey sorts by time.
func dueKey(key string, due time.Time) []byte {
	return append(number(uint64(due.UnixNano())), key...)
}

// dueSubjects returns the keys of at most limit subjects that are due, the earliest first, and when the one after them is; zero
// when none is.
func (t *tx) dueSubjects(now time.Time, limit int) (keys []string, next time.Time) {
	c := t.Bucket([]byte("due")).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		at := time.Unix(0, int64(binary.BigEndian.Uint64(k)))
		if at.After(now) || len(keys) == limit {
			return keys, at
		}
		keys = append(keys, string(k[8:]))
	}
	return keys, time.Time{}
}

// activeStorm returns the key of the storm that lasts in a tenant, "" when none does.
func (t *tx) activeStorm(tenant string) string {
	return string(t.Bucket([]byte("meta")).Get([]byte("storm:" + tenant)))
}

// forgetStorms forgets which storms last.
func (t *tx) forgetStorms() error {
	b := t.Bucket([]byte("meta"))
	var keys [][]byte
	err := b.ForEach(func(k, _ []byte) error {
		if bytes.HasPrefix(k, []byte("storm:")) {
			keys = append(keys, k)
		}
		return nil
	})
	for _, k := range keys {
		err = errors.Join(err, b.Delete(k))
	}
	return err
}

func (t *tx) setActiveStorm(tenant, key string) error {
	if key == "" {
		return t.Bucket([]byte("meta")).Delete([]byte("storm:" + tenant))
	}
	return t.Bucket([]byte("meta")).Put([]byte("storm:"+tenant), []byte(key))
}
