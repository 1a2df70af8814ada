package peers

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestABinaryIsNamedByItsContentAndOldOnesGo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tocsin")
	longAgo := time.Now().Add(-48 * time.Hour)
	var names []string
	for _, content := range []string{"one", "two", "two"} {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, os.Chtimes(path, longAgo, longAgo))
		name, err := nameByContent(path, time.Now().Add(-24*time.Hour))
		require.NoError(t, err)
		names = append(names, name)
	}
	require.NotEqual(t, names[0], names[1])
	require.Equal(t, names[1], names[2])
	require.NoFileExists(t, names[0])
	content, err := os.ReadFile(names[1])
	require.NoError(t, err)
	require.Equal(t, "two", string(content))
}

func TestTheShownLogStartsAtALine(t *testing.T) {
	l := &logBuffer{}
	_, err := l.Write([]byte("first line\nsecond\nthird\n"))
	require.NoError(t, err)
	require.Equal(t, "first line\nsecond\nthird\n", l.tail(1000))
	require.Equal(t, "third\n", l.tail(8))
	require.Equal(t, "second\nthird\n", l.from(11))
}

// ending records how a helper first ended its test; the embedded T gives the rest.
type ending struct {
	*testing.T
	how string
}

func (e *ending) Skip(...any)  { e.how = cmp.Or(e.how, "skip") }
func (e *ending) Fatal(...any) { e.how = cmp.Or(e.how, "fatal") }

func TestAMissingPeerSkipsOnALaptopAndFailsInThePipeline(t *testing.T) {
	for ci, want := range map[string]string{"": "skip", "true": "fatal"} {
		t.Setenv("CI", ci)
		e := &ending{T: t}
		program(e, "no-such-program-here")
		require.Equal(t, want, e.how)
	}
}
