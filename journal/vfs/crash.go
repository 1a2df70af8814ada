package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// Unsynced is one change that no sync has made durable when power fails.
type Unsynced struct {
	Last bool  // it is the latest of all
	Off  int64 // file offset of a write
	Len  int   // bytes of a write; 1 for a truncate or a directory entry
}

// Range is a half-open range of the bytes of one change.
type Range struct{ From, To int }

// Survive says which bytes of a change reached the disk.
type Survive func(Unsynced) []Range

// Nothing loses all that was not synced.
func Nothing(Unsynced) []Range { return nil }

// Everything keeps all, as when only the process dies.
func Everything(u Unsynced) []Range { return []Range{{0, u.Len}} }

// Torn keeps all but the last change, and n bytes of that.
func Torn(n int) Survive {
	return func(u Unsynced) []Range {
		if u.Last {
			return []Range{{0, min(n, u.Len)}}
		}
		return Everything(u)
	}
}

// Sectors keeps or loses each sector by the toss of a coin: disks reorder.
func Sectors(coin *rand.Rand) Survive {
	return func(u Unsynced) []Range {
		var kept []Range
		for from := 0; from < u.Len; {
			to := min(u.Len, from+sector-int((u.Off+int64(from))%sector))
			if coin.IntN(2) == 0 {
				kept = append(kept, Range{from, to})
			}
			from = to
		}
		return kept
	}
}

// Crash loses what the disk does not hold: the process's view becomes the
// durable one plus what survive keeps. Open files are dead, locks are free,
// and calls work again.
func (m *Mem) Crash(survive Survive) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.lastUnsynced()
	for _, node := range m.inodes() {
		for _, c := range node.pending {
			u := Unsynced{Last: c.call == last, Off: c.off, Len: max(1, len(c.data))}
			for _, r := range survive(u) {
				if r.From < r.To {
					node.synced = c.apply(node.synced, r.From, r.To)
				}
			}
		}
		node.data, node.pending = slices.Clone(node.synced), nil
	}
	for _, e := range m.renames {
		for _, r := range survive(Unsynced{Last: e.call == last, Len: 1}) {
			if r.From < r.To {
				e.apply(m.durable)
			}
		}
	}
	m.names, m.renames = maps.Clone(m.durable), nil
	m.locks = map[string]bool{}
	m.cutAt, m.fail = 0, nil
	m.life++
}

// inodes lists every file that a name leads to or led to before a crash, in
// an order that does not change from run to run.
func (m *Mem) inodes() []*inode {
	var all []*inode
	add := func(names map[string]*inode) {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if !slices.Contains(all, names[name]) {
				all = append(all, names[name])
			}
		}
	}
	add(m.durable)
	add(m.names)
	for _, e := range m.renames {
		if e.node != nil && !slices.Contains(all, e.node) {
			all = append(all, e.node)
		}
	}
	return all
}

func (m *Mem) lastUnsynced() int {
	last := 0
	for _, node := range m.inodes() {
		for _, c := range node.pending {
			last = max(last, c.call)
		}
	}
	for _, e := range m.renames {
		last = max(last, e.call)
	}
	return last
}
