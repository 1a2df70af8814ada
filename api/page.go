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
	kept  []ranked[T] // in no order; page sorts
	full  bool        // limit entries are at worst or before it
	worst rank
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

// add offers an entry. Entries lie unsorted until there is no more room, so that any order of arrival costs about the same.
func (s *sieve[T]) add(r rank, item T) {
	s.total++
	if s.after != nil && r.compare(*s.after) <= 0 {
		return
	}
	if s.full && r.compare(s.worst) > 0 {
		s.more = true
		return
	}
	if s.kept = append(s.kept, ranked[T]{r, item}); len(s.kept) >= 4*s.limit+64 {
		s.prune()
	}
}

// prune sorts what is kept and drops what does not go on the page.
func (s *sieve[T]) prune() {
	slices.SortFunc(s.kept, func(a, b ranked[T]) int { return a.rank.compare(b.rank) })
	if len(s.kept) > s.limit {
		clear(s.kept[s.limit:])
		s.kept, s.more = s.kept[:s.limit], true
	}
	if len(s.kept) == s.limit && s.limit > 0 {
		s.full, s.worst = true, s.kept[s.limit-1].rank
	}
}

// page returns the entries of the page in their order.
func (s *sieve[T]) page() []ranked[T] {
	s.prune()
	return s.kept
}

// next returns the cursor of the page after this one, "" when this is the last.
func (s *sieve[T]) next() string {
	page := s.page()
	if !s.more {
		return ""
	}
	last := page[len(page)-1].rank
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d %s", last.key, last.id, s.order))
}

// items returns the page, never nil.
func items[T, U any](s *sieve[T], shape func(T) U) []U {
	page := s.page()
	out := make([]U, len(page))
	for i, k := range page {
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
