package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	tocsinName       = "tocsin"
	alertmanagerName = "alertmanager"

	// All load comes from one address, so the cap per source is out of the way.
	tocsinConfig = "limits:\n  alerts_per_source: 5000000\nhistory:\n  url: %s\n"

	// Grouping is on and notifications are not: the figures are for intake.
	alertmanagerConfig = `route:
  receiver: none
  group_by: [alertname, cluster, service]
receivers:
  - name: none
`
)

// subject is a server to measure.
type subject struct {
	name   string
	binary string
	config string
	args   func(config, data, address string) []string
}

func tocsinSubject(binary string, history bool) subject {
	keeps := "none"
	if history {
		keeps = "chdb"
	}
	return subject{name: tocsinName, binary: binary, config: fmt.Sprintf(tocsinConfig, keeps), args: func(config, data, address string) []string {
		return []string{"serve", "--data", data, "--listen", address, "--config", config}
	}}
}

func alertmanagerSubject(binary string) subject {
	return subject{name: alertmanagerName, binary: binary, config: alertmanagerConfig, args: func(config, data, address string) []string {
		return []string{"--config.file", config, "--storage.path", data, "--web.listen-address", address,
			"--cluster.listen-address=", "--log.level=warn"}
	}}
}

// findSubjects builds or takes Tocsin and looks for Alertmanager.
func findSubjects(ctx context.Context, o options, dir string, progress io.Writer) ([]subject, error) {
	binary := o.tocsin
	if binary == "" {
		binary = filepath.Join(dir, "tocsin")
		fmt.Fprintln(progress, "building tocsin ...")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "github.com/tocsin-noc/tocsin/cmd/tocsin")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build tocsin: %w\n%s", err, out)
		}
	}
	subjects := []subject{tocsinSubject(binary, o.history)}
	names := []string{"prometheus-alertmanager", "alertmanager"}
	if o.peer != "" {
		names = []string{o.peer}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return append(subjects, alertmanagerSubject(path)), nil
		}
	}
	fmt.Fprintln(progress, "*** NO ALERTMANAGER FOUND: Tocsin is measured alone (apt-get install prometheus-alertmanager, or -alertmanager BINARY) ***")
	return subjects, nil
}

// version is the first line the binary says about itself, for the report.
func (s subject) version(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, s.binary, "--version").CombinedOutput()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

// start runs the server on the data in dir, on a free port, and waits until it
// is ready.
func (s subject) start(ctx context.Context, dir string) (*process, error) {
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, []byte(s.config), 0o600); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd := exec.CommandContext(ctx, s.binary, s.args(config, filepath.Join(dir, "data"), address)...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := launch(cmd, dir, "http://"+address)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.name, err)
	}
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w\n%s", s.name, err, p.lastWords()), p.stop())
	}
	return p, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
