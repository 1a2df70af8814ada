package peers_test

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// standIn makes the test binary behave as `tocsin serve` towards its starter: these tests are about the starter's
// duties (same address and data, nothing left behind), and must not fail with the daemon.
const standIn = "TOCSIN_PEERS_STAND_IN"

func TestMain(m *testing.M) {
	if os.Getenv(standIn) != "" {
		fmt.Fprintln(os.Stderr, serve(os.Args[1:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve appends one line per start to DATA/starts and answers every request with that file.
func serve(args []string) error {
	if len(args) < 5 || args[0] != "serve" || args[1] != "--data" || args[3] != "--listen" {
		return fmt.Errorf("unexpected arguments %q", args)
	}
	if err := os.MkdirAll(args[2], 0o755); err != nil {
		return err
	}
	starts, err := os.OpenFile(filepath.Join(args[2], "starts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(starts, strings.Join(args[5:], " ")); err != nil {
		return err
	}
	l, err := net.Listen("tcp", args[4])
	if err != nil {
		return err
	}
	slog.New(slog.NewTextHandler(os.Stderr, nil)).Info("Listening on", "address", l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, starts.Name())
	}))
}

func TestADaemonKeepsItsAddressAndDataOverAnEnd(t *testing.T) {
	for name, end := range map[string]func(*peers.Daemon){
		"stop":    func(d *peers.Daemon) { d.Stop() },
		"crash":   func(d *peers.Daemon) { d.Kill9() },
		"running": func(*peers.Daemon) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(standIn, "1")
			t.Setenv("TOCSIN_BIN", os.Args[0])
			d := peers.Tocsin(t, "--config", "x.yml")
			first := d.URL
			end(d)
			d.Restart()
			require.Equal(t, first, d.URL)
			starts, err := os.ReadFile(filepath.Join(d.Data, "starts"))
			require.NoError(t, err)
			require.Equal(t, "--history=none --config x.yml\n--history=none --config x.yml\n", string(starts))
		})
	}
}
