package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
)

// changingDaemon answers with the titles that it is told, and drops the connection where there is none.
type changingDaemon struct{ title atomic.Pointer[string] }

func (d *changingDaemon) say(title string) { d.title.Store(&title) }

func (d *changingDaemon) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	title := *d.title.Load()
	if title == "" {
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(api.IncidentList{Incidents: []api.Incident{{ID: "INC-1", Title: title}}, Total: 1})
}

func TestWatchShowsTheListAgainWhenItChangesAndOutlivesTheDaemon(t *testing.T) {
	d := &changingDaemon{}
	d.say("first")
	server := httptest.NewServer(d)
	defer server.Close()
	out, outW := io.Pipe()
	errs, errsW := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		code := run([]string{"incidents", "--watch", "--interval", "1ms", "--url", server.URL}, strings.NewReader(""), outW, errsW)
		outW.Close()
		exit <- code
	}()
	lines, said := bufio.NewScanner(out), bufio.NewScanner(errs)
	require.True(t, lines.Scan() && strings.HasSuffix(lines.Text(), ": 1 incident"), lines.Text())
	require.True(t, lines.Scan() && strings.HasPrefix(lines.Text(), "ID "), lines.Text())
	require.True(t, lines.Scan() && strings.HasSuffix(lines.Text(), " first"), lines.Text())

	d.say("")
	require.True(t, said.Scan())
	require.Regexp(t, `^no answer from http://127.0.0.1:\d+: .*; still trying$`, said.Text())
	d.say("second") // the first is not shown again: the next three lines are the second's
	for range 3 {
		require.True(t, lines.Scan())
	}
	require.True(t, strings.HasSuffix(lines.Text(), " second"), lines.Text())

	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, self.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, <-exit)
}
