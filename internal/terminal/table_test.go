package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sample() *Table {
	t := NewTable("ID", "SEVERITY", "TITLE")
	t.Add(Text("INC-1"), Cell{"critical", BoldRed}, Text("disk \x1b[31mfull on db-3"))
	t.Add(Text("INC-12"), Text(""), Text("磁盘已满 on 数据库"))
	return t
}

func written(t *testing.T, columns int, colour bool) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, sample().Write(&b, "", columns, colour))
	return b.String()
}

func TestColumnsAreAlignedByWhatIsSeen(t *testing.T) {
	require.Equal(t, `ID      SEVERITY  TITLE
INC-1   critical  disk [31mfull on db-3
INC-12  -         磁盘已满 on 数据库
`, written(t, 0, false))
}

func TestANarrowTerminalCutsTheLastColumn(t *testing.T) {
	require.Equal(t, `ID      SEVERITY  TITLE
INC-1   critical  disk [31mfu…
INC-12  -         磁盘已满 on…
`, written(t, 30, false))
	require.Contains(t, written(t, 10, false), "disk [31mfu…", "a column never gets unreadable")
}

func TestColoursTakeNoRoom(t *testing.T) {
	got := written(t, 0, true)
	require.Contains(t, got, "INC-1   \x1b[1;31mcritical\x1b[0m  disk")
	require.Contains(t, got, "INC-12  \x1b[2m-\x1b[0m         磁盘")
}

func TestATableWithoutHeadings(t *testing.T) {
	table, b := NewTable("", ""), strings.Builder{}
	table.Add(Text("Rule"), Text("cluster"))
	require.NoError(t, table.Write(&b, "  ", 0, false))
	require.Equal(t, "  Rule  cluster\n", b.String())
}

func TestWidthAndTruncation(t *testing.T) {
	require.Equal(t, 1, Width("e\u0301"))
	require.Equal(t, 4, Width("磁盘"))
	require.Equal(t, "磁…", Truncate("磁盘已满", 4))
	require.Equal(t, "磁盘", Truncate("磁盘", 4))
	require.Equal(t, "…", Truncate("abc", 1))
	require.Empty(t, Truncate("abc", 0))
}

func TestTimesAreDistances(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0:                                "now",
		59 * time.Second:                 "59s ago",
		3 * time.Minute:                  "3m ago",
		3*time.Minute + 20*time.Second:   "3m20s ago",
		59*time.Minute + 59*time.Second:  "59m ago",
		time.Hour + 30*time.Minute:       "1h30m ago",
		50 * time.Hour:                   "2d2h ago",
		12*24*time.Hour + 23*time.Hour:   "12d ago",
		-(2*time.Hour + 500*time.Second): "in 2h8m",
	} {
		require.Equal(t, want, Ago(now.Add(-ago), now))
	}
	require.Equal(t, "-", Ago(time.Time{}, now))
	require.Equal(t, "2026-11-21 03:00:00 UTC", Clock(now))
	require.Equal(t, "-", Clock(time.Time{}))
}

func TestEverySeverityAndStatusThatMattersIsSetOff(t *testing.T) {
	for _, s := range []string{"critical", "major", "minor", "warning", "info"} {
		require.NotEqual(t, Plain, SeverityStyle(s), s)
	}
	for _, s := range []string{"open", "firing", "signal_lost", "expired", "resolved", "cleared"} {
		require.NotEqual(t, Plain, StatusStyle(s), s)
	}
	require.Equal(t, "x", BoldRed.Paint("x", false))
	require.Equal(t, "x", Plain.Paint("x", true))
}

func TestSizesAreShort(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1024: "1.0KiB", 1536: "1.5KiB", 196_000_000: "187MiB", 50_000_000_000: "47GiB", 1 << 62: "4096PiB"} {
		require.Equal(t, want, Bytes(n))
	}
}
