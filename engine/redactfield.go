package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// RedactField takes away what people wrote in a field of an incident: the title, "task 3", "report 5" (caller and text; the fifth that is
// shown), "ticket", "major" (the bridge), "review", "rating" or "proposal 2". Every version of it goes, from the entries that quote it too.
func (e *Engine) RedactField(ctx context.Context, incident event.IncidentID, field, reason, by string) error {
	v, err := e.View(ctx)
	if err != nil {
		return redactError(err)
	}
	w, err := e.fieldOf(v, incident, field)
	if err != nil {
		return err
	}
	return redactError(e.redactWords(ctx, w, incident.String()+" "+field, reason, by))
}

// fieldOf returns the words of a field, none of them known yet.
func (e *Engine) fieldOf(v *correlate.View, incident event.IncidentID, field string) (*words, error) {
	name, digits, numbered := strings.Cut(field, " ")
	number, err := strconv.ParseUint(digits, 10, 32)
	wants := name == "task" || name == "report" || name == "proposal"
	switch name {
	case "title", "task", "report", "ticket", "major", "review", "rating", "proposal":
	default:
		wants = !numbered // refused below
	}
	if wants != numbered || numbered && (err != nil || number == 0) {
		return nil, &event.Refusal{
			Code: event.Invalid, Message: "there is no field " + strconv.Quote(field),
			Hint: "title, task 1, report 1, ticket, major, review, rating or proposal 1",
		}
	}
	i, found := v.Incident(incident)
	if !found {
		return nil, &event.Refusal{Code: event.NotFound, Message: "there is no " + incident.String()}
	}
	w := newWords(name, incident, e.instance)
	w.number = number
	if name == "report" {
		if i.Dossier == nil || number > uint64(len(i.Dossier.Reports)) {
			return nil, &event.Refusal{Code: event.NotFound, Message: fmt.Sprintf("%v has no %s", incident, field), Hint: "they count from the oldest that is shown"}
		}
		w.number = event.ReportNumber(i.Dossier.Reports, int(number-1))
	}
	return w, nil
}

// redactWords takes words away: first those that the state holds, then what is left of them.
func (e *Engine) redactWords(ctx context.Context, w *words, what, reason, by string) error {
	end, err := e.collect(ctx, w, 0, by)
	if err != nil {
		return err
	}
	if w.field != "" && !w.present() {
		return &event.Refusal{Code: event.NotFound, Message: what + " holds nothing that a person wrote", Hint: "the words of alerts stay"}
	}
	if err := e.wordsAnew(ctx, w, by); err != nil {
		return err
	}
	if end, err = e.collect(ctx, w, end, by); err != nil {
		return err
	}
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	if len(w.inUse(v)) > 0 {
		return &event.Refusal{Code: event.Conflict, Message: what + " was given other words meanwhile", Hint: "try again"}
	}
	s := &sweep{what: what, incidents: w.incidents, change: w.hide, command: w.hideCommand, journalLast: w.field == ""}
	return s.run(ctx, e, end, reason, by)
}

// collect ends the segments and takes down what the field says in those from a record on. It returns the first record that is not in them.
func (e *Engine) collect(ctx context.Context, w *words, from uint64, by string) (end uint64, err error) {
	if end, err = e.endSegments(ctx, by); err != nil {
		return 0, err
	}
	v, err := e.View(ctx)
	if err != nil {
		return 0, err
	}
	w.family(v, w.incident)
	for _, id := range w.incidents { // the log may have let go of what a timeline still has
		look := func(ch *event.Change) (hit, more bool) { w.collect(ch); return false, true }
		if err := e.records.Redact(id, from, 0, look); err != nil {
			return 0, err
		}
	}
	err = e.walkChanges(ctx, from, end, func(changes []event.Change) {
		for i := range changes {
			w.collect(&changes[i])
		}
	})
	if err != nil {
		return 0, err
	}
	for seq, title := range w.split {
		if in, err := e.inputAt(seq); err != nil {
			return 0, err
		} else if in != nil && in.Command.Kind == event.Split && in.Command.Text == "" {
			w.machine[title] = true
		}
	}
	w.tellSuppliers()
	return end, nil
}

// inputAt returns a command that the journal still holds, nil when it holds none there.
func (e *Engine) inputAt(seq uint64) (*event.Input, error) {
	if seq < e.journal.First() {
		return nil, nil
	}
	return e.command(seq)
}

// held is a text in the state that goes.
type held struct {
	incident *correlate.Incident
	place    event.TextPlace
	words    string // what comes in its place
}

// inUse returns the texts in a state that go.
func (w *words) inUse(v *correlate.View) (out []held) {
	for _, id := range w.incidents {
		i, found := v.Incident(id)
		if !found {
			continue
		}
		i.Texts(func(p event.TextPlace, text *string) {
			if w.elsewhere(id, p.Part) {
				return
			}
			if to := w.instead(p.Part, *text); to != *text {
				out = append(out, held{&i, p, to})
			}
		})
	}
	return out
}

// wordsAnew puts other words in the place of those that the state holds.
func (e *Engine) wordsAnew(ctx context.Context, w *words, by string) error {
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	for _, h := range w.inUse(v) {
		err := e.say(ctx, event.Command{
			Kind: event.Redact, Incident: uint64(h.incident.ID), Tenant: h.incident.Tenant, Actor: by,
			Redaction: &event.Redaction{Place: h.place, Words: h.words},
		}, "try again in a moment")
		if err != nil {
			return err
		}
	}
	return nil
}

// RedactOutage takes away the cause that people gave of an outage, in every version of it.
func (e *Engine) RedactOutage(ctx context.Context, tenant string, number uint32, reason, by string) error {
	x := &outageWords{tenant: tenant, number: number, key: e.instance}
	return redactError(e.redactOutage(ctx, x, reason, by))
}

func (e *Engine) redactOutage(ctx context.Context, x *outageWords, reason, by string) error {
	what := fmt.Sprintf("outage %d", x.number)
	end, err := e.endSegments(ctx, by)
	if err != nil {
		return err
	}
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	look := *x
	err = e.walkChanges(ctx, 0, end, func(changes []event.Change) {
		for i := range changes {
			look.hide(&changes[i])
		}
	})
	if err != nil {
		return err
	}
	now := x.now(v)
	switch {
	case now == nil && !look.found:
		return &event.Refusal{Code: event.NotFound, Message: "there is no " + what, Hint: "`tocsin outage list` lists those there are"}
	case !look.present && (now == nil || now.Cause == "" || now.Cause == look.machine || now.ByMachine && now.ConfirmedBy == ""):
		return &event.Refusal{Code: event.Invalid, Message: what + " holds no cause that a person wrote", Hint: "the words of alerts stay"}
	}
	if now != nil && now.Cause != look.machine {
		if words := event.RedactedAs(now.Cause, x.key); words != now.Cause {
			err := e.say(ctx, event.Command{
				Kind: event.Redact, Tenant: x.tenant, Actor: by, Redaction: &event.Redaction{Outage: x.number, Words: words},
			}, "try again in a moment")
			if err != nil {
				return err
			}
		}
	}
	if end, err = e.endSegments(ctx, by); err != nil {
		return err
	}
	x.reported, x.machine = look.reported, look.machine
	return (&sweep{what: what, change: x.hide, command: x.hideCommand, journalLast: true}).run(ctx, e, end, reason, by)
}

// outageWords are the causes of an outage. What the machine proposed is made of alerts, and stays.
type outageWords struct {
	tenant   string
	number   uint32
	key      uint64
	machine  string // cause that the machine proposed
	reported uint64 // record whose command made it, 0: the machine did
	found    bool
	present  bool // a person's cause
}

func (x *outageWords) now(v *correlate.View) *event.Outage {
	for o := range v.Outages(x.tenant) {
		if o.Number == x.number && o.Tenant == x.tenant {
			return o
		}
	}
	return nil
}

func (x *outageWords) hide(ch *event.Change) bool {
	o := ch.Outage
	if o == nil || o.Number != x.number || o.Tenant != x.tenant {
		return false
	}
	if !x.found && o.Known == ch.At {
		if o.ByMachine {
			x.machine = strings.Clone(o.Cause) // a reader's memory is used again
		} else {
			x.reported = ch.Seq
		}
	}
	x.found = true
	if o.Cause == x.machine || o.Cause == "" {
		return false
	}
	x.present = true
	return redacted(&o.Cause, x.key)
}

func (x *outageWords) hideCommand(seq uint64, c *event.Command) bool {
	if c.Kind != event.SetOutage || c.Outage == nil || c.Tenant != x.tenant || c.Outage.Number != x.number && seq != x.reported {
		return false
	}
	return c.Outage.Cause != x.machine && redacted(&c.Outage.Cause, x.key)
}

// redacted takes a text away that decisions compare with others.
func redacted(text *string, key uint64) bool {
	to := event.RedactedAs(*text, key)
	hit := to != *text
	*text = to
	return hit
}

// RedactAttribute takes away the values of an attribute of a configuration item, in every version of it.
func (e *Engine) RedactAttribute(ctx context.Context, tenant, id, attribute, reason, by string) error {
	if !itsm.IsFreeText(attribute) {
		return &event.Refusal{
			Code: event.Invalid, Message: attribute + " is no free text", Hint: "set another value; what it was stays in the history",
		}
	}
	x := &attributeWords{tenant: tenant, id: id, attribute: attribute, key: e.instance}
	return redactError(e.redactAttribute(ctx, x, reason, by))
}

func (e *Engine) redactAttribute(ctx context.Context, x *attributeWords, reason, by string) error {
	what := "attribute " + x.attribute + " of " + x.id
	v, err := e.View(ctx)
	if err != nil {
		return err
	}
	if v.CMDB().Find(x.tenant, x.id) != 0 {
		err := e.say(ctx, event.Command{
			Kind: event.Redact, Tenant: x.tenant, Actor: by, Redaction: &event.Redaction{CI: x.id, Attribute: x.attribute, Key: x.key},
		}, "try again in a moment")
		if err != nil {
			return err
		}
	}
	end, err := e.endSegments(ctx, by)
	if err != nil {
		return err
	}
	look := *x
	err = e.walkChanges(ctx, 0, end, func(changes []event.Change) {
		for i := range changes {
			look.hide(&changes[i])
		}
	})
	if err != nil {
		return err
	}
	if !look.found {
		return &event.Refusal{Code: event.NotFound, Message: "there is no " + what}
	}
	return (&sweep{what: what, change: x.hide, command: x.hideCommand}).run(ctx, e, end, reason, by)
}

// attributeWords are the values of an attribute of a configuration item.
type attributeWords struct {
	tenant, id, attribute string
	key                   uint64
	found                 bool
}

func (x *attributeWords) hide(ch *event.Change) bool {
	return ch.CI != nil && ch.CI.Tenant == x.tenant && x.hideIn(ch.CI)
}

func (x *attributeWords) hideIn(ci *event.CI) (hit bool) {
	if ci.ID != x.id {
		return false
	}
	for n := range ci.Attributes {
		if l := &ci.Attributes[n]; l.Name == x.attribute && l.Value != "" {
			x.found = true
			hit = redacted(&l.Value, x.key) || hit
		}
	}
	return hit
}

func (x *attributeWords) hideCommand(_ uint64, c *event.Command) (hit bool) {
	if c.CIs == nil || c.Tenant != x.tenant {
		return false
	}
	for n := range c.CIs.Set {
		hit = x.hideIn(&c.CIs.Set[n]) || hit
	}
	return hit
}
