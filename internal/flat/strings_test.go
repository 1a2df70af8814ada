package flat

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStringsAreKeptOnceAsLongAsTheyAreHeld(t *testing.T) {
	s := NewStrings()
	a := s.Intern("job")
	require.Equal(t, a, s.Intern("job"))
	require.NotEqual(t, a, s.Intern("instance"))
	require.Equal(t, "job", s.String(a))
	s.Retain(a)
	for range 3 {
		sym, ok := s.Lookup("job")
		require.True(t, ok)
		require.Equal(t, a, sym)
		s.Release(a)
	}
	_, ok := s.Lookup("job")
	require.False(t, ok)
	require.EqualValues(t, 1, s.Stats().Used)
}

func TestTheEmptyStringIsZeroAndNeedsNoHolder(t *testing.T) {
	s := NewStrings()
	require.Zero(t, s.Intern(""))
	s.Retain(0)
	s.Release(0)
	require.Empty(t, s.String(0))
	v := s.View()
	for _, lookup := range []func(string) (Sym, bool){s.Lookup, v.Lookup} {
		sym, ok := lookup("")
		require.True(t, ok)
		require.Zero(t, sym)
	}
}

func TestStringsBehaveLikeACountedMapAndViewsKeepTheirs(t *testing.T) {
	for seed := range seeds(2, 4) {
		rng := rand.New(rand.NewPCG(seed, 3))
		s := NewStrings()
		syms, holders := map[string]Sym{}, map[string]int{}
		text := func() string {
			n := rng.IntN(3_000)
			return fmt.Sprint(n, strings.Repeat("x", n%200))
		}
		var view StringsView
		var then map[string]Sym
		for step := range 30_000 {
			w := text()
			if rng.IntN(2) == 0 {
				syms[w] = s.Intern(w)
				holders[w]++
			} else if holders[w] > 0 {
				s.Release(syms[w])
				if holders[w]--; holders[w] == 0 {
					delete(syms, w)
				}
			}
			if step == 15_000 {
				view, then = s.View(), map[string]Sym{}
				maps.Copy(then, syms)
			}
		}
		require.EqualValues(t, len(syms), s.Stats().Used)
		for range 3_000 {
			w := text()
			sym, ok := s.Lookup(w)
			require.Equal(t, holders[w] > 0, ok)
			require.Equal(t, syms[w], sym)
			_, had := then[w]
			sym, ok = view.Lookup(w)
			require.Equal(t, had, ok)
			require.Equal(t, then[w], sym)
		}
		for w, sym := range syms {
			require.Equal(t, w, s.String(sym))
		}
		for w, sym := range then {
			require.Equal(t, w, view.String(sym))
		}
	}
}

func TestStringsRefuseWhatDoesNotFit(t *testing.T) {
	s := NewStrings()
	long := strings.Repeat("x", MaxString)
	require.Equal(t, long, s.String(s.Intern(long)))
	require.Panics(t, func() { s.Intern(long + "x") })
}
