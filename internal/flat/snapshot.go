package flat

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A snapshot is a stream of sections, in the order they were saved. All numbers little-endian.
//
//	file    ┌ "tocflat\n" ┬ section ┬ section ┬ ... ┬ section named "" ┐
//	section ┌ header ┬ name ┬ CRC32C of both ┬ pages, raw ┬ CRC32C of the pages ┐
//	header  ┌ version u16 ┬ name length u16 ┬ record size u32 ┬ page size u32 ┬ page count u32 ┬ high u32 ┬ freed u32 ┐
const (
	fileMagic       = "tocflat\n"
	sectionVersion  = 1
	sectionOverhead = 24
	maxName         = 255
)

var (
	// ErrForeign: not a snapshot, or one of another version or record layout.
	ErrForeign = errors.New("foreign snapshot")
	// ErrCorrupt: damaged or cut short.
	ErrCorrupt = errors.New("corrupt snapshot")
	// ErrBigEndian: raw pages can be saved and loaded by little-endian machines only.
	ErrBigEndian = errors.New("flat: snapshots need a little-endian machine")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header describes a section.
type header struct {
	name       string
	recordSize uint32 // bytes
	pageSize   uint32 // bytes
	pages      uint32
	high       uint32 // as in slots
	freed      uint32 // as in slots
}

// appendTo encodes the header with its name and checksum.
func (h *header) appendTo(b []byte) []byte {
	le := binary.LittleEndian
	start := len(b)
	b = le.AppendUint16(b, sectionVersion)
	b = le.AppendUint16(b, uint16(len(h.name)))
	for _, v := range [...]uint32{h.recordSize, h.pageSize, h.pages, h.high, h.freed} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, h.name...)
	return le.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// decode fills h from the fixed part; the name follows.
func (h *header) decode(b []byte) {
	le := binary.LittleEndian
	for i, to := range [...]*uint32{&h.recordSize, &h.pageSize, &h.pages, &h.high, &h.freed} {
		*to = le.Uint32(b[4+4*i:])
	}
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }
