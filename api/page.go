package api

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Paging is how lists are asked for.
type Paging struct {
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500" doc:"entries in one page"`
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before; empty for the first"`
}

// rank is a list's order: by key, then by id. Both rise; a falling order negates its key.
type rank struct {
	key int64
	id  uint64
}

func (r rank) compare(other rank) int {
	return cmp.Or(cmp.Compare(r.key, other.key), cmp.Compare(r.id, other.id))
}

// sieve keeps the first entries after a cursor of a stream in any order, without keeping the rest.
type sieve[T any] struct {
	order string // the sort that a cursor belongs to
	after *rank
	limit int
	total int
	kept  []ranked[T]
	more  bool
}

type ranked[T any] struct {
	rank rank
	item T
}

func newSieve[T any](p Paging, order string) (*sieve[T], error) {
	s := &sieve[T]{order: order, limit: p.Limit}
	if p.Cursor == "" {
		return s, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		s.after = new(rank)
		var of string
		if _, err = fmt.Sscanf(string(text), "%d %d %s", &s.after.key, &s.after.id, &of); err == nil && of == order {
			return s, nil
		}
	}
	return nil, invalid("the cursor does not belong to this list", "start without one; a cursor keeps its sort")
}

// add offers an entry.
func (s *sieve[T]) add(r rank, item T) {
	s.total++
	if s.after != nil && r.compare(*s.after) <= 0 {
		return
	}
	if len(s.kept) == s.limit {
		s.more = true
		if r.compare(s.kept[s.limit-1].rank) > 0 {
			return
		}
		s.kept = s.kept[:s.limit-1]
	}
	i, _ := slices.BinarySearchFunc(s.kept, r, func(k ranked[T], r rank) int { return k.rank.compare(r) })
	s.kept = slices.Insert(s.kept, i, ranked[T]{r, item})
}

// next returns the cursor of the page after this one, "" when this is the last.
func (s *sieve[T]) next() string {
	if !s.more {
		return ""
	}
	last := s.kept[len(s.kept)-1].rank
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", last.key, last.id, s.order))
}

// items returns the page, never nil.
func items[T, U any](s *sieve[T], shape func(T) U) []U {
	out := make([]U, len(s.kept))
	for i, k := range s.kept {
		out[i] = shape(k.item)
	}
	return out
}

// words splits values that are given several times or with commas, so that status=a,b and status=a&status=b are the same.
func words(values []string) []string {
	var out []string
	for _, v := range values {
		for w := range strings.SplitSeq(v, ",") {
			if w = strings.TrimSpace(w); w != "" {
				out = append(out, w)
			}
		}
	}
	return out
}

// oneOf refuses a word that is not in the list.
func oneOf(param string, got []string, allowed ...string) error {
	for _, w := range got {
		if !slices.Contains(allowed, w) {
			return invalid(fmt.Sprintf("%s: %q is not one of %s", param, w, strings.Join(allowed, ", ")), "")
		}
	}
	return nil
}
