package evaluate

// Clustering says of each line in which cluster it is. Numbers mean nothing but "the same"; each line with a negative number is a
// cluster of its own.
type Clustering []int32

// Alone is the number of a line that is a cluster of its own.
const Alone int32 = -1

// table is how two clusterings of the same lines overlap. A cluster of one line has no entry of its own but in sizes.
//
//	         predicted
//	       ┌───────────┐
//	truth  │  overlap  │  truthSizes
//	       └───────────┘
//	       predictedSizes
type table struct {
	n              int
	cells          []cell
	truthSizes     []int // of every cluster
	predictedSizes []int
}

// cell is how many lines are in both a true and a predicted cluster.
type cell struct{ truth, predicted, lines int }

// numbered numbers the clusters from 0, those of a single line too, and returns the sizes.
func numbered(c Clustering) (numbers []int32, sizes []int) {
	numbers = make([]int32, len(c))
	known := make(map[int32]int32)
	for i, cluster := range c {
		number := int32(len(sizes))
		if cluster >= 0 {
			if old, ok := known[cluster]; ok {
				number = old
			} else {
				known[cluster] = number
			}
		}
		if int(number) == len(sizes) {
			sizes = append(sizes, 0)
		}
		sizes[number]++
		numbers[i] = number
	}
	return numbers, sizes
}

func newTable(truth, predicted Clustering) *table {
	t := &table{n: len(truth)}
	var of, in []int32
	of, t.truthSizes = numbered(truth)
	in, t.predictedSizes = numbered(predicted)
	at := make(map[uint64]int, len(t.predictedSizes))
	for i := range of {
		key := uint64(of[i])<<32 | uint64(in[i])
		place, ok := at[key]
		if !ok {
			place = len(t.cells)
			at[key] = place
			t.cells = append(t.cells, cell{truth: int(of[i]), predicted: int(in[i])})
		}
		t.cells[place].lines++
	}
	return t
}

// pairs is how many pairs n lines make.
func pairs(n int) float64 { return float64(n) * float64(n-1) / 2 }

// pairsIn is how many pairs of lines share a cluster.
func pairsIn(sizes []int) (sum float64) {
	for _, n := range sizes {
		sum += pairs(n)
	}
	return sum
}
