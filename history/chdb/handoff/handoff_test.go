package handoff

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheOrderIsOneLineAndTheRestIsLeft(t *testing.T) {
	var b bytes.Buffer
	o := Order{Library: "/l", Folder: "/f\n", Writer: Credentials{"w", "p"}, Reader: Credentials{"r", "q"}, MemoryBytes: 5}
	require.NoError(t, Write(&b, o))
	require.Equal(t, 1, strings.Count(b.String(), "\n"))
	b.WriteString("rest")
	r := bufio.NewReader(&b)
	got, err := Read(r)
	require.NoError(t, err)
	require.Equal(t, o, got)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "rest", string(rest))
}

func TestAnOrderThatIsNoneIsSaid(t *testing.T) {
	_, err := Read(bufio.NewReader(strings.NewReader("")))
	require.ErrorContains(t, err, "not by hand")
	_, err = Read(bufio.NewReader(strings.NewReader("{\n")))
	require.ErrorContains(t, err, "chdb: order")
}
