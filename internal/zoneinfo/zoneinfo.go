// Package zoneinfo pins a time zone: it writes down, in the format of the zone database (TZif, RFC 9636), what a
// *time.Location knows, so that the core can read the same zone from the journal for ever, whatever database the machine of a
// replay has. It is for the shells; its functions may be called from any goroutine.
package zoneinfo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is pinned: transitions from the first year to the last. Later instants have the offset of the last transition.
const (
	firstYear = 1970
	lastYear  = 2100
)

// ErrUnknown says that the zone database has no such zone.
var ErrUnknown = errors.New("no such time zone")

// Load returns a zone by its IANA name and what is pinned of it. "" and "UTC" are UTC, which needs no data.
func Load(name string) (*time.Location, []byte, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil, nil
	}
	if name == "Local" || strings.HasPrefix(name, "/") {
		return nil, nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	return loc, Pin(loc), nil
}

// period is a stretch of one offset.
type period struct {
	from   int64 // Unix seconds
	offset int32 // east of UTC
	dst    bool
	abbrev string
}

// Pin returns loc's transitions as TZif.
func Pin(loc *time.Location) []byte {
	periods := periodsOf(loc)
	var kinds []period // distinct, without from
	index := make([]byte, len(periods))
	for i, p := range periods {
		p.from = 0
		k := slices.Index(kinds, p)
		if k < 0 {
			k = len(kinds)
			kinds = append(kinds, p)
		}
		index[i] = byte(k)
	}
	block := header(0, 1, 1) // version 1's block: none of it is used
	block = append(block, 0, 0, 0, 0, 0, 0, 0)
	chars, at := abbreviations(kinds)
	block = append(block, header(len(periods)-1, len(kinds), len(chars))...)
	for _, p := range periods[1:] {
		block = binary.BigEndian.AppendUint64(block, uint64(p.from))
	}
	block = append(block, index[1:]...)
	for i, k := range kinds {
		block = binary.BigEndian.AppendUint32(block, uint32(k.offset))
		dst := byte(0)
		if k.dst {
			dst = 1
		}
		block = append(block, dst, at[i])
	}
	block = append(block, chars...)
	return append(block, "\n\n"...) // no rule for what comes after
}

// periodsOf walks the zone's transitions.
func periodsOf(loc *time.Location) []period {
	t := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).In(loc)
	end := time.Date(lastYear, 1, 1, 0, 0, 0, 0, time.UTC)
	var out []period
	for t.Before(end) {
		abbrev, offset := t.Zone()
		p := period{t.Unix(), int32(offset), t.IsDST(), abbrev}
		if n := len(out); n == 0 || out[n-1].offset != p.offset || out[n-1].dst != p.dst || out[n-1].abbrev != p.abbrev {
			out = append(out, p)
		}
		_, next := t.ZoneBounds()
		if next.IsZero() {
			break
		}
		if !next.After(t) { // time reports the last day of a leap year as a bound of its own
			next = t.Add(24 * time.Hour)
		}
		t = next
	}
	return out
}

func abbreviations(kinds []period) (chars []byte, at []byte) {
	for _, k := range kinds {
		text := append([]byte(k.abbrev), 0)
		i := strings.Index(string(chars), string(text))
		if i < 0 {
			i = len(chars)
			chars = append(chars, text...)
		}
		at = append(at, byte(i))
	}
	return chars, at
}

// header is TZif's: magic, version, fifteen spare bytes and six counts.
func header(transitions, kinds, chars int) []byte {
	b := append([]byte("TZif2"), make([]byte, 15)...)
	for _, n := range []int{0, 0, 0, transitions, kinds, chars} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}
