package peers

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 60 * time.Second // a JVM on a busy two-core machine
	stopTimeout  = 30 * time.Second // SIGTERM to exit, before SIGKILL
	pollInterval = 20 * time.Millisecond
	shownLog     = 16 << 10 // bytes of a failed test's log, from its end
)

// Proc is one running peer.
type Proc struct {
	URL string // http://127.0.0.1:PORT, no trailing slash (Chromium: ws://…, its DevTools)
	Dir string // its working directory, a t.TempDir()

	t    testing.TB
	name string
	argv []string
	cmd  *exec.Cmd
	log  *logBuffer
	gone chan struct{} // closed when the process has been waited for
}

// newProc prepares a process and registers its end; start runs it, and may run it again after it has ended.
func newProc(t testing.TB, name string, argv ...string) *Proc {
	t.Helper()
	p := &Proc{Dir: t.TempDir(), t: t, name: name, argv: argv, log: &logBuffer{}}
	t.Cleanup(func() {
		p.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("---- end of the log of %s\n%s", name, p.log.tail(shownLog))
		}
	})
	return p
}

// start runs the command with extra arguments.
func (p *Proc) start(extra ...string) {
	p.t.Helper()
	p.cmd = exec.Command(p.argv[0], append(p.argv[1:len(p.argv):len(p.argv)], extra...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.Dir, p.log, p.log
	p.cmd.SysProcAttr = dieWithTest()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("peers: start %s: %v", p.name, err)
	}
	gone := make(chan struct{})
	p.gone = gone
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // how it ended is in its log; whether it may end is the caller's business
		close(gone)
	}(p.cmd)
}

// Stop asks the process to end (SIGTERM), waits, and kills it when it does not end in half a minute.
// Stopping what has ended is fine.
func (p *Proc) Stop() { p.end(syscall.SIGTERM) }

// Kill9 ends the process as a crash does, and waits until it is gone.
func (p *Proc) Kill9() { p.end(syscall.SIGKILL) }

// Signal sends sig (SIGHUP: reload).
func (p *Proc) Signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("peers: signal %s: %v", p.name, err)
	}
}

// PID returns the process id of the running process.
func (p *Proc) PID() int { return p.cmd.Process.Pid }

// Gone is closed when the process has ended.
func (p *Proc) Gone() <-chan struct{} { return p.gone }

// Log returns everything the process wrote to stdout and stderr so far, over all its starts.
func (p *Proc) Log() string { return p.log.from(0) }

func (p *Proc) end(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig) // an error means that it has ended already
	select {
	case <-p.gone:
	case <-time.After(stopTimeout):
		p.t.Errorf("peers: %s did not end within %s of %s, killing it", p.name, stopTimeout, sig)
		_ = p.cmd.Process.Kill()
		<-p.gone
	}
}

// await polls until ready, and fails the test when the process ends first or takes more than startTimeout.
func (p *Proc) await(what string, ready func() bool) {
	p.t.Helper()
	timeout := time.After(startTimeout)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !ready() {
		select {
		case <-p.gone:
			p.t.Fatalf("peers: %s ended while waiting for %s: %s", p.name, what, p.cmd.ProcessState)
		case <-timeout:
			p.t.Fatalf("peers: %s: no %s within %s", p.name, what, startTimeout)
		case <-tick.C:
		}
	}
}

// awaitLog waits for a match of pattern in what the process writes after offset from, and returns its groups.
func (p *Proc) awaitLog(from int, pattern *regexp.Regexp) []string {
	p.t.Helper()
	var match []string
	p.await("log line "+pattern.String(), func() bool {
		match = pattern.FindStringSubmatch(p.log.from(from))
		return match != nil
	})
	return match
}

// awaitReady waits until GET URL+path answers 200.
func (p *Proc) awaitReady(path string) {
	p.t.Helper()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	p.await("200 from "+path, func() bool { return answersOK(p.t.Context(), client, p.URL+path) })
}

func answersOK(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// logBuffer keeps what a process writes; its reader and the process's pipe are on different goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Len()
}

// from returns the text written at and after the byte offset.
func (l *logBuffer) from(offset int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf.Bytes()[offset:])
}

// tail returns at most the last n bytes, from the start of a line.
func (l *logBuffer) tail(n int) string {
	text := l.from(max(0, l.len()-n))
	if len(text) < n {
		return text
	}
	_, whole, _ := strings.Cut(text, "\n")
	return whole
}
