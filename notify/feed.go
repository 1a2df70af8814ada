package notify

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// keptFeed bounds the feed of deliveries: as many as a busy house has in some days, for whoever reads it was away so long.
const keptFeed = 50_000

// Delivery is one message that a receiver took; one that was for several persons is one for each of them.
type Delivery struct {
	Number      uint64        `json:"-"` // in order, from 1
	At          time.Time     `json:"at"`
	Tenant      string        `json:"tenant"`
	Incident    string        `json:"incident,omitempty"` // INC-42; "" when it is about none
	Subject     string        `json:"subject"`            // what it is about: INC-42, OUT-3, …
	Event       message.Event `json:"event"`
	Receiver    string        `json:"receiver"`
	Integration string        `json:"integration"` // kind of the receiver: email, slack, …
	Team        string        `json:"team,omitempty"`
	Person      string        `json:"person,omitempty"` // login; "" when it was for nobody in person
	Rings       bool          `json:"rings"`            // it interrupts somebody
	Step        int           `json:"step"`             // of the escalation
	Attempts    int           `json:"attempts"`
	Delay       time.Duration `json:"delay"` // from what happened to the delivery
}

// Deliveries lists what receivers took after a number, in order, at most limit. Of the latest 50,000 it knows; what is older left the feed.
func (n *Notifier) Deliveries(after uint64, limit int) (out []Delivery, err error) {
	err = n.store.view(func(t *tx) error {
		c := t.Bucket([]byte("feed")).Cursor()
		for k, text := c.Seek(number(after + 1)); k != nil && len(out) < limit; k, text = c.Next() {
			d := Delivery{Number: binary.BigEndian.Uint64(k)}
			if err := json.Unmarshal(text, &d); err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

// ForgetDeliveries takes a person out of the feed: that somebody was told stays.
func (n *Notifier) ForgetDeliveries(login string) error {
	return n.store.update(func(t *tx) error {
		b := t.Bucket([]byte("feed"))
		theirs := map[string]Delivery{}
		if err := each(b, func(key []byte, d Delivery) error {
			if d.Person == login {
				d.Person = ""
				theirs[string(key)] = d
			}
			return nil
		}); err != nil {
			return err
		}
		for key, d := range theirs {
			if err := put(b, []byte(key), d); err != nil {
				return err
			}
		}
		return nil
	})
}

// deliveriesOf is what a message that was taken is in the feed. A test is nothing that happened.
func deliveriesOf(s *settings.Settings, receiver string, e *envelope, now time.Time) []Delivery {
	if e.Message.Event == message.Test {
		return nil
	}
	m, data := &e.Message, &e.Message.Data
	d := Delivery{
		At: now, Tenant: data.Tenant, Subject: strings.TrimPrefix(m.Subject, data.Tenant+"/"), Event: m.Event, Receiver: receiver,
		Team: data.Team, Step: data.Step, Attempts: e.Attempts, Delay: max(now.Sub(m.At), 0),
	}
	if data.Incident != nil {
		d.Incident = data.Incident.ID
	}
	if r := s.Receiver(receiver); r != nil {
		d.Integration = r.Kind
	}
	var out []Delivery
	for _, who := range e.Who {
		d.Person = personOf(s, who)
		d.Rings = interrupts(d.Integration, d.Person, m)
		if !slices.ContainsFunc(out, func(o Delivery) bool { return o.Person == d.Person }) {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		d.Rings = interrupts(d.Integration, "", m)
		out = append(out, d)
	}
	return out
}

// personOf returns the login of whoever a message was for: a contact that is a person, or a person without one. A group is nobody.
func personOf(s *settings.Settings, who string) string {
	if c := s.Contact(who); c != nil {
		return c.User
	}
	return who
}

// interrupts tells whether a message interrupts: what pages does, and so does what goes to one person. A channel, a mailing list, the word that
// it is over and what waited through quiet hours do not.
func interrupts(integration, person string, m *message.Message) bool {
	if m.Resolved || m.Event == message.Digest {
		return false
	}
	return person != "" || slices.Contains([]string{"pagerduty", "opsgenie", "victorops", "pushover"}, integration)
}

// feed adds deliveries and drops the oldest.
func (t *tx) feed(list []Delivery) error {
	b := t.Bucket([]byte("feed"))
	for _, d := range list {
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		if err := put(b, number(n), d); err != nil {
			return err
		}
		if n <= keptFeed {
			continue
		}
		if oldest, _ := b.Cursor().First(); binary.BigEndian.Uint64(oldest) <= n-keptFeed {
			if err := b.Delete(oldest); err != nil {
				return err
			}
		}
	}
	return nil
}
