package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSameTextsAreTheSameSet(t *testing.T) {
	text := func(n int) []File {
		return []File{{Name: "a.yml", Text: fmt.Appendf(nil, "settings: {reopen_within: %ds}\n", n)}}
	}
	parsed := func(files []File) *Set {
		t.Helper()
		set, err := Parse(files)
		require.NoError(t, err)
		return set
	}
	one := parsed(text(1))
	two := parsed(text(2))
	require.NotSame(t, one, two)
	require.Same(t, one, parsed(text(1)))
	require.Same(t, two, parsed(text(2)))
	anew, err := parseAnew(text(1))
	require.NoError(t, err)
	require.Equal(t, anew, one)
	renamed := parsed([]File{{Name: "b.yml", Text: text(1)[0].Text}})
	require.NotSame(t, one, renamed, "problems and decisions name the file")
	for n := range keptSets {
		parsed(text(10 + n))
	}
	require.NotSame(t, one, parsed(text(1)), "only the latest are kept")
	long := []File{{Name: "a.yml", Text: []byte("#" + strings.Repeat("x", keptBytes) + "\n")}}
	require.NotSame(t, parsed(long), parsed(long))
	wrong := []File{{Name: "a.yml", Text: []byte("nothing: 1\n")}}
	for range 2 {
		_, err := Parse(wrong)
		require.Error(t, err)
	}
}
