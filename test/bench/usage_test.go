package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tree counts: a shell that is nothing itself, with a child that burns CPU.
func TestUsageCoversChildren(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("SKIPPED: usage comes from /proc, which this system lacks")
	}
	p, err := launch(exec.CommandContext(t.Context(), "sh", "-c", "(while :; do :; done) & wait"), t.TempDir(), "http://127.0.0.1:1")
	require.NoError(t, err)
	t.Cleanup(p.kill)
	var got usage
	require.Eventually(t, func() bool {
		got, err = p.usage()
		require.NoError(t, err)
		return got.cpu >= .1
	}, 30*time.Second, 10*time.Millisecond)
	require.Positive(t, got.rss)
	require.GreaterOrEqual(t, got.peak, got.rss)
	require.Positive(t, got.pss)
	p.kill()
	_, err = p.usage()
	require.ErrorContains(t, err, "the server is gone")
	require.Positive(t, ownCPU())
}

func TestABusyMachineIsSaid(t *testing.T) {
	var quiet, loud bytes.Buffer
	warnBusy(&quiet, .2)
	require.Empty(t, quiet.String())
	warnBusy(&loud, 3.14)
	require.Contains(t, loud.String(), "BUSY (load average 3.1)")
}
