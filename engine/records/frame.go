package records

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	magic      = "TOCREC01"
	headerSize = len(magic)
	frameHead  = 8  // len, crc
	markSize   = 13 // payload of a mark
	entrySize  = 37 // payload of an entry without skip, jump and change
	linksSize  = 16 // skip, jump
	maxPayload = 64 << 20
)

const (
	kindEntry    = 1
	kindMark     = 2
	kindRedacted = 3 // an entry, see redact.go
)

// groupSize is how many entries of an incident lie between two milestones.
const groupSize = 64

// position is where a frame lies: segment number << 32 | offset. Zero is nowhere; later frames have larger ones.
type position uint64

func at(segment uint32, offset int64) position { return position(uint64(segment)<<32 | uint64(offset)) }

func (p position) segment() uint32 { return uint32(p >> 32) }
func (p position) offset() int64   { return int64(uint32(p)) }

// cursor names a change; the store's cursor is the last change it was given.
type cursor struct {
	seq uint64
	n   uint32
}

func (c cursor) before(d cursor) bool { return c.seq < d.seq || c.seq == d.seq && c.n < d.n }

// frame is a decoded frame. Of a mark only kind and cursor are set.
type frame struct {
	kind       byte
	cursor     cursor
	at         event.Time
	id         event.IncidentID
	ordinal    uint32
	prev       position
	skip, jump position // of milestones only
	change     []byte   // the record as event.AppendChanges writes it; aliases what was decoded
}

func (f *frame) isEntry() bool { return f.kind == kindEntry || f.kind == kindRedacted }

func (f *frame) milestone() bool { return f.ordinal%groupSize == 0 }

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// appendEntry appends the frame of an entry whose change is the only element of change.
func appendEntry(dst []byte, f *frame, change []event.Change) ([]byte, error) {
	start := len(dst)
	dst = append(dst, make([]byte, frameHead)...)
	dst = appendEntryHead(dst, kindEntry, f)
	dst = event.AppendChanges(dst, change)
	if n := len(dst) - start - frameHead; n > maxPayload {
		return dst[:start], fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, maxPayload)
	}
	seal(dst[start:])
	return dst, nil
}

// appendEntryHead appends all of an entry's payload but the change.
func appendEntryHead(dst []byte, kind byte, f *frame) []byte {
	dst = append(dst, kind)
	dst = appendCursor(dst, f.cursor)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.at))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(f.id))
	dst = binary.LittleEndian.AppendUint32(dst, f.ordinal)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.prev))
	if f.milestone() {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(f.skip))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(f.jump))
	}
	return dst
}

// appendMark appends the frame of a mark.
func appendMark(dst []byte, c cursor) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, frameHead)...)
	dst = append(dst, kindMark)
	dst = appendCursor(dst, c)
	seal(dst[start:])
	return dst
}

func appendCursor(dst []byte, c cursor) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, c.seq)
	return binary.LittleEndian.AppendUint32(dst, c.n)
}

// seal fills in the head of the frame b.
func seal(b []byte) {
	binary.LittleEndian.PutUint32(b, uint32(len(b)-frameHead))
	binary.LittleEndian.PutUint32(b[4:], checksum(b[frameHead:]))
}

// payloadLen returns the length of the payload whose frame begins with head, and whether a frame can have it.
func payloadLen(head []byte) (n int64, ok bool) {
	n = int64(binary.LittleEndian.Uint32(head))
	return n, n >= markSize && n <= maxPayload
}

// decodeFrame reads the frame that b begins with. ok is false when b does not begin with a whole frame that checks.
func decodeFrame(b []byte) (f frame, size int, ok bool) {
	if len(b) < frameHead {
		return frame{}, 0, false
	}
	n, ok := payloadLen(b)
	if !ok || n > int64(len(b)-frameHead) {
		return frame{}, 0, false
	}
	payload := b[frameHead : frameHead+n]
	if checksum(payload) != binary.LittleEndian.Uint32(b[4:]) {
		return frame{}, 0, false
	}
	f, ok = decodePayload(payload)
	return f, frameHead + int(n), ok
}

// decodePayload reads a payload of at least markSize bytes.
func decodePayload(b []byte) (f frame, ok bool) {
	f.kind = b[0]
	f.cursor = cursor{binary.LittleEndian.Uint64(b[1:]), binary.LittleEndian.Uint32(b[9:])}
	if f.kind == kindMark {
		return f, len(b) == markSize
	}
	if !f.isEntry() || len(b) < entrySize {
		return frame{}, false
	}
	f.at = event.Time(binary.LittleEndian.Uint64(b[13:]))
	f.id = event.IncidentID(binary.LittleEndian.Uint32(b[21:]))
	f.ordinal = binary.LittleEndian.Uint32(b[25:])
	f.prev = position(binary.LittleEndian.Uint64(b[29:]))
	f.change = b[entrySize:]
	if !f.milestone() {
		return f, true
	}
	if len(f.change) < linksSize {
		return frame{}, false
	}
	f.skip = position(binary.LittleEndian.Uint64(f.change))
	f.jump = position(binary.LittleEndian.Uint64(f.change[8:]))
	f.change = f.change[linksSize:]
	return f, true
}
