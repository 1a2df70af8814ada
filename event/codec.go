package event

import (
	"fmt"
	"hash/maphash" // pure: a key for hashing only; nothing that is written depends on it
	"slices"

	"github.com/cespare/xxhash/v2"
)

// codecVersion is the first byte of every record. Records of an older version are read too: what they lack is zero. A later one
// is refused.
const codecVersion = 3

// openRecord reads the version in front of a record.
func openRecord(record []byte, newest byte) (coder, error) {
	if len(record) == 0 || record[0] == 0 || record[0] > newest {
		return coder{}, fmt.Errorf("%w: unknown version", ErrMalformed)
	}
	return coder{buf: record[1:], reading: true, version: record[0]}, nil
}

// Encoder writes inputs as journal records. Content that was already written in full in the current segment is named by its
// number there (a touch), so a repeat costs some 20 bytes. One goroutine owns it.
type Encoder struct {
	seed  maphash.Seed
	table []known // open addressing, power of two
	used  int
}

// known is one content of the segment: 96 bits of hash (32 of them keyed, so that nobody can forge a twin) and its number.
type known struct {
	hash  uint64
	check uint32
	index uint32 // 1-based; 0 is a free place
}

// NewEncoder returns an encoder; seed keys its table and leaves no trace in what is written.
func NewEncoder(seed maphash.Seed) *Encoder { return &Encoder{seed: seed} }

// Reset forgets the segment's contents: a new segment begins.
func (e *Encoder) Reset() {
	clear(e.table)
	e.used = 0
}

// Append appends in's record to dst. Seq and At are the journal frame's and not part of it.
func (e *Encoder) Append(dst []byte, in *Input) []byte {
	c := coder{buf: append(dst, codecVersion), version: codecVersion}
	codeHead(&c, in)
	if in.Kind == InputEvents {
		codeBatchHead(&c, in.Batch)
		e.appendEvents(&c, in.Batch.Events)
	}
	return c.buf
}

func (e *Encoder) appendEvents(c *coder, events []Event) {
	c.count(len(events))
	var base Time
	for i := range events {
		ev := &events[i]
		index, isNew := e.place(ev)
		if isNew {
			index = 0
		}
		number(c, &index)
		if isNew {
			c.bytes(&ev.content)
		}
		codeTimes(c, ev, &base)
	}
}

// place returns the number of ev's content in this segment and whether it has yet to be written.
func (e *Encoder) place(ev *Event) (index uint32, isNew bool) {
	if e.used*4 >= len(e.table)*3 {
		e.grow()
	}
	check := uint32(maphash.Bytes(e.seed, ev.content))
	mask := uint64(len(e.table) - 1)
	for i := ev.Content & mask; ; i = (i + 1) & mask {
		k := &e.table[i]
		if k.index == 0 {
			e.used++
			*k = known{ev.Content, check, uint32(e.used)}
			return k.index, true
		}
		if k.hash == ev.Content && k.check == check {
			return k.index, false
		}
	}
}

func (e *Encoder) grow() {
	old := e.table
	e.table = make([]known, max(1024, 2*len(old)))
	mask := uint64(len(e.table) - 1)
	for _, k := range old {
		if k.index == 0 {
			continue
		}
		i := k.hash & mask
		for e.table[i].index != 0 {
			i = (i + 1) & mask
		}
		e.table[i] = k
	}
}

// Decoder reads a segment's records in their order. One goroutine owns it.
type Decoder struct {
	contents []Event // by number − 1
	scratch  []byte
}

// Reset forgets the segment's contents: a new segment begins.
func (d *Decoder) Reset() { d.contents = d.contents[:0] }

// Decode reads a record into a new Input that shares no memory with record.
func (d *Decoder) Decode(record []byte) (*Input, error) {
	c, err := openRecord(slices.Clone(record), codecVersion)
	if err != nil {
		return nil, err
	}
	in := &Input{}
	codeHead(&c, in)
	if in.Kind == InputEvents && c.err == nil {
		in.Batch = &Batch{}
		codeBatchHead(&c, in.Batch)
		d.decodeEvents(&c, in.Batch)
	}
	if c.err == nil && len(c.buf) > 0 {
		c.fail("bytes after the end")
	}
	if c.err != nil {
		return nil, c.err
	}
	return in, nil
}

func (d *Decoder) decodeEvents(c *coder, b *Batch) {
	n := c.count(0)
	b.Events = make([]Event, 0, n)
	var base Time
	for range n {
		ev := d.content(c, b.Source.Tenant)
		codeTimes(c, &ev, &base)
		if c.err != nil {
			return
		}
		b.Events = append(b.Events, ev)
	}
}

func (d *Decoder) content(c *coder, tenant string) (ev Event) {
	var index uint32
	number(c, &index)
	if index > 0 {
		if int(index) > len(d.contents) {
			c.fail("touch of a content that this segment does not hold")
			return ev
		}
		ev = d.contents[index-1]
		// One content may come from two tenants; the identity holds the tenant.
		ev.Identity, d.scratch = ev.Labels.Identity(tenant, d.scratch)
		return ev
	}
	c.bytes(&ev.content)
	inner := coder{buf: ev.content, reading: true}
	codeContent(&inner, &ev)
	if inner.err != nil || len(inner.buf) > 0 {
		c.fail("content of an alert")
		return ev
	}
	ev.Content = xxhash.Sum64(ev.content)
	ev.Severity, ev.SeverityUnknown = severityOf(ev.Labels)
	ev.Identity, d.scratch = ev.Labels.Identity(tenant, d.scratch)
	d.contents = append(d.contents, ev)
	return ev
}

func appendContent(dst []byte, ev *Event) []byte {
	c := coder{buf: dst}
	codeContent(&c, ev)
	return c.buf
}

func codeContent(c *coder, ev *Event) {
	c.labels(&ev.Labels)
	c.labels(&ev.Annotations)
	c.string(&ev.GeneratorURL)
}

// codeTimes codes what differs between repeats; base is the previous event's start, as a batch's starts lie close together.
func codeTimes(c *coder, ev *Event, base *Time) {
	c.bool(&ev.Cleared)
	starts := ev.StartsAt - *base
	c.time(&starts)
	ev.StartsAt = *base + starts
	*base = ev.StartsAt
	ends := ev.EndsAt - ev.StartsAt
	c.time(&ends)
	ev.EndsAt = ev.StartsAt + ends
}

func codeBatchHead(c *coder, b *Batch) {
	codeSource(c, &b.Source)
	c.time(&b.Sent)
	p := &b.Position
	c.string(&p.Cluster)
	c.string(&p.Topic)
	if p.Topic != "" {
		partition := uint32(p.Partition)
		number(c, &partition)
		p.Partition = int32(partition)
		c.int(&p.Offset)
	}
}

func codeSource(c *coder, s *Source) {
	c.string(&s.Name)
	c.string(&s.Tenant)
	number(c, &s.Kind)
}

// codeHead codes everything but a batch.
func codeHead(c *coder, in *Input) {
	number(c, &in.Kind)
	number(c, &in.Shard)
	c.fixed64(&in.Writer.ID)
	number(c, &in.Writer.Epoch)
	number(c, &in.Writer.N)
	switch in.Kind {
	case InputEvents, InputTick:
	case InputCommand:
		if c.reading {
			in.Command = &Command{}
		}
		codeCommand(c, in.Command)
	case InputResumed:
		c.time(&in.Gap)
		codeSource(c, &in.Source)
	case InputCore:
		c.string(&in.Version)
	case InputRules:
		c.bytes(&in.Rules)
	case InputOverCap:
		codeSource(c, &in.Source)
		number(c, &in.Refused)
		number(c, &in.Limit)
	default:
		c.fail(fmt.Sprintf("unknown kind of input %d", in.Kind))
	}
}

func codeCommand(c *coder, cmd *Command) {
	number(c, &cmd.Kind)
	c.string(&cmd.Actor)
	c.string(&cmd.Tenant)
	number(c, &cmd.Incident)
	c.string(&cmd.Text)
	c.string(&cmd.Assignee)
	c.string(&cmd.Team)
	c.string(&cmd.SilenceID)
	has := cmd.Silence != nil
	c.bool(&has)
	if has {
		if c.reading {
			cmd.Silence = &Silence{}
		}
		codeSilence(c, cmd.Silence)
	}
	if c.version >= 2 {
		codeLaterCommand(c, cmd)
	}
	if c.version >= 3 {
		codeDeskCommand(c, cmd)
	}
}

func codeLaterCommand(c *coder, cmd *Command) {
	c.time(&cmd.Until)
	c.string(&cmd.WindowID)
	has := cmd.Window != nil
	c.bool(&has)
	if has {
		if c.reading {
			cmd.Window = &Window{}
		}
		codeWindow(c, cmd.Window)
	}
}

func codeWindow(c *coder, w *Window) {
	c.string(&w.ID)
	c.string(&w.Tenant)
	c.string(&w.Name)
	codeMatchers(c, &w.Matchers)
	n := c.count(len(w.CIs))
	if c.reading && n > 0 {
		w.CIs = make([]string, n)
	}
	for i := range w.CIs {
		c.string(&w.CIs[i])
	}
	c.time(&w.StartsAt)
	c.time(&w.EndsAt)
	c.string(&w.Intervals)
	c.string(&w.Zone)
	c.bytes(&w.ZoneData)
	c.string(&w.Reason)
	c.string(&w.CreatedBy)
	c.string(&w.Actor)
	c.time(&w.UpdatedAt)
	c.time(&w.OpenAt)
	c.time(&w.CloseAt)
}

func codeSilence(c *coder, s *Silence) {
	c.string(&s.ID)
	c.string(&s.Tenant)
	codeMatchers(c, &s.Matchers)
	c.time(&s.StartsAt)
	c.time(&s.EndsAt)
	c.time(&s.UpdatedAt)
	c.string(&s.CreatedBy)
	c.string(&s.Actor)
	c.string(&s.Comment)
	c.labels(&s.Annotations)
}

func codeMatchers(c *coder, list *[]Matcher) {
	n := c.count(len(*list))
	if c.reading && n > 0 {
		*list = make([]Matcher, n)
	}
	for i := range *list {
		m := &(*list)[i]
		c.string(&m.Name)
		c.string(&m.Value)
		c.bool(&m.IsRegex)
		c.bool(&m.IsEqual)
	}
}
