package facts

import "github.com/tocsin-noc/tocsin/event"

// key is where a row comes from: all fact tables have it.
type key struct {
	shard *values[uint32]
	seq   *values[uint64]
	n     *values[uint32]
}

func keyOf(t *table) key {
	return key{column[uint32](t, "shard"), column[uint64](t, "seq"), column[uint32](t, "n")}
}

func (k *key) add(ch *event.Change) {
	k.shard.add(ch.Shard)
	k.seq.add(ch.Seq)
	k.n.add(ch.N)
}

// changesOfOne is more than one input has changes: places count inputs by it.
const changesOfOne = 1 << 20

// place orders the changes of a shard by one number.
func place(ch *event.Change) uint64 { return ch.Seq*changesOfOne + uint64(min(ch.N, changesOfOne-1)) }
