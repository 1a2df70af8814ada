package records

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tocsin-noc/tocsin/event"
)

// Redacted stands where a text was taken away.
const Redacted = event.Redacted

// EndSegment asks that the owner's next Flush end the last segment, so that what it holds can be redacted.
func (s *Store) EndSegment() { s.ending.Store(true) }

// Redact shows hide the entries of an incident from change (seq, n) on, the oldest first. It sets the texts to take away to
// Redacted, says whether there were any, and whether it wants to see more. Only ended segments are looked at: ErrActive means that
// the first entry would be in the last one. After an error, or a crash, some segments are done; it may be called again.
func (s *Store) Redact(id event.IncidentID, seq uint64, n uint32, hide func(*event.Change) (hit, more bool)) error {
	s.redacting.Lock()
	defer s.redacting.Unlock()
	r := redaction{s: s, id: id, from: cursor{seq, n}, hide: hide, more: true}
	segs, err := s.holding(r.from)
	if err != nil {
		return err
	}
	for _, seg := range segs {
		if !r.more {
			return nil
		}
		if err := r.segment(seg); err != nil && s.holds(seg) {
			return err
		}
	}
	return nil
}

// holding returns the ended segments that hold, or would hold, entries from a change on.
func (s *Store) holding(from cursor) ([]*segment, error) {
	s.mu.Lock()
	segs, closed := append([]*segment(nil), s.segs...), s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	last := len(segs) - 1
	for first := last; first > 0; first-- {
		f, found, err := segs[first].firstEntry()
		if err != nil && s.holds(segs[first]) {
			return nil, fmt.Errorf("records: read: %w", err)
		}
		if !found || from.before(f.cursor) {
			continue
		}
		if first == last {
			return nil, ErrActive
		}
		return segs[first:last], nil
	}
	if last == 0 {
		return nil, ErrActive
	}
	return segs[:last], nil
}

// holds tells whether a segment has not been dropped.
func (s *Store) holds(seg *segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookup(seg.number) == seg
}

// firstEntry returns the first frame of a segment that holds any.
func (g *segment) firstEntry() (f frame, found bool, err error) {
	var buf []byte
	f, size, err := readFrame(bufio.NewReaderSize(io.NewSectionReader(g.file, int64(headerSize), maxPayload+frameHead), ahead), maxPayload+frameHead, &buf)
	return f, size > 0 && f.isEntry(), err
}

// redaction is one call of Redact. Nobody else replaces files meanwhile.
type redaction struct {
	s    *Store
	id   event.IncidentID
	from cursor
	hide func(*event.Change) (hit, more bool)
	more bool // hide wants to see more
}

// edit is a frame to put in the place of one of the same length.
type edit struct {
	offset int64
	frame  []byte
}

// segment redacts what there is to redact in one segment. Where it is damaged, what stands before that is done.
func (r *redaction) segment(seg *segment) error {
	info, err := seg.file.Stat()
	if err != nil {
		return fmt.Errorf("records: redact: %w", err)
	}
	edits, damage := r.edits(seg, info.Size())
	if len(edits) == 0 {
		return damage
	}
	return errors.Join(r.rewrite(seg, info.Size(), edits), damage)
}

// edits returns what has to change among the frames of a segment of size bytes.
func (r *redaction) edits(seg *segment, size int64) (edits []edit, err error) {
	in := bufio.NewReaderSize(io.NewSectionReader(seg.file, int64(headerSize), size-int64(headerSize)), 1<<18)
	var buf []byte
	for off := int64(headerSize); off < size && r.more; {
		f, n, err := readFrame(in, size-off, &buf)
		if err != nil {
			return edits, fmt.Errorf("records: redact: %w", err)
		}
		if n == 0 {
			return edits, &CorruptError{File: segmentPath(r.s.dir, seg.number), Offset: off, Reason: "bad frame"}
		}
		b, err := r.frame(&f, n)
		if err != nil {
			return edits, err
		}
		if b != nil {
			edits = append(edits, edit{off, b})
		}
		off += int64(n)
	}
	return edits, nil
}

// frame returns what to put in the place of a frame of size bytes, nil when it stays.
func (r *redaction) frame(f *frame, size int) ([]byte, error) {
	if !f.isEntry() || f.id != r.id || f.cursor.before(r.from) {
		return nil, nil
	}
	ch, err := (&chain{id: f.id}).decode(f)
	if err != nil {
		return nil, err
	}
	hit, more := r.hide(&ch)
	r.more = more
	if !hit {
		return nil, nil
	}
	return encodeRedacted(f, &ch, size)
}

// encodeRedacted returns a frame of size bytes with a change whose texts were taken away.
func encodeRedacted(f *frame, ch *event.Change, size int) ([]byte, error) {
	eachText(ch, pack)
	b := appendEntryHead(make([]byte, frameHead, size), kindRedacted, f)
	b = event.AppendChanges(b, []event.Change{*ch})
	if len(b) > size {
		return nil, fmt.Errorf("%w: redacted entry %d.%d", ErrTooLarge, f.cursor.seq, f.cursor.n)
	}
	b = append(b, make([]byte, size-len(b))...)
	seal(b)
	return b, nil
}

// decodeRedacted returns the change of a redacted entry.
func decodeRedacted(f *frame) (out event.Change, err error) {
	n := 0
	err = event.VisitChanges(f.change, f.cursor.seq, f.at, func(event.ChangeKind) bool { return true }, func(ch *event.Change) bool {
		out = *ch
		n++
		return true
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("%w: %d changes in one entry", event.ErrMalformed, n)
	}
	if err != nil {
		return event.Change{}, fmt.Errorf("records: %v, redacted change %d.%d: %w", f.id, f.cursor.seq, f.cursor.n, err)
	}
	eachText(&out, unpack)
	out.N = f.cursor.n
	return out, nil
}

// eachText replaces the texts in an incident's change in which a person's words stand.
func eachText(ch *event.Change, by func(string) string) {
	ch.Text = by(ch.Text)
	if ch.Incident == nil {
		return
	}
	ch.Incident.HeldFor = by(ch.Incident.HeldFor)
	ch.Incident.Texts(func(_ event.TextPlace, text *string) { *text = by(*text) })
}

// rewrite puts a copy of a segment with the edits in its place.
func (r *redaction) rewrite(seg *segment, size int64, edits []edit) error {
	path := segmentPath(r.s.dir, seg.number)
	file, err := os.OpenFile(path+temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("records: redact: %w", err)
	}
	old, err := seg.file, copyEdited(file, seg.file, size, edits)
	if err == nil {
		err = r.s.replace(seg, file, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("records: redact: %w", err), file.Close(), os.Remove(path+temporary))
	}
	return errors.Join(syncDir(r.s.dir), old.Close())
}

func copyEdited(to, from *os.File, size int64, edits []edit) error {
	if _, err := io.Copy(to, io.NewSectionReader(from, 0, size)); err != nil {
		return err
	}
	for _, e := range edits {
		if _, err := to.WriteAt(e.frame, e.offset); err != nil {
			return err
		}
	}
	return to.Sync()
}

// replace makes file, which lies beside path, the segment's.
func (s *Store) replace(seg *segment, file *os.File, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.lookup(seg.number) != seg:
		return os.ErrNotExist // it was dropped, and what is in it with it
	}
	if err := os.Rename(path+temporary, path); err != nil {
		return err
	}
	seg.file = file
	return nil
}
