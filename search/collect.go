package search

import (
	"container/heap"
	"context"
	"math"
	"slices"

	"github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"
)

// found is one hit before its record is read.
type found struct {
	id      index.IndexInternalID
	score   float64
	updated string // seconds, "" until it was asked for
}

// collector keeps the best hits: by score, then the one that changed last.
type collector struct {
	times    index.DocValueReader
	since    string // as seconds writes it, "" for ever
	until    string
	constant bool                                      // every hit counts the same
	accept   func(index.IndexInternalID) (bool, error) // nil: all
	limit    int
	total    int
	best     worstFirst
}

// worstFirst is a heap.
type worstFirst []found

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, j int) bool { return worse(&h[i], &h[j]) }
func (h worstFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *worstFirst) Push(x any)        { *h = append(*h, x.(found)) }
func (h *worstFirst) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

func worse(a, b *found) bool {
	if a.score < b.score || a.score > b.score {
		return a.score < b.score
	}
	if a.updated != b.updated {
		return a.updated < b.updated
	}
	return a.id.Compare(b.id) < 0
}

// run takes all that a searcher finds.
func (c *collector) run(ctx context.Context, s search.Searcher, r index.IndexReader) error {
	pool := &search.SearchContext{DocumentMatchPool: search.NewDocumentMatchPool(s.DocumentMatchPoolSize()+1, 0), IndexReader: r}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m, err := s.Next(pool)
		if err != nil || m == nil {
			return err
		}
		if err := c.take(m); err != nil {
			return err
		}
		pool.DocumentMatchPool.Put(m)
	}
}

func (c *collector) take(m *search.DocumentMatch) (err error) {
	it := found{id: m.IndexInternalID, score: math.Round(m.Score*1e4) / 1e4}
	if c.constant || math.IsNaN(it.score) || math.IsInf(it.score, 0) {
		it.score = 1
	}
	if c.since != "" || c.until != "" {
		if it.updated, err = c.updated(it.id); err != nil {
			return err
		}
		if it.updated < c.since || c.until != "" && it.updated >= c.until {
			return nil
		}
	}
	if c.accept != nil {
		if ok, err := c.accept(it.id); err != nil || !ok {
			return err
		}
	}
	c.total++
	if len(c.best) == c.limit && it.score < c.best[0].score {
		return nil
	}
	if it.updated == "" {
		if it.updated, err = c.updated(it.id); err != nil {
			return err
		}
	}
	if len(c.best) < c.limit {
		it.id = slices.Clone(it.id)
		heap.Push(&c.best, it)
	} else if worse(&c.best[0], &it) {
		it.id = slices.Clone(it.id)
		c.best[0] = it
		heap.Fix(&c.best, 0)
	}
	return nil
}

func (c *collector) updated(id index.IndexInternalID) (at string, err error) {
	err = c.times.VisitDocValues(id, func(_ string, term []byte) { at = string(term) })
	return at, err
}

// sorted returns the hits, the best first.
func (c *collector) sorted() []found {
	slices.SortFunc(c.best, func(a, b found) int {
		if worse(&b, &a) {
			return -1
		}
		return 1
	})
	return c.best
}
