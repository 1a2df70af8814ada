package disk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// model is the log as one would write it without a disk: a slice.
type model struct {
	t     *testing.T
	coin  *rand.Rand
	mem   *vfs.Mem
	o     Options
	log   *Log
	recs  []journal.Record // all that were acknowledged, and survivors found later
	head  journal.Head     // the newest noted
	first uint64
}

func TestRandomRunsAgreeWithADumbModel(t *testing.T) {
	for seed := range seeds(50, 150) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			coin := rand.New(rand.NewPCG(seed, 1))
			mem := vfs.NewMem()
			o := Options{FS: mem, SegmentBytes: 1000 + coin.Int64N(5000), Ahead: -1 + coin.Int64N(3000), FillInline: true}
			if o.Ahead == 0 {
				o.Ahead = 1
			}
			m := &model{t: t, coin: coin, mem: mem, o: o, first: 1}
			m.log = open(t, o)
			for range 60 {
				m.step()
			}
			m.compare()
		})
	}
}

func (m *model) step() {
	switch m.coin.IntN(12) {
	case 0:
		m.crash()
	case 1:
		require.NoError(m.t, m.log.Close())
		m.reopen()
	case 2:
		_, err := m.log.Truncate(m.someSeq())
		require.NoError(m.t, err)
		m.first = m.log.First()
	case 3:
		m.redact(m.someSeq())
	case 4:
		_, err := m.log.Roll()
		require.NoError(m.t, err)
	case 5:
		m.compare()
	default:
		recs := m.batch()
		require.NoError(m.t, write(m.log, recs))
		m.acknowledge(recs)
	}
}

// batch makes records with gaps between their numbers and times that go back.
func (m *model) batch() []journal.Record {
	seq := m.log.Last()
	recs := make([]journal.Record, 1+m.coin.IntN(6))
	for i := range recs {
		seq += 1 + m.coin.Uint64N(3)
		recs[i] = record(seq, m.coin.IntN(700))
		recs[i].At = m.coin.Int64N(1000)
	}
	return recs
}

func (m *model) acknowledge(recs []journal.Record) {
	m.recs = append(m.recs, recs...) // Append raised the times in place
	m.head = m.log.Head()
}

func (m *model) someSeq() uint64 { return m.coin.Uint64N(m.log.Last() + 2) }

func (m *model) redact(seq uint64) {
	at := slices.IndexFunc(m.recs, func(r journal.Record) bool { return r.Seq == seq })
	err := m.log.Redact(seq, []byte("-"), "random")
	list := *m.log.segments.Load()
	switch {
	case seq < m.first:
		require.ErrorIs(m.t, err, journal.ErrTruncated)
	case seq > m.log.Last():
		require.ErrorIs(m.t, err, journal.ErrUnknown)
	case seq >= list[len(list)-1].base:
		require.ErrorIs(m.t, err, journal.ErrActive)
	case at < 0:
		require.ErrorIs(m.t, err, journal.ErrUnknown)
	default:
		require.NoError(m.t, err)
		m.recs[at].Payload, m.recs[at].Redacted = []byte("-"), true
	}
}

// crash cuts the power within the next few calls, while appending.
func (m *model) crash() {
	m.mem.CutPowerAt(len(m.mem.Calls()) + 1 + m.coin.IntN(8))
	var pending []journal.Record
	for {
		pending = m.batch()
		if err := write(m.log, pending); err != nil {
			break
		}
		m.acknowledge(pending)
	}
	m.mem.Crash([]vfs.Survive{vfs.Nothing, vfs.Everything, vfs.Torn(m.coin.IntN(900)), vfs.Sectors(m.coin)}[m.coin.IntN(4)])
	m.reopen()
	last := uint64(0)
	if len(m.recs) > 0 {
		last = m.recs[len(m.recs)-1].Seq
	}
	require.GreaterOrEqual(m.t, m.log.Last(), last)
	for _, r := range pending {
		if r.Seq > last && r.Seq <= m.log.Last() {
			m.recs = append(m.recs, r)
		}
	}
}

func (m *model) reopen() {
	var err error
	m.log, err = Open(dir, m.o)
	require.NoError(m.t, err)
}

// compare reads everything from a random place and verifies the chain.
func (m *model) compare() {
	from := max(m.first, m.someSeq())
	got, err := drain(m.log.Reader(from))
	require.NoError(m.t, err)
	var want []journal.Record
	for _, r := range m.recs {
		if r.Seq >= from {
			want = append(want, r)
		}
	}
	require.Equal(m.t, want, got)
	since := m.head
	if since.Seq+1 < m.first {
		since = journal.Head{}
	}
	report, err := Verify(dir, m.o, since)
	require.NoError(m.t, err)
	require.Equal(m.t, m.log.Head(), report.Head)
}
