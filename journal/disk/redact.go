package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tocsin-noc/tocsin/journal"
)

// Redact replaces the payload of record seq by its digest, the reason and a
// replacement that readers get instead, possibly empty. The segment is written
// anew and renamed over the old one, so a crash leaves either. The hash chain
// covers the digest: it stays as it was. It does not cover reason and
// replacement.
func (l *Log) Redact(seq uint64, replacement []byte, reason string) error {
	return l.RedactAll(map[uint64][]byte{seq: replacement}, reason)
}

// RedactAll is Redact for the records that replacements names, and writes each
// segment once. After an error, or a crash, some segments are done and some are
// not; it may be called again.
func (l *Log) RedactAll(replacements map[uint64][]byte, reason string) error {
	if len(reason) > maxReason {
		return fmt.Errorf("%w: redaction", journal.ErrTooLarge)
	}
	l.maintenance.Lock()
	defer l.maintenance.Unlock()
	if err := l.maintainable(); err != nil {
		return err
	}
	todo := map[*segment]map[uint64][]byte{}
	for seq, replacement := range replacements {
		if len(replacement) > MaxPayload {
			return fmt.Errorf("%w: redaction", journal.ErrTooLarge)
		}
		seg, err := l.sealed(seq)
		if err != nil {
			return err
		}
		if todo[seg] == nil {
			todo[seg] = map[uint64][]byte{}
		}
		todo[seg][seq] = replacement
	}
	for _, seg := range *l.segments.Load() {
		if todo[seg] == nil {
			continue
		}
		if err := l.redactSegment(seg, todo[seg], reason); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) redactSegment(seg *segment, replacements map[uint64][]byte, reason string) error {
	redacted := &segment{header: seg.header, path: seg.path}
	rewrite := redaction{todo: maps.Clone(replacements), reason: reason}
	err := l.replace(seg.path, func(w io.Writer) error {
		size, err := l.rewrite(seg, w, &rewrite)
		redacted.size.Store(size)
		return err
	}, func() { l.swap(seg, redacted) })
	if err != nil {
		return err
	}
	for _, seq := range slices.Sorted(maps.Keys(replacements)) {
		l.o.Logger.Info("record redacted", "seq", seq, "reason", reason)
	}
	return nil
}

// sealed returns the segment that would hold seq if no longer written to.
func (l *Log) sealed(seq uint64) (*segment, error) {
	list := *l.segments.Load()
	if seq < list[0].base {
		return nil, journal.ErrTruncated
	}
	for i, s := range list[:len(list)-1] {
		if seq < list[i+1].base {
			return s, nil
		}
	}
	if seq > l.Last() {
		return nil, journal.ErrUnknown
	}
	return nil, journal.ErrActive
}

// swap puts b in the place of a. New segments may have been added since.
func (l *Log) swap(a, b *segment) {
	list := slices.Clone(*l.segments.Load())
	list[slices.Index(list, a)] = b
	l.publish(list)
}

// rewrite copies a segment to w with records redacted and returns its size.
func (l *Log) rewrite(seg *segment, w io.Writer, r *redaction) (int64, error) {
	file, err := l.o.FS.Open(seg.path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	s, h, err := newScanner(file, seg.path)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(w, readSize)
	r.salt, r.out, r.size = s.salt, out, headerSize
	if _, err := out.Write(h.encode()); err != nil {
		return 0, err
	}
	for {
		f, err := s.next(seg.size.Load())
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, errBadFrame) && s.seq+1 == l.after(seg):
			return r.size, errors.Join(r.found(), out.Flush())
		case errors.Is(err, errBadFrame):
			return 0, corrupt(seg.path, s.off, "bad frame in the middle of the log")
		case err != nil:
			return 0, err
		}
		if err := r.copy(f); err != nil {
			return 0, err
		}
	}
}

// after is the number of the segment that follows seg.
func (l *Log) after(seg *segment) uint64 {
	list := *l.segments.Load()
	return list[slices.Index(list, seg)+1].base
}

// redaction copies frames, replacing some.
type redaction struct {
	todo   map[uint64][]byte // replacements of records not met yet, by seq
	reason string

	salt   uint32
	out    *bufio.Writer
	buf    []byte
	size   int64
	commit int64 // bytes of the record frames since the last commit frame
}

func (r *redaction) copy(f frame) error {
	k, payload := f.kind, f.payload
	if k == kindCommit {
		c := decodeCommit(payload)
		c.bytes = uint64(r.commit)
		end := c.encode()
		payload = end[:]
	} else if replacement, wanted := r.todo[f.seq]; wanted {
		k, payload = kindRedacted, appendRedaction(nil, f.digest(), r.reason, replacement)
		delete(r.todo, f.seq)
	}
	r.buf = appendFrame(r.buf[:0], r.salt, k, f.seq, f.at, payload)
	r.size += int64(len(r.buf))
	r.commit += int64(len(r.buf))
	if k == kindCommit {
		r.commit = 0
	}
	_, err := r.out.Write(r.buf)
	return err
}

func (r *redaction) found() error {
	if len(r.todo) > 0 {
		return journal.ErrUnknown
	}
	return nil
}
