package event

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// changeVersion is the first byte of every record of the changes log. Records of an older version are read too: what they
// lack is zero.
const changeVersion = 5

// AppendChanges appends one record: all changes of one input, which share shard, seq and at. Seq and At are the log frame's.
func AppendChanges(dst []byte, changes []Change) []byte {
	c := coder{buf: append(dst, changeVersion), version: changeVersion}
	c.count(len(changes))
	for i := range changes {
		codeChange(&c, &changes[i])
	}
	return c.buf
}

// DecodeChanges reads a record of the changes log; what it returns aliases record.
func DecodeChanges(record []byte, seq uint64, at Time) ([]Change, error) {
	c, err := openRecord(record, changeVersion)
	if err != nil {
		return nil, err
	}
	n := c.count(0)
	out := make([]Change, 0, min(n, 1024))
	for i := range n {
		ch := Change{Seq: seq, At: at, N: uint32(i)}
		codeChange(&c, &ch)
		if c.err != nil {
			return nil, c.err
		}
		out = append(out, ch)
	}
	if len(c.buf) > 0 {
		c.fail("bytes after the end")
	}
	return out, c.err
}

// VisitChanges reads a record of the changes log for who wants few of its changes: visit gets those whose kind wanted accepts,
// until it returns false. The others are stepped over. What visit gets is its own. Bytes after the last change are left alone: an entry of
// which a text was taken away keeps its length.
func VisitChanges(record []byte, seq uint64, at Time, wanted func(ChangeKind) bool, visit func(*Change) bool) error {
	c, err := openRecord(record, changeVersion)
	if err != nil {
		return err
	}
	if c.version < 5 {
		return visitOld(record, seq, at, wanted, visit)
	}
	n := c.count(0)
	for i := range n {
		ch := Change{Seq: seq, At: at, N: uint32(i)}
		number(&c, &ch.Kind)
		var body []byte
		c.bytes(&body)
		if c.err != nil {
			return c.err
		}
		if ch.Kind == 0 || ch.Kind >= maxChangeKind {
			c.fail(fmt.Sprintf("unknown kind of change %d", ch.Kind))
			return c.err
		}
		if !wanted(ch.Kind) {
			continue
		}
		kept := ch
		inner := coder{buf: bytes.Clone(body), reading: true, version: c.version}
		codeBody(&inner, &kept)
		if len(inner.buf) > 0 {
			inner.fail("bytes after the end of a change")
		}
		if inner.err != nil {
			return inner.err
		}
		if !visit(&kept) {
			return nil
		}
	}
	return c.err
}

// visitOld is VisitChanges for a record whose changes do not say how long they are.
func visitOld(record []byte, seq uint64, at Time, wanted func(ChangeKind) bool, visit func(*Change) bool) error {
	changes, err := DecodeChanges(bytes.Clone(record), seq, at)
	for i := range changes {
		if wanted(changes[i].Kind) && !visit(&changes[i]) {
			return nil
		}
	}
	return err
}

// codeChange codes a change: its kind, how many bytes follow so that a reader can step over them, and those.
func codeChange(c *coder, ch *Change) {
	number(c, &ch.Kind)
	switch {
	case c.version < 5:
		codeBody(c, ch)
	case c.reading:
		var body []byte
		c.bytes(&body)
		inner := coder{buf: body, reading: true, version: c.version, err: c.err}
		codeBody(&inner, ch)
		if len(inner.buf) > 0 {
			inner.fail("bytes after the end of a change")
		}
		c.err = inner.err
	default:
		from := len(c.buf)
		c.buf = append(c.buf, 0, 0) // nearly all are shorter than 16 KiB
		codeBody(c, ch)
		c.buf = setLength(c.buf, from)
	}
}

// setLength writes the length of what follows the two bytes at from into them, as a number that may have a needless zero in front;
// what is longer than such a number can say is moved.
func setLength(buf []byte, from int) []byte {
	n := len(buf) - from - 2
	if n < 1<<14 {
		buf[from], buf[from+1] = byte(n)|0x80, byte(n>>7)
		return buf
	}
	var room [binary.MaxVarintLen64]byte
	return slices.Replace(buf, from, from+2, room[:binary.PutUvarint(room[:], uint64(n))]...)
}

func codeBody(c *coder, ch *Change) {
	number(c, &ch.Shard)
	c.string(&ch.Actor)
	switch ch.Kind {
	case AlertSeen, AlertUnconfirmed:
		number(c, &ch.Alert.ID)
		number(c, &ch.Alert.Incident)
		if c.version >= 4 {
			number(c, &ch.Alert.Source)
		}
		codeClaim(c, &ch.Claim, ch.At)
	case AlertFiring:
		codeAlert(c, &ch.Alert, ch.At)
		codeClaim(c, &ch.Claim, ch.At)
		if c.version >= 4 {
			optional(c, &ch.Place, codePlacement)
		}
	case AlertUpdated, AlertCleared, AlertExpired, ClaimEnded, AlertSuppressed, AlertReleased, AlertReviewed:
		codeAlert(c, &ch.Alert, ch.At)
		codeClaim(c, &ch.Claim, ch.At)
	case AlertSeverity, AlertJoined, AlertDropped, AlertDamped, AlertSteadied, AlertMoved:
		codeAlert(c, &ch.Alert, ch.At)
	case IncidentOpened, IncidentUpdated, IncidentAcknowledged, IncidentAssigned, IncidentNoted, IncidentCleared,
		IncidentRecovered, IncidentRelapsed, IncidentSignalLost, IncidentResolved, IncidentReopened, IncidentFlapping,
		IncidentWorse, IncidentSnoozed, IncidentWoke, IncidentHeld, IncidentUnheld,
		IncidentEdited, IncidentBegun, IncidentCancelled, IncidentClosed, IncidentMerged, IncidentAbsorbed, IncidentSplit, IncidentUnmerged,
		IncidentProposed, IncidentAnswered, IncidentWatched, IncidentTasked, IncidentLinked, IncidentMajor, IncidentTold, IncidentUpdateDue,
		IncidentReviewed, IncidentReported, IncidentTicket, IncidentChase, IncidentRated, IncidentHit:
		if c.reading {
			ch.Incident = &IncidentState{}
		}
		codeIncident(c, ch.Incident)
		c.string(&ch.Text)
		codeLedger(c, &ch.Ledger)
	case SilenceSet, SilenceStarted, SilenceEnded, SilenceDropped:
		if c.reading {
			ch.Silence = &Silence{}
		}
		codeSilence(c, ch.Silence)
	case SilenceEnding:
		if c.reading {
			ch.Silence = &Silence{}
		}
		codeSilence(c, ch.Silence)
		number(c, &ch.Count)
	case WindowSet, WindowStarted, WindowEnding, WindowEnded, WindowDropped:
		if c.reading {
			ch.Window = &Window{}
		}
		codeWindow(c, ch.Window)
		number(c, &ch.Count)
	default:
		codeRare(c, ch)
	}
}

// codeRare codes what does not happen to every alert.
func codeRare(c *coder, ch *Change) {
	switch ch.Kind {
	case StormBegan, StormEnded:
		if c.reading {
			ch.Storm = &Storm{}
		}
		codeStorm(c, ch.Storm)
	case HeartbeatSet, HeartbeatLost, HeartbeatBack, HeartbeatDropped:
		if c.reading {
			ch.Beat = &Heartbeat{}
		}
		codeHeartbeat(c, ch.Beat)
		codeLedger(c, &ch.Ledger)
	case HandoverNoted, HandoverSigned:
		if c.reading {
			ch.Handover = &Handover{}
		}
		codeHandover(c, ch.Handover)
	case CISet, CIDropped:
		codeCI(c, made(c, &ch.CI))
		c.string(&ch.Text)
	case CIRedacted:
		codeCI(c, made(c, &ch.CI))
		c.string(&ch.Text)
		number(c, &ch.Count)
	case OutageSet, OutageEnded:
		codeOutage(c, made(c, &ch.Outage))
		c.string(&ch.Text)
	case IncidentCauses:
		codeCauses(c, made(c, &ch.Causes))
	case ItemPlaced, ClusterParted, ClusterSettled:
		codePlacement(c, made(c, &ch.Place))
	case TraceNoted, TraceDropped, AbsenceRaised:
		codeTrace(c, made(c, &ch.Trace))
	default:
		codeMeta(c, ch)
	}
}

func codeMeta(c *coder, ch *Change) {
	switch ch.Kind {
	case SourceAdded:
		codeSource(c, &ch.Source)
	case SourceOverCap:
		codeSource(c, &ch.Source)
		number(c, &ch.Count)
		number(c, &ch.Limit)
	case PositionMoved:
		p := &ch.Position
		c.string(&p.Cluster)
		c.string(&p.Topic)
		partition := uint32(p.Partition)
		number(c, &partition)
		p.Partition = int32(partition)
		c.int(&p.Offset)
	case RulesLoaded, CoreStarted:
		c.string(&ch.Text)
	case ComponentAdded:
		codeSource(c, &ch.Source)
		c.string(&ch.Text)
	case PairAnswered:
		c.string(&ch.Text)
		number(c, &ch.Count)
	case GraceStarted:
		codeSource(c, &ch.Source)
		c.time(&ch.Until)
	default:
		c.fail(fmt.Sprintf("unknown kind of change %d", ch.Kind))
	}
}

// near codes a time as its distance from at, which is small for most; 0 and Never keep a code of their own.
func near(c *coder, v *Time, at Time) {
	var code int64
	if !c.reading {
		switch *v {
		case 0:
		case Never:
			code = 1
		default:
			code = int64(*v - at)
			if code >= 0 {
				code += 2
			}
		}
	}
	c.int(&code)
	if !c.reading {
		return
	}
	switch {
	case code == 0:
		*v = 0
	case code == 1:
		*v = Never
	case code > 1:
		*v = at + Time(code-2)
	default:
		*v = at + Time(code)
	}
}

func codeAlert(c *coder, a *AlertState, at Time) {
	number(c, &a.ID)
	number(c, &a.Phase)
	number(c, &a.Severity)
	number(c, &a.Reason)
	c.bool(&a.Ghost)
	c.bool(&a.Suppressed)
	number(c, &a.Occurrences)
	number(c, &a.Incident)
	near(c, &a.StartsAt, at)
	near(c, &a.FiringAt, at)
	near(c, &a.EndedAt, at)
	near(c, &a.EasesAt, at)
	near(c, &a.FirstAt, at)
	c.string(&a.Name)
	c.string(&a.Resource)
	if c.version >= 2 {
		codeFlap(c, &a.Flap, at)
	}
	if c.version >= 3 {
		number(c, &a.CI)
		number(c, &a.Bound)
		number(c, &a.BoundBy)
	}
	if c.version >= 4 {
		number(c, &a.Kind)
		number(c, &a.Quiet)
		number(c, &a.Source)
		c.string(&a.Item)
	}
}

// codeFlap costs most alerts, which never change, one byte.
func codeFlap(c *coder, f *Flap, at Time) {
	has := *f != Flap{}
	c.bool(&has)
	if !has {
		return
	}
	number(c, &f.Penalty)
	near(c, &f.At, at)
	near(c, &f.Since, at)
	number(c, &f.Changes)
	c.bool(&f.Damped)
}

func codeClaim(c *coder, cl *ClaimState, at Time) {
	number(c, &cl.ID)
	if cl.ID == 0 {
		return
	}
	c.bool(&cl.Full)
	if cl.Full {
		number(c, &cl.Source)
		c.labels(&cl.Labels)
		c.labels(&cl.Annotations)
		c.string(&cl.GeneratorURL)
		c.fixed64(&cl.Content)
	}
	number(c, &cl.Phase)
	number(c, &cl.Severity)
	c.bool(&cl.SeverityUnknown)
	c.bool(&cl.Timeout)
	c.bool(&cl.Unconfirmed)
	c.bool(&cl.Inhibited)
	if c.version >= 2 {
		c.bool(&cl.Maintenance)
	}
	number(c, &cl.Silences)
	near(c, &cl.StartsAt, at)
	near(c, &cl.EndsAt, at)
	near(c, &cl.LastStart, at)
	near(c, &cl.ClearedAt, at)
	near(c, &cl.StaleAt, at)
	if c.version >= 4 {
		c.bool(&cl.Filtered)
		c.bool(&cl.Symptom)
		near(c, &cl.SymptomUntil, at)
	}
}

func codeIncident(c *coder, i *IncidentState) {
	number(c, &i.ID)
	c.string(&i.Tenant)
	number(c, &i.Phase)
	number(c, &i.Severity)
	number(c, &i.Priority)
	c.bool(&i.Unbound)
	c.bool(&i.SignalLost)
	c.bool(&i.Recovered)
	c.string(&i.Title)
	c.string(&i.Rule)
	c.labels(&i.Labels)
	c.time(&i.OpenedAt)
	c.time(&i.LastOnset)
	c.time(&i.ClearSince)
	c.time(&i.AckedAt)
	c.string(&i.AckedBy)
	c.string(&i.Assignee)
	c.string(&i.Team)
	c.time(&i.ResolvedAt)
	c.string(&i.ResolvedBy)
	number(c, &i.Reopened)
	number(c, &i.Recurs)
	number(c, &i.Notes)
	if c.version >= 2 {
		c.time(&i.WorseAt)
		c.time(&i.SnoozedUntil)
		c.time(&i.HeldUntil)
		c.string(&i.HeldFor)
		number(c, &i.Storm)
		number(c, &i.Heartbeat)
	}
	if c.version >= 3 {
		codeIncidentDesk(c, i)
	}
	if c.version >= 4 {
		codeBounds(c, &i.Bounds)
	}
}

func codeStorm(c *coder, s *Storm) {
	number(c, &s.Number)
	c.string(&s.Tenant)
	c.time(&s.BeganAt)
	c.time(&s.EndedAt)
	number(c, &s.Openings)
	number(c, &s.Held)
	number(c, &s.Worst)
}

func codeHeartbeat(c *coder, h *Heartbeat) {
	number(c, &h.Number)
	c.string(&h.Tenant)
	c.string(&h.Rule)
	c.string(&h.Name)
	c.string(&h.Source)
	c.labels(&h.Labels)
	number(c, &h.Alert)
	c.time(&h.Since)
	c.time(&h.LastWord)
	c.time(&h.LostAt)
}

func codeHandover(c *coder, h *Handover) {
	c.string(&h.Tenant)
	c.string(&h.Team)
	c.time(&h.At)
	c.string(&h.Actor)
	c.string(&h.Text)
}

func codeLedger(c *coder, l *[]LedgerEntry) {
	n := c.count(len(*l))
	if c.reading && n > 0 {
		*l = make([]LedgerEntry, n)
	}
	for i := range *l {
		e := &(*l)[i]
		c.string(&e.Kind)
		ops := c.count(len(e.Operands))
		if c.reading && ops > 0 {
			e.Operands = make([]string, ops)
		}
		for j := range e.Operands {
			c.string(&e.Operands[j])
		}
		c.int(&e.MilliNats)
		c.string(&e.RuleSource)
		if c.version >= 4 {
			c.string(&e.Rules)
		}
	}
}
