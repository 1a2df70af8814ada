package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	readyPoll  = 5 * time.Millisecond
	readyLimit = 10 * time.Minute
	stopLimit  = 30 * time.Second
)

// process is a running server and its children, in a process group of their own.
type process struct {
	dir    string // config, log and data
	url    string
	cmd    *exec.Cmd
	exited chan struct{} // closed when the server has ended
	client *http.Client
}

func launch(cmd *exec.Cmd, dir, url string) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &process{dir: dir, url: url, cmd: cmd, exited: make(chan struct{}), client: &http.Client{Transport: &http.Transport{}}}
	cmd.Cancel = func() error { return p.signal(syscall.SIGKILL) }
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.exited)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// ready waits until /-/ready answers 200.
func (p *process) ready(ctx context.Context) error {
	deadline := time.After(readyLimit)
	for {
		if status, _, err := p.call(ctx, http.MethodGet, "/-/ready"); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.exited:
			return errors.New("it ended before it was ready")
		case <-deadline:
			return fmt.Errorf("not ready after %s", readyLimit)
		case <-time.After(readyPoll):
		}
	}
}

// snapshot asks for one and reports whether the server has such a thing.
func (p *process) snapshot(ctx context.Context) (bool, error) {
	status, body, err := p.call(ctx, http.MethodPost, "/api/v1/admin/snapshot")
	switch {
	case err != nil:
		return false, fmt.Errorf("snapshot: %w", err)
	case status == http.StatusNotFound:
		return false, nil
	case status/100 != 2:
		return false, fmt.Errorf("snapshot: status %d: %.200s", status, body)
	}
	return true, nil
}

// has tells whether the server holds an alert of this instance.
func (p *process) has(ctx context.Context, instance string) (bool, error) {
	filter := url.Values{"filter": {fmt.Sprintf("instance=%q", instance)}}
	status, body, err := p.call(ctx, http.MethodGet, "/api/v2/alerts?"+filter.Encode())
	if err != nil {
		return false, err
	}
	var alerts []json.RawMessage
	if err := json.Unmarshal(body, &alerts); err != nil || status != http.StatusOK {
		return false, fmt.Errorf("alerts: status %d: %.200s", status, body)
	}
	return len(alerts) > 0, nil
}

func (p *process) call(ctx context.Context, method, path string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.url+path, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// stop ends the server in good order, or after stopLimit with force. It may be
// called for one that has ended.
func (p *process) stop() error {
	p.client.CloseIdleConnections()
	_ = p.signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopLimit):
		p.kill()
		return fmt.Errorf("%s ignored SIGTERM for %s", filepath.Base(p.cmd.Path), stopLimit)
	}
}

// kill is kill -9 for the server and its children at once.
func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL) // it may have ended
	<-p.exited
}

func (p *process) signal(s syscall.Signal) error {
	return syscall.Kill(-p.cmd.Process.Pid, s)
}

// lastWords is the end of the server's log.
func (p *process) lastWords() string {
	const most = 2000
	log, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(log[max(0, len(log)-most):]))
}
