package disk

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/journal"
)

// The bytes are drawn in README.md.
const (
	magic      = "TOCSINJ1"
	version    = 1
	headerSize = 72
	frameSize  = 28 // of a frame without its payload
	commitSize = sha256.Size + 4 + 8
	suffix     = ".seg"

	// MaxPayload is the largest payload of one record, in bytes.
	MaxPayload = 1 << 30
	maxReason  = math.MaxUint16
	// maxFrame bounds what a reader believes of a length.
	maxFrame = MaxPayload + sha256.Size + 2 + maxReason
)

// kind is the first byte of a frame. Zero is invalid, so that the zero-filled
// rest of a segment never reads as a frame.
type kind byte

const (
	kindRecord kind = iota + 1
	kindCommit
	kindRedacted
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	order      = binary.LittleEndian
)

// header begins a segment and carries over what the one before ended with.
type header struct {
	shard uint32
	base  uint64 // lowest sequence number the segment may hold: the last before it, plus one
	at    int64  // At of the last record before it
	link  [sha256.Size]byte
}

func (h header) encode() []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = order.AppendUint32(b, version)
	b = order.AppendUint32(b, h.shard)
	b = order.AppendUint64(b, h.base)
	b = order.AppendUint64(b, uint64(h.at))
	b = append(b, h.link[:]...)
	b = order.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, 0, 0, 0, 0)
}

// decodeHeader also returns the salt of the segment's frames: the checksum of
// its header. Frames of another segment, or quoted in a payload, do not pass.
func decodeHeader(b []byte) (h header, salt uint32, err error) {
	if len(b) < headerSize || string(b[:8]) != magic {
		return h, 0, errors.New("not a segment header")
	}
	salt = order.Uint32(b[64:])
	if salt != crc32.Checksum(b[:64], castagnoli) {
		return h, 0, errors.New("segment header fails its checksum")
	}
	if v := order.Uint32(b[8:]); v != version {
		return h, 0, fmt.Errorf("segment format %d, this program reads %d", v, version)
	}
	h = header{shard: order.Uint32(b[12:]), base: order.Uint64(b[16:]), at: int64(order.Uint64(b[24:]))}
	copy(h.link[:], b[32:])
	return h, salt, nil
}

// frame is one decoded frame; payload aliases the buffer it was read into.
type frame struct {
	kind    kind
	seq     uint64
	at      int64
	payload []byte
	off     int64 // of its first byte in the file
}

func (f frame) end() int64 { return f.off + frameSize + int64(len(f.payload)) }

func appendFrame(b []byte, salt uint32, k kind, seq uint64, at int64, payload []byte) []byte {
	start := len(b)
	b = append(b, byte(k), 0, 0, 0)
	b = order.AppendUint32(b, uint32(len(payload)))
	b = order.AppendUint64(b, seq)
	b = order.AppendUint64(b, uint64(at))
	sum := crc32.Update(salt, castagnoli, b[start:])
	sum = crc32.Update(sum, castagnoli, payload)
	b = order.AppendUint32(b, sum)
	return append(b, payload...)
}

// plausible reads a frame's payload length if the first bytes can begin one.
func plausible(b []byte) (length int, ok bool) {
	k := kind(b[0])
	if k < kindRecord || k > kindRedacted || b[1]|b[2]|b[3] != 0 {
		return 0, false
	}
	n := order.Uint32(b[4:])
	return int(n), n <= maxFrame
}

// decodeFrame reads the frame at the start of b, which begins at file offset
// off; false when it is not whole and right.
func decodeFrame(b []byte, salt uint32, off int64) (frame, bool) {
	if len(b) < frameSize {
		return frame{}, false
	}
	n, ok := plausible(b)
	if !ok || n > len(b)-frameSize {
		return frame{}, false
	}
	payload := b[frameSize : frameSize+n]
	sum := crc32.Update(salt, castagnoli, b[:24])
	if crc32.Update(sum, castagnoli, payload) != order.Uint32(b[24:]) {
		return frame{}, false
	}
	f := frame{kind: kind(b[0]), seq: order.Uint64(b[8:]), at: int64(order.Uint64(b[16:])), payload: payload, off: off}
	return f, f.wellFormed()
}

func (f frame) wellFormed() bool {
	switch f.kind {
	case kindCommit:
		return len(f.payload) == commitSize
	case kindRedacted:
		return len(f.payload) >= sha256.Size+2 &&
			len(f.payload) >= sha256.Size+2+int(order.Uint16(f.payload[sha256.Size:]))
	default:
		return len(f.payload) <= MaxPayload
	}
}

// digest is the SHA-256 of the payload as first written.
func (f frame) digest() [sha256.Size]byte {
	if f.kind == kindRedacted {
		return [sha256.Size]byte(f.payload)
	}
	return sha256.Sum256(f.payload)
}

// redaction splits the payload of a redacted frame.
func (f frame) redaction() (reason string, replacement []byte) {
	rest := f.payload[sha256.Size:]
	n := int(order.Uint16(rest))
	return string(rest[2 : 2+n]), rest[2+n:]
}

func (f frame) record() journal.Record {
	if f.kind == kindRedacted {
		_, replacement := f.redaction()
		return journal.Record{Seq: f.seq, At: f.at, Payload: replacement, Redacted: true}
	}
	return journal.Record{Seq: f.seq, At: f.at, Payload: f.payload}
}

func appendRedaction(b []byte, digest [sha256.Size]byte, reason string, replacement []byte) []byte {
	b = append(b, digest[:]...)
	b = order.AppendUint16(b, uint16(len(reason)))
	b = append(b, reason...)
	return append(b, replacement...)
}

// commit is the payload of a commit frame.
type commit struct {
	link  [sha256.Size]byte
	count uint32 // records of the commit
	bytes uint64 // of its record frames
}

func (c commit) encode() [commitSize]byte {
	var b [commitSize]byte
	copy(b[:], c.link[:])
	order.PutUint32(b[sha256.Size:], c.count)
	order.PutUint64(b[sha256.Size+4:], c.bytes)
	return b
}

func decodeCommit(payload []byte) commit {
	return commit{
		link:  [sha256.Size]byte(payload),
		count: order.Uint32(payload[sha256.Size:]),
		bytes: order.Uint64(payload[sha256.Size+4:]),
	}
}

// chain collects what the link of one commit covers: the link before and, per
// record, sequence number, time and digest of the payload.
type chain struct{ covered []byte }

func (c *chain) start(link [sha256.Size]byte) { c.covered = append(c.covered[:0], link[:]...) }

func (c *chain) add(seq uint64, at int64, digest [sha256.Size]byte) {
	c.covered = order.AppendUint64(c.covered, seq)
	c.covered = order.AppendUint64(c.covered, uint64(at))
	c.covered = append(c.covered, digest[:]...)
}

func (c *chain) link() [sha256.Size]byte { return sha256.Sum256(c.covered) }

func segmentName(base uint64) string { return fmt.Sprintf("%020d%s", base, suffix) }

// segmentBase reads a segment's file name; false when it is none.
func segmentBase(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	base, err := strconv.ParseUint(digits, 10, 64)
	return base, err == nil && base > 0
}

func segmentPath(dir string, base uint64) string { return filepath.Join(dir, segmentName(base)) }
