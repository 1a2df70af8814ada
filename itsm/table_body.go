package itsm

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// packer walks what of an incident lies outside its entry, in the order of its body: to pack it, to unpack it, or to give back
// the symbols in it. One walk serves all three, so that they cannot drift apart.
//
//	body  ┌ which fields follow, one bit each, varint ┬ field ┬ … ┬ dossier, to the end ┐
//
// What is zero takes no room. Words that many incidents share are symbols, a time is told from the time before it, and a title
// from the labels that it repeats.
type packer struct {
	mode  packMode
	mask  uint64
	field uint8
	buf   []byte
	base  event.Time
	text  labelset.Reader    // to unpack
	known *flat.Slab[uint32] // words of Table, to pack what is over; nil: every word is a symbol
	brief bool               // to unpack without the dossier
	store *labelset.Store    // to pack and to release
}

type packMode uint8

const (
	packing packMode = iota + 1
	unpacking
	releasing
)

// maskRoom is kept in front of the fields while they are packed.
const maskRoom = binary.MaxVarintLen64

// open reads the mask of a body.
func (p *packer) open() { p.mask = p.uvarint(0) }

// packed puts the mask in front of the fields.
func (p *packer) packed() []byte {
	var mask [maskRoom]byte
	n := binary.PutUvarint(mask[:], p.mask)
	b := p.buf[maskRoom-n:]
	copy(b, mask[:n])
	return b
}

// body walks all fields; those of an incident that runs lie partly elsewhere. The bits of what most incidents have come first.
func (p *packer) body(i *event.IncidentState, over bool) {
	p.words(i, over)
	p.word(&i.Rule)
	p.word(&i.AckedBy)
	p.word(&i.ResolvedBy)
	p.word(&i.CI)
	number(p, &i.Impact)
	number(p, &i.Urgency)
	p.services(&i.Services)
	number(p, &i.ServiceCount)
	number(p, &i.Notes)
	number(p, &i.Recurs)
	number(p, &i.Reopened)
	number(p, &i.Storm)
	number(p, &i.Heartbeat)
	number(p, &i.Parent)
	number(p, &i.MergedInto)
	number(p, &i.Pins)
	number(p, &i.HeldAs)
	p.raw(&i.HeldFor)
	p.word(&i.OpenedBy)
	if !over {
		p.time(&i.ClosedAt)
	}
	p.bounds(&i.Bounds)
	if !p.brief {
		p.dossier(&i.Dossier)
	}
}

// times walks what running holds of an incident that is not over.
func (p *packer) times(i *event.IncidentState) {
	for _, t := range [...]*event.Time{
		&i.ClosedAt, &i.OpenedAt, &i.LastOnset, &i.AckedAt, &i.BegunAt, &i.ClearSince, &i.ResolvedAt,
		&i.WorseAt, &i.SnoozedUntil, &i.HeldUntil,
	} {
		p.time(t)
	}
}

// words walks the body as far as what people search incidents by.
func (p *packer) words(i *event.IncidentState, over bool) {
	if over {
		p.times(i)
	}
	p.labels(&i.Labels)
	p.title(i, over)
}

// has walks the bit of a field and tells whether the field follows.
func (p *packer) has(set bool) bool {
	bit := uint64(1) << p.field
	p.field++
	if p.mode == packing && set {
		p.mask |= bit
	}
	return p.mask&bit != 0
}

// uvarint packs v, or returns what was packed.
func (p *packer) uvarint(v uint64) uint64 {
	if p.mode == packing {
		p.buf = binary.AppendUvarint(p.buf, v)
		return v
	}
	v, n := binary.Uvarint(p.buf)
	if n <= 0 {
		panic("itsm: an incident's body is cut short")
	}
	p.buf = p.buf[n:]
	return v
}

func (p *packer) time(v *event.Time) {
	if !p.has(*v != 0) {
		return
	}
	d := int64(*v - p.base)
	u := p.uvarint(uint64(d)<<1 ^ uint64(d>>63))
	*v = p.base + event.Time(int64(u>>1)^-int64(u&1))
	p.base = *v
}

func number[T ~uint8 | ~uint32](p *packer, v *T) {
	if p.has(*v != 0) {
		*v = T(p.uvarint(uint64(*v)))
	}
}

// symbol walks a text that others may have as well: as a symbol, or, where that would keep what nobody else has, as it is.
//
//	symbol  ┌ n, varint: a symbol, its size class at the end │ class 0: n>>7 bytes of text ┐
//
// A symbol has its size class in front: turned round, early ones are short.
func (p *packer) symbol(v *string) {
	if p.mode == packing {
		if p.known != nil && !p.common(*v) {
			p.uvarint(uint64(len(*v)) << symTurn)
			p.bytes(*v, 0)
			return
		}
		p.uvarint(uint64(bits.RotateLeft32(uint32(p.store.Intern(*v)), symTurn)))
		return
	}
	n := p.uvarint(0)
	sym := flat.Sym(bits.RotateLeft32(uint32(n), -symTurn))
	switch {
	case n%(1<<symTurn) == 0:
		*v = p.bytes("", n>>symTurn)
	case p.mode == unpacking:
		*v = p.text.String(sym)
	default:
		p.store.Release(sym)
	}
}

const (
	symTurn   = 7 // bits of the size class, which is 0 in no symbol
	longWord  = 4 // bytes; what is shorter is shorter than its symbol
	wordSlots = 1 << 16
)

// common tells whether others have a word: they do now, or it has come up among the latest.
func (p *packer) common(word string) bool {
	if len(word) < longWord {
		return false
	}
	if sym, held := p.store.Strings.Lookup(word); held && p.store.Strings.Holders(sym) > 1 { // one is this incident as it was
		return true
	}
	for p.known.Len() <= wordSlots { // at the first incident that is over
		p.known.Alloc()
	}
	hash := xxhash.Sum64String(word)
	slot, tag := uint32(hash%wordSlots)+1, uint32(hash>>32)
	if *p.known.At(slot) == tag {
		return true
	}
	*p.known.Mut(slot) = tag
	return false
}

func (p *packer) word(v *string) {
	if p.has(*v != "") {
		p.symbol(v)
	}
}

// bytes walks n bytes of text.
func (p *packer) bytes(v string, n uint64) string {
	if p.mode == packing {
		p.buf = append(p.buf, v...)
		return v
	}
	v = string(p.buf[:n])
	p.buf = p.buf[n:]
	return v
}

// raw walks a text of its own.
func (p *packer) raw(v *string) {
	if p.has(*v != "") {
		*v = p.bytes(*v, p.uvarint(uint64(len(*v))))
	}
}

func (p *packer) labels(v *event.Labels) {
	if !p.has(len(*v) > 0) {
		return
	}
	n := p.uvarint(uint64(len(*v)))
	if p.mode != packing {
		*v = make(event.Labels, n)
	}
	for i := range *v {
		p.symbol(&(*v)[i].Name)
		p.symbol(&(*v)[i].Value)
	}
}

func (p *packer) services(v *[]event.Affected) {
	if !p.has(len(*v) > 0) {
		return
	}
	n := p.uvarint(uint64(len(*v)))
	if p.mode != packing {
		*v = make([]event.Affected, n)
	}
	for i := range *v {
		a := &(*v)[i]
		p.symbol(&a.Service)
		flags := uint64(a.Impact) << 2
		if a.Down {
			flags |= 1
		}
		if a.Spare {
			flags |= 2
		}
		flags = p.uvarint(flags)
		a.Impact, a.Down, a.Spare = uint8(flags>>2), flags&1 != 0, flags&2 != 0
	}
}

// bounds walks what came after the dossier did: its bit lies behind that one's, so that older bodies are read as they are.
func (p *packer) bounds(b *event.Bounds) {
	packed := b.Pack()
	p.field++
	number(p, &packed)
	p.field -= 2
	*b = event.UnpackBounds(packed)
}

// dossier walks what comes last. Nobody but the event package knows its form, which has its version in front.
func (p *packer) dossier(v **event.Dossier) {
	if !p.has(*v != nil) {
		return
	}
	switch p.mode {
	case packing:
		p.buf = event.AppendDossier(p.buf, *v)
	case unpacking:
		d, err := event.DecodeDossier(p.buf)
		if err != nil {
			panic("itsm: " + err.Error())
		}
		*v = d
	case releasing: // its texts lie in it
	}
}

// title walks the title: as it is, or, once it is over, told from the labels.
//
//	told  ┌ n, varint ┬ n even: n/2 bytes of text ┬ … ┬ 0 ┐
//	                  └ n odd: a word of the labels and what stands behind it
func (p *packer) title(i *event.IncidentState, over bool) {
	if !over {
		p.raw(&i.Title)
		return
	}
	if !p.has(i.Title != "") {
		return
	}
	if p.mode == packing {
		p.tell(i.Title, i.Labels)
		return
	}
	var title []byte
	for n := p.uvarint(0); n != 0; n = p.uvarint(0) {
		if n&1 == 0 {
			title = append(title, p.bytes("", n/2)...)
			continue
		}
		title = append(title, *wordOf(i.Labels, int(n/2%titleWords))...)
		title = append(title, titleGaps[n/2/titleWords%uint64(len(titleGaps))]...)
	}
	i.Title = string(title)
}

const (
	titleWords = 16 // names and values of labels that a title is told from
	titleWord  = 3  // bytes that such a word has at least
)

// titleGaps is what stands behind a word in a title that the machine has made. Word and gap fit one byte.
var titleGaps = [...]string{"", ": ", ", ", " "}

// wordOf returns name or value number n.
func wordOf(ls event.Labels, n int) *string {
	if n%2 == 0 {
		return &ls[n/2].Name
	}
	return &ls[n/2].Value
}

func (p *packer) tell(title string, ls event.Labels) {
	from, at := 0, 0
	text := func() {
		if at > from {
			p.uvarint(uint64(at-from) << 1)
			p.bytes(title[from:at], 0)
		}
	}
	for at < len(title) {
		n, length := longestWord(title[at:], ls)
		if length < titleWord {
			at++
			continue
		}
		text()
		at += length
		gap := len(titleGaps) - 1
		for !strings.HasPrefix(title[at:], titleGaps[gap]) {
			gap--
		}
		p.uvarint(uint64(gap*titleWords+n)<<1 | 1)
		at += len(titleGaps[gap])
		from = at
	}
	text()
	p.uvarint(0)
}

// longestWord finds the longest of the labels' words that text begins with.
func longestWord(text string, ls event.Labels) (n, length int) {
	for i := range min(2*len(ls), titleWords) {
		if w := *wordOf(ls, i); len(w) > length && len(w) <= len(text) && text[:len(w)] == w {
			n, length = i, len(w)
		}
	}
	return n, length
}

// A body of the largest size goes on: its end is the reference of the next.
const (
	refBytes  = 4
	chainPart = flat.MaxBlob - refBytes
)

// keepBody stores a body.
func (t *Table) keepBody(b []byte) flat.Ref {
	if len(b) < flat.MaxBlob {
		return t.text.Blobs.Put(b)
	}
	next := t.keepBody(b[chainPart:])
	part := binary.LittleEndian.AppendUint32(append([]byte(nil), b[:chainPart]...), uint32(next))
	return t.text.Blobs.Put(part)
}

// joined returns the whole of a body.
func joined(text labelset.Reader, ref flat.Ref) []byte {
	b := text.Bytes(ref)
	if len(b) < flat.MaxBlob {
		return b
	}
	return append(append([]byte(nil), b[:chainPart]...), joined(text, nextPart(b))...)
}

func nextPart(b []byte) flat.Ref { return flat.Ref(binary.LittleEndian.Uint32(b[chainPart:])) }

// freeBody forgets a body at the next sweep.
func (t *Table) freeBody(ref flat.Ref) {
	if b := t.text.Bytes(ref); len(b) == flat.MaxBlob {
		t.freeBody(nextPart(b))
	}
	t.text.FreeBytes(ref)
}
