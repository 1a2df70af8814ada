package notify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// core is a source of changes that a test writes.
type core struct {
	mu        sync.Mutex
	changes   []event.Change
	more      chan struct{}
	incidents map[event.IncidentID]*event.IncidentState
	quiet     map[event.IncidentID]bool
	shared    map[event.IncidentID]map[string]string
	first     uint64 // what is before it is no longer kept
}

func newCore() *core {
	return &core{more: make(chan struct{}), incidents: map[event.IncidentID]*event.IncidentState{}, quiet: map[event.IncidentID]bool{}, shared: map[event.IncidentID]map[string]string{}}
}

func (c *core) Changes(ctx context.Context, after string) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		var shard, seq, n uint64
		_, _ = fmt.Sscanf(after, "%d.%d.%d", &shard, &seq, &n)
		c.mu.Lock()
		gone := seq+1 < c.first
		c.mu.Unlock()
		if gone {
			yield(nil, ErrGone)
			return
		}
		for {
			c.mu.Lock()
			list, more := slices.Clone(c.changes), c.more
			c.mu.Unlock()
			for i := range list {
				if list[i].Seq > seq {
					seq = list[i].Seq
					if !yield(&list[i], nil) {
						return
					}
				}
			}
			if !yield(&event.Change{Seq: seq, N: 1<<32 - 1}, nil) {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-more:
			}
		}
	}
}

func (c *core) Head() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("0.%d.0", len(c.changes))
}

func (c *core) Incident(_ context.Context, id event.IncidentID) (*Subject, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.incidents[id] == nil {
		return nil, ErrNoIncident
	}
	i := *c.incidents[id]
	return &Subject{State: i, Quiet: c.quiet[id], Shared: c.sharedOf(id), Data: message.Incident{
		ID: id.String(), Title: i.Title, Priority: int(i.Priority), Severity: i.Severity.String(), OpenedAt: i.OpenedAt.Time(), Firing: 1, Total: 1,
	}}, nil
}

func (c *core) Open(context.Context, string) (out []Subject, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(c.incidents)) {
		if i := c.incidents[id]; i.Phase == event.IncidentOpen {
			out = append(out, Subject{State: *i, Quiet: c.quiet[id], Shared: c.sharedOf(id)})
		}
	}
	return out, nil
}

func (c *core) Service(_ context.Context, _, id string) (name, team string, err error) {
	return strings.ToUpper(id), map[string]string{"s-pay": "ops"}[id], nil
}

// sharedOf returns the labels that a test gave all alerts of an incident.
func (c *core) sharedOf(id event.IncidentID) func() map[string]string {
	labels := c.shared[id]
	return func() map[string]string { return labels }
}

// share gives all alerts of an incident a label.
func (c *core) share(id event.IncidentID, labels map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shared[id] = labels
}

// happen appends a change of an incident, after edit.
func (c *core) happen(kind event.ChangeKind, id event.IncidentID, edit func(*event.IncidentState)) {
	c.by("", kind, id, "", edit)
}

// by is happen on somebody's word.
func (c *core) by(actor string, kind event.ChangeKind, id event.IncidentID, words string, edit func(*event.IncidentState)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.incidents[id]
	if i == nil {
		i = &event.IncidentState{ID: id, Tenant: "main", Phase: event.IncidentOpen, Severity: event.Critical, Priority: 2, Title: "Down", OpenedAt: event.FromTime(time.Now())}
	}
	next := *i
	if edit != nil {
		edit(&next)
	}
	c.incidents[id] = &next
	c.add(event.Change{Kind: kind, Incident: &next, Actor: actor, Text: words})
}

func (c *core) add(ch event.Change) {
	ch.Seq, ch.At = uint64(len(c.changes)+1), event.FromTime(time.Now())
	c.changes = append(c.changes, ch)
	close(c.more)
	c.more = make(chan struct{})
}

// append adds a change of something else.
func (c *core) append(ch event.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(ch)
}

// due ends an incident's hold.
func (c *core) due(id event.IncidentID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(event.Change{Kind: event.IncidentUnheld, Incident: c.incidents[id], Text: "due"})
}

// hush makes an incident quiet, or not.
func (c *core) hush(id event.IncidentID, quiet bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet[id] = quiet
}

// forget drops all changes so far.
func (c *core) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = uint64(len(c.changes)) + 1
}

func (c *core) storm(kind event.ChangeKind, s event.Storm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Tenant = "main"
	c.add(event.Change{Kind: kind, Storm: &s})
}

// phone is a receiver that a test answers for.
type phone struct {
	name string
	mu   sync.Mutex
	got  []message.Message
	to   [][]string
	send func() (bool, error)
	fail map[string]error // by subject: it may pass
}

func (p *phone) Name() string { return p.name }

func (p *phone) Send(_ context.Context, m message.Message, to []string) (bool, error) {
	p.mu.Lock()
	send, fails := p.send, p.fail[m.Subject]
	p.mu.Unlock()
	if fails != nil {
		return true, fails
	}
	if send != nil {
		if retry, err := send(); err != nil {
			return retry, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got, p.to = append(p.got, m), append(p.to, to)
	return false, nil
}

// fails makes the phone fail at what is about a subject, or no longer.
func (p *phone) fails(subject string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		p.fail = map[string]error{}
	}
	p.fail[subject] = err
}

func (p *phone) answer(send func() (bool, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send = send
}

// titles returns what the phone was told, in order.
func (p *phone) titles() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.got {
		if m.Event == message.Digest { // its subject is its key
			m.Subject = ""
		}
		out = append(out, strings.TrimSpace(string(m.Event)+" "+m.Subject))
	}
	return out
}

// addressees returns whom each message was for.
func (p *phone) addressees() [][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.to)
}

// message returns the n-th message.
func (p *phone) message(n int) message.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got[n]
}

type people map[string]string

func (p people) Person(login string) (Person, bool) {
	mail, ok := p[login]
	return Person{Name: strings.ToUpper(login), Addresses: map[string]string{"email": mail}}, ok
}

func (p people) Login(id string) string { return strings.TrimPrefix(id, "u-") }

// staff are the people with an address.
func staff() people {
	out := people{}
	for _, login := range []string{"ann", "bob", "cleo", "dan", "eve"} {
		out[login] = login + "@example.org"
	}
	return out
}

const house = `
receivers:
  - {name: hook, webhook: {url: 'http://a.example.org'}}
  - {name: other, webhook: {url: 'http://b.example.org'}}
  - {name: mail, email: {smarthost: 'x:25', from: a@example.org}}
contacts:
  - {name: ann, user: ann, receivers: [mail]}
  - {name: bob, user: bob, receivers: [mail]}
  - {name: boss, email: boss@example.org, receivers: [mail]}
teams:
  - name: ops
    members: [ann, bob]
    rotation: [{members: [ann, bob], start: 2000-01-01 00:00, length: 1d}]
    quiet_hours: {only: [{times: [{start_time: '22:00', end_time: '24:00'}, {start_time: '00:00', end_time: '07:00'}]}], rings: 2}
    escalation:
      - notify: [oncall, hook]
      - after: {P1: 5m, P2: 15m}
        notify: [team]
      - after: {P1: 15m, P2: 45m}
        notify: [boss]
routes:
  - {services: [shop], receivers: [other], priorities: [1, 2, 3]}
  - {team: ops, priorities: [1, 2, 3]}
`

// office is a notifier with everything around it.
type office struct {
	t      *testing.T
	core   *core
	phones map[string]*phone
	path   string
	n      *Notifier
	stop   func()
}

func open(t *testing.T, text string) *office {
	o := &office{t: t, core: newCore(), path: filepath.Join(t.TempDir(), "notify.db"), phones: map[string]*phone{}}
	for _, name := range []string{"hook", "other", "mail"} {
		o.phones[name] = &phone{name: name}
	}
	o.start(text)
	return o
}

// parsed reads settings.
func parsed(t *testing.T, text string) *settings.Settings {
	t.Helper()
	s, err := settings.Parse("n.yml", []byte(text))
	require.NoError(t, err)
	return s
}

func (o *office) start(text string) {
	s := parsed(o.t, text)
	tmpl, err := message.New("", nil, nil)
	require.NoError(o.t, err)
	c := Config{Settings: s, Templates: tmpl, Receivers: map[string]receivers.Receiver{}}
	for name, p := range o.phones {
		c.Receivers[name] = p
	}
	o.n, err = Open(Options{Path: o.path, Source: o.core, Config: c, People: staff()})
	require.NoError(o.t, err)
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = o.n.Run(ctx)
	}()
	o.stop = func() {
		cancel()
		<-done
		require.NoError(o.t, o.n.Close())
	}
	o.settle()
}

// settle lets everything happen that is due now.
func (o *office) settle() { time.Sleep(20 * time.Millisecond) }

func (o *office) told(phone string, want ...string) {
	o.t.Helper()
	o.settle()
	require.Equal(o.t, want, o.phones[phone].titles())
}

// stormBegins begins a storm that one opening of priority 2, told singly and over, set off. Nothing of that is in the phones.
func (o *office) stormBegins(s event.Storm) {
	o.core.happen(event.IncidentOpened, 900, nil)
	o.core.happen(event.IncidentResolved, 900, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
	o.core.storm(event.StormBegan, s)
	o.settle()
	o.clear()
}

// clear empties the phones.
func (o *office) clear() {
	for _, p := range o.phones {
		p.mu.Lock()
		p.got, p.to = nil, nil
		p.mu.Unlock()
	}
}

func noon() { // synctest begins at midnight of 2000-01-01, inside quiet hours
	time.Sleep(12 * time.Hour)
}

func TestAnIncidentIsToldOnceToEachOfItsFirstContacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.told("hook", "opened main/INC-1")
		o.told("mail", "opened main/INC-1")
		require.Equal(t, [][]string{{"ann@example.org"}}, o.phones["mail"].addressees())
		o.core.happen(event.IncidentUpdated, 1, nil)
		o.core.happen(event.IncidentUpdated, 1, func(i *event.IncidentState) { i.Priority = 1 })
		o.told("hook", "opened main/INC-1", "raised main/INC-1")
		o.core.happen(event.IncidentResolved, 1, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		o.told("hook", "opened main/INC-1", "raised main/INC-1", "resolved main/INC-1")
		require.Empty(t, o.phones["other"].titles())
	})
}

func TestARouteForAServiceIsTakenBeforeTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Labels = event.Labels{{Name: "service", Value: "shop"}} })
		o.told("other", "opened main/INC-1")
		require.Empty(t, o.phones["hook"].titles())
	})
}

func TestNobodyAcknowledgesAndTheNextContactIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		time.Sleep(14 * time.Minute)
		o.told("mail", "opened main/INC-1")
		time.Sleep(2 * time.Minute)
		o.told("mail", "opened main/INC-1", "escalated main/INC-1")
		require.Equal(t, []string{"ann@example.org", "bob@example.org"}, o.phones["mail"].addressees()[1])
		require.Contains(t, o.phones["mail"].message(1).Text, "Nobody has acknowledged it: step 2 of 3")
		require.Contains(t, o.phones["mail"].message(1).Title, "unacknowledged for 15 min")
		o.core.happen(event.IncidentAcknowledged, 1, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 1, "u-bob" })
		o.core.happen(event.IncidentAcknowledged, 1, nil)
		time.Sleep(3 * time.Hour)
		o.told("mail", "opened main/INC-1", "escalated main/INC-1")
		o.core.happen(event.IncidentWorse, 1, func(i *event.IncidentState) { i.WorseAt, i.Priority = 2, 1 })
		time.Sleep(6 * time.Minute)
		o.told("mail", "opened main/INC-1", "escalated main/INC-1", "worse main/INC-1", "escalated main/INC-1")
		require.Contains(t, o.phones["mail"].message(2).Text, "Acknowledged by BOB")
	})
}

func TestAStepWaitsWhileTheIncidentIsQuietOrClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.mu.Lock()
		o.core.quiet[1] = true
		o.core.mu.Unlock()
		time.Sleep(time.Hour)
		o.told("mail", "opened main/INC-1")
		o.core.mu.Lock()
		o.core.quiet[1] = false
		o.core.mu.Unlock()
		time.Sleep(2 * time.Minute)
		require.Equal(t, []string{"opened main/INC-1", "escalated main/INC-1"}, o.phones["mail"].titles()[:2])
	})
}

func TestWhatGetsWorseInASilenceRingsWhenTheSilenceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		quiet := func(is bool) {
			o.core.mu.Lock()
			defer o.core.mu.Unlock()
			o.core.quiet[1] = is
		}
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.happen(event.IncidentSnoozed, 1, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 1, "u-bob" })
		time.Sleep(time.Minute)
		quiet(true)
		o.core.happen(event.IncidentWoke, 1, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 0, "" })
		o.core.happen(event.IncidentUpdated, 1, func(i *event.IncidentState) { i.Priority = 1 })
		time.Sleep(3 * time.Hour)
		o.told("mail", "opened main/INC-1")
		quiet(false)
		time.Sleep(2 * time.Minute)
		o.told("mail", "opened main/INC-1", "raised main/INC-1")
		require.Contains(t, o.phones["mail"].message(1).Text, "The priority rose from P2 to P1; until now it was kept quiet")
		quiet(true)
		o.core.happen(event.IncidentAcknowledged, 1, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 3, "u-bob" })
		o.core.happen(event.IncidentWorse, 1, func(i *event.IncidentState) { i.WorseAt = 4 })
		o.core.happen(event.IncidentAcknowledged, 1, func(i *event.IncidentState) { i.WorseAt = 0 })
		time.Sleep(time.Hour)
		quiet(false)
		time.Sleep(time.Hour)
		o.told("mail", "opened main/INC-1", "raised main/INC-1")
	})
}

func TestAReceiverThatIsDownForAnHourLosesAndDoublesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].answer(func() (bool, error) { return true, errors.New("connection refused") })
		for id := event.IncidentID(1); id <= 5; id++ {
			o.core.happen(event.IncidentOpened, id, nil)
			o.core.happen(event.IncidentAcknowledged, id, func(i *event.IncidentState) { i.AckedAt = 1 })
		}
		time.Sleep(time.Hour)
		require.Len(t, o.phones["mail"].titles(), 5, "another receiver is not held up")
		st := o.n.Receivers()[0]
		require.Equal(t, "hook", st.Name)
		require.Equal(t, 5, st.Pending)
		require.Equal(t, "connection refused", st.LastError)
		require.Greater(t, st.Failures, 10)
		o.phones["hook"].answer(nil)
		time.Sleep(6 * time.Minute)
		o.told("hook", "opened main/INC-1", "opened main/INC-2", "opened main/INC-3", "opened main/INC-4", "opened main/INC-5")
		require.Zero(t, o.n.Receivers()[0].Pending)
	})
}

func TestFiveHundredThenTwoHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		asked := 0
		o.phones["hook"].answer(func() (bool, error) {
			if asked++; asked == 1 {
				return true, &receivers.RetryLater{After: 30 * time.Second, Err: errors.New("500")}
			}
			return false, nil
		})
		o.core.happen(event.IncidentOpened, 1, nil)
		time.Sleep(29 * time.Second)
		require.Empty(t, o.phones["hook"].titles(), "it asked to be left alone for 30 s")
		time.Sleep(2 * time.Second)
		o.told("hook", "opened main/INC-1")
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.Equal(t, 2, history[0].Attempts)
		require.Equal(t, "sent", history[0].Outcome)
	})
}

func TestWhatCannotBeDeliveredIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].answer(func() (bool, error) { return false, errors.New("404: no such hook") })
		o.core.happen(event.IncidentOpened, 1, nil)
		o.settle()
		history, err := o.n.History(10)
		require.NoError(t, err)
		outcomes := map[string]string{}
		for _, s := range history {
			outcomes[s.Receiver] = s.Outcome + " " + s.Error
		}
		require.Equal(t, map[string]string{"hook": "failed 404: no such hook", "mail": "sent "}, outcomes)
		o.phones["hook"].answer(func() (bool, error) { return true, errors.New("down") })
		o.core.happen(event.IncidentOpened, 2, func(i *event.IncidentState) { i.AckedAt = 1 })
		time.Sleep(25 * time.Hour)
		history, err = o.n.History(100)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool { return s.Outcome == "expired" && s.Subject == "main/INC-2" }))
	})
}

func TestAKillBetweenSendingAndRememberingRepeatsWithTheSameKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		noon()
		copied := o.path + ".copy"
		o.phones["hook"].answer(func() (bool, error) { // the file as it is while the message is on its way
			b, err := os.ReadFile(o.path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(copied, b, 0o600))
			return false, nil
		})
		o.core.happen(event.IncidentOpened, 1, nil)
		o.told("hook", "opened main/INC-1")
		o.stop()
		o.phones["hook"].answer(nil)
		o.path = copied
		o.start(house)
		defer o.stop()
		o.told("hook", "opened main/INC-1", "opened main/INC-1")
		require.Equal(t, o.phones["hook"].message(0).Key, o.phones["hook"].message(1).Key)
		time.Sleep(20 * time.Minute)
		require.Len(t, o.phones["hook"].titles(), 2, "nothing else is doubled")
	})
}

func TestAStormIsOneMessageWithHonestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		noon()
		for id := event.IncidentID(1); id <= 1000; id++ {
			if id == 21 {
				o.core.storm(event.StormBegan, event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 20, Worst: 2})
			}
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) {
				if id > 20 {
					i.Storm = 1
				}
				if id == 500 {
					i.Priority = 1
				}
			})
		}
		time.Sleep(time.Second)
		count := func() map[string]int {
			out := map[string]int{}
			for _, title := range o.phones["hook"].titles() {
				e, _, _ := strings.Cut(title, " ")
				out[e]++
			}
			return out
		}
		require.Equal(t, map[string]int{"opened": 21, "storm_began": 1}, count(), "20 before it, and the one of priority 1")
		before := len(o.phones["hook"].titles())
		o.stop() // restart in mid-storm
		o.start(house)
		defer o.stop()
		o.settle()
		require.Len(t, o.phones["hook"].titles(), before, "nothing rings twice")
		o.core.happen(event.IncidentAcknowledged, 30, func(i *event.IncidentState) { i.AckedAt = 1 })
		ended := event.FromTime(time.Now())
		o.core.storm(event.StormEnded, event.Storm{Number: 1, BeganAt: ended - event.Minute, EndedAt: ended, Openings: 1000, Held: 979, Worst: 1})
		o.settle()
		require.Equal(t, map[string]int{"opened": 21, "storm_began": 1, "storm_ended": 1}, count())
		last := o.phones["hook"].message(len(o.phones["hook"].titles()) - 1)
		require.Contains(t, last.Text, "1000 incidents opened, 979 of them were not told singly")
		o.core.happen(event.IncidentResolved, 700, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		o.settle()
		require.Zero(t, count()["resolved"], "who was not told of it is not told that it is over")
	})
}

func TestQuietHoursCollectWhatCanWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority = 3 })
		o.core.happen(event.IncidentOpened, 2, func(i *event.IncidentState) { i.Priority = 3 })
		o.core.happen(event.IncidentOpened, 3, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.told("mail", "opened main/INC-3")
		time.Sleep(7 * time.Hour)
		o.settle()
		require.Len(t, o.phones["mail"].titles(), 2)
		digest := o.phones["mail"].message(1)
		require.Equal(t, message.Digest, digest.Event)
		require.Equal(t, "While it was quiet: 2 incidents", digest.Title)
		require.Contains(t, digest.Text, "INC-1")
		require.Contains(t, digest.Text, "INC-2")
	})
}

func TestWhoResolvedIsToldThatItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.happen(event.IncidentResolved, 1, func(i *event.IncidentState) { i.Phase, i.ResolvedBy = event.IncidentDone, "u-bob" })
		o.core.happen(event.IncidentReopened, 1, func(i *event.IncidentState) { i.Phase, i.ResolvedBy = event.IncidentOpen, "" })
		o.told("mail", "opened main/INC-1", "resolved main/INC-1", "reopened main/INC-1", "reopened main/INC-1")
		require.Equal(t, []string{"bob@example.org"}, o.phones["mail"].addressees()[3])
		require.Contains(t, o.phones["mail"].message(3).Text, "You had resolved it")
	})
}

func TestTheHistoryBeforeTheFirstStartRingsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{t: t, core: newCore(), path: filepath.Join(t.TempDir(), "notify.db"), phones: map[string]*phone{"hook": {name: "hook"}, "mail": {name: "mail"}}}
		o.core.happen(event.IncidentOpened, 1, nil)
		o.start(house)
		defer o.stop()
		o.told("hook")
	})
}

func TestAnEscalationThatFellDueWhileTheDaemonWasAwayIsLateAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.settle()
		o.stop()
		time.Sleep(20 * time.Minute)
		o.start(house)
		defer o.stop()
		time.Sleep(time.Second)
		o.told("mail", "opened main/INC-1", "escalated main/INC-1")
		require.Contains(t, o.phones["mail"].message(1).Text, "late by 5 min")
	})
}

func TestAnOverridePutsSomebodyElseOnCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		_, err := o.n.SetOverride(Override{Team: "nobody", Who: "bob", From: time.Now(), Until: time.Now().Add(time.Hour)})
		require.ErrorIs(t, err, ErrNoTeam)
		id, err := o.n.SetOverride(Override{Team: "ops", Who: "bob", From: time.Now(), Until: time.Now().Add(time.Hour), By: "ann"})
		require.NoError(t, err)
		teams, err := o.n.Teams()
		require.NoError(t, err)
		require.Equal(t, "bob", teams[0].OnCall)
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.settle()
		require.Equal(t, [][]string{{"bob@example.org"}}, o.phones["mail"].addressees())
		require.NoError(t, o.n.DropOverride(id))
		require.ErrorIs(t, o.n.DropOverride(id), ErrNoOverride)
	})
}

func TestAPreviewSendsNothingAndATestSendsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority = 5 })
		m, err := o.n.Preview(t.Context(), 1, "hook", message.Opened)
		require.NoError(t, err)
		require.Equal(t, "P5 Down (INC-1)", m.Title)
		_, err = o.n.Preview(t.Context(), 1, "nothing", message.Opened)
		require.ErrorIs(t, err, ErrNoReceiver)
		require.Empty(t, o.phones["hook"].titles())
		_, err = o.n.Test(t.Context(), "hook", nil)
		require.NoError(t, err)
		require.Len(t, o.phones["hook"].titles(), 1)
	})
}

func TestARateHoldsBackWhatIsOverIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "{name: other,", "{name: other, rate: 2/1m,", 1))
		defer o.stop()
		for id := event.IncidentID(1); id <= 4; id++ {
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) { i.Labels = event.Labels{{Name: "service", Value: "shop"}} })
		}
		o.told("other", "opened main/INC-1", "opened main/INC-2")
		time.Sleep(31 * time.Second)
		require.Len(t, o.phones["other"].titles(), 3)
		time.Sleep(31 * time.Second)
		require.Len(t, o.phones["other"].titles(), 4)
	})
}

func TestAPersonWithoutAnAddressIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "user: ann,", "user: carla,", 1))
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.settle()
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool { return strings.Contains(s.Error, "there is no address of ann") }), history)
	})
}
