package records

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tocsin-noc/tocsin/event"
)

// A checkpoint is the index as of a position, so that Open scans only what follows:
//
//	[magic 8][position u64][seq u64][n u32][slots u32] slots × [id u32][last u64][milestone u64][count u32][first u32] [crc32c u32]
const (
	checkpointMagic = "TOCIDX01"
	checkpointHead  = 32
	checkpointSlot  = 28
)

func checkpointPath(dir string) string { return filepath.Join(dir, "index") }

// checkpoint writes the index durably. Everything it refers to has been synced before.
func (s *Store) checkpoint() error {
	path := checkpointPath(s.dir)
	f, err := os.OpenFile(path+".tmp", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("records: checkpoint: %w", err)
	}
	err = s.writeCheckpoint(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("records: checkpoint: %w", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("records: checkpoint: %w", err)
	}
	return syncDir(s.dir)
}

func (s *Store) writeCheckpoint(f io.Writer) error {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	w := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	b := append(make([]byte, 0, checkpointHead), checkpointMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(at(s.tail.number, s.tail.size)))
	b = appendCursor(b, s.held)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.index.used))
	_, _ = w.Write(b) // a bufio.Writer keeps its first error for Flush
	for id, slot := range s.index.all {
		b = binary.LittleEndian.AppendUint32(b[:0], uint32(id))
		b = binary.LittleEndian.AppendUint64(b, uint64(slot.last))
		b = binary.LittleEndian.AppendUint64(b, uint64(slot.milestone))
		b = binary.LittleEndian.AppendUint32(b, slot.count)
		b = binary.LittleEndian.AppendUint32(b, slot.first)
		_, _ = w.Write(b)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := f.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// loadCheckpoint fills the index and the cursor and returns where to scan from; 0 when there is no usable checkpoint.
func (s *Store) loadCheckpoint() (position, error) {
	b, err := os.ReadFile(checkpointPath(s.dir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("records: checkpoint: %w", err)
	}
	from, held, slots, ok := decodeCheckpoint(b)
	seg := s.lookup(from.segment())
	if !ok || seg == nil || seg.size < from.offset() {
		s.o.Logger.Warn("checkpoint of timelines unusable, scanning all segments", "file", checkpointPath(s.dir))
		return 0, nil
	}
	s.held = held
	for len(slots) > 0 {
		id := event.IncidentID(binary.LittleEndian.Uint32(slots))
		s.index.set(id, slot{
			last:      position(binary.LittleEndian.Uint64(slots[4:])),
			milestone: position(binary.LittleEndian.Uint64(slots[12:])),
			count:     binary.LittleEndian.Uint32(slots[20:]),
			first:     binary.LittleEndian.Uint32(slots[24:]),
		})
		slots = slots[checkpointSlot:]
	}
	return from, nil
}

// decodeCheckpoint takes a checkpoint apart; slots is a multiple of checkpointSlot long.
func decodeCheckpoint(b []byte) (from position, held cursor, slots []byte, ok bool) {
	if len(b) < checkpointHead+4 || string(b[:8]) != checkpointMagic {
		return 0, cursor{}, nil, false
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	from = position(binary.LittleEndian.Uint64(body[8:]))
	held = cursor{binary.LittleEndian.Uint64(body[16:]), binary.LittleEndian.Uint32(body[24:])}
	n := int(binary.LittleEndian.Uint32(body[28:]))
	slots = body[checkpointHead:]
	ok = checksum(body) == sum && len(slots) == n*checkpointSlot && from.offset() >= int64(headerSize)
	return from, held, slots, ok
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("records: sync: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("records: sync: %w", err)
	}
	return nil
}
