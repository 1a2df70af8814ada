package chdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tocsin-noc/tocsin/history/chdb/handoff"
)

const (
	closeTime   = 10 * time.Second // for a child that was asked to end
	lastWords   = 2000             // bytes of its output that an error quotes
	firstLookIn = 20 * time.Millisecond
)

// child is one process of the engine.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	said  *relay
	gone  chan struct{} // closed when the process is
}

// launch starts a child and waits until it answers.
func (e *Engine) launch(ctx context.Context) (*child, error) {
	cmd := exec.Command(e.o.Command[0], e.o.Command[1:]...)
	cmd.Env = []string{} // not ours: it may hold secrets
	cmd.Dir = filepath.Join(e.o.Dir, engineDir)
	cmd.ExtraFiles = []*os.File{e.socket, e.lock} // 3 and 4, see handoff
	cmd.SysProcAttr = attributes()
	said := &relay{log: e.log}
	cmd.Stdout, cmd.Stderr = said, said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("chdb: start the engine: %w", err)
	}
	c := &child{cmd: cmd, stdin: stdin, said: said, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its state is asked where it matters
		close(c.gone)
	}()
	waiting, stop := context.WithCancel(ctx) // a child that ends has nobody to answer
	defer stop()
	go func() {
		select {
		case <-c.gone:
			stop()
		case <-waiting.Done():
		}
	}()
	order := handoff.Order{Library: e.o.Library, Folder: cmd.Dir, Writer: e.writer, Reader: e.reader, MemoryBytes: e.o.MemoryBytes}
	err = handoff.Write(stdin, order)
	for end := time.Now().Add(startTime); ; {
		if err == nil {
			if err = e.look(waiting, e.o.HealthTime); err == nil {
				break
			}
		}
		select {
		case <-c.gone:
			return nil, fmt.Errorf("chdb: the engine ended at its start (%s): %s", cmd.ProcessState, said.tail())
		case <-ctx.Done():
			c.kill()
			return nil, fmt.Errorf("chdb: start the engine: %w", ctx.Err())
		case <-time.After(firstLookIn):
		}
		if time.Now().After(end) {
			c.kill()
			return nil, fmt.Errorf("chdb: the engine did not answer within %s: %w: %s", startTime, err, said.tail())
		}
	}
	e.mu.Lock()
	e.healthy, e.pid = nil, cmd.Process.Pid
	e.mu.Unlock()
	return c, nil
}

// end asks the child to end, and ends it when it does not.
func (c *child) end() {
	_ = c.stdin.Close() // it may be gone
	select {
	case <-c.gone:
	case <-time.After(closeTime):
		c.kill()
	}
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may be gone
	<-c.gone
}

// look asks the engine whether it is well.
func (e *Engine) look(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL()+handoff.HealthPath, nil)
	if err != nil {
		return err
	}
	res, err := e.client.Do(req)
	if err != nil {
		return fmt.Errorf("chdb: the engine does not answer: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, lastWords))
	if err != nil {
		return fmt.Errorf("chdb: the engine does not answer: %w", err)
	}
	if got := strings.TrimSpace(string(text)); res.StatusCode != http.StatusOK || got != "1" {
		return fmt.Errorf("chdb: the engine answers %s: %s", res.Status, got)
	}
	return nil
}

// relay turns the child's output into log lines. It keeps the last words, and says no more than so many lines a minute.
type relay struct {
	log *slog.Logger

	mu      sync.Mutex
	line    []byte
	last    []byte
	window  time.Time
	lines   int
	dropped int
}

const (
	linesPerMinute = 60
	maxLine        = 4096
)

// Write takes output.
func (r *relay) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = append(r.last, p...)
	if n := len(r.last) - lastWords; n > 0 {
		r.last = append(r.last[:0], r.last[n:]...)
	}
	for rest := p; len(rest) > 0; {
		at := bytes.IndexByte(rest, '\n')
		if at < 0 {
			r.line = append(r.line, rest[:min(len(rest), max(0, maxLine-len(r.line)))]...)
			break
		}
		r.line = append(r.line, rest[:min(at, max(0, maxLine-len(r.line)))]...)
		r.sayLocked(strings.TrimSpace(string(r.line)))
		r.line, rest = r.line[:0], rest[at+1:]
	}
	return len(p), nil
}

func (r *relay) sayLocked(line string) {
	if line == "" {
		return
	}
	now := time.Now()
	if now.Sub(r.window) > time.Minute {
		if r.dropped > 0 {
			r.log.Warn("history engine said more", "lines", r.dropped)
		}
		r.window, r.lines, r.dropped = now, 0, 0
	}
	if r.lines++; r.lines > linesPerMinute {
		r.dropped++
		return
	}
	level := slog.LevelInfo
	if strings.Contains(line, "<Error>") || strings.Contains(line, "<Fatal>") {
		level = slog.LevelError
	} else if strings.Contains(line, "<Warning>") {
		level = slog.LevelWarn
	}
	r.log.Log(context.Background(), level, "history engine says", "line", line)
}

// tail returns the last words on one line.
func (r *relay) tail() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == 0 {
		return "it said nothing"
	}
	return strings.Join(strings.Fields(string(r.last)), " ")
}

// errEnded is the health of an engine whose process is gone.
var errEnded = errors.New("chdb: the engine's process ended")
