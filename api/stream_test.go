package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// listener is a client of the stream.
type listener struct {
	t    *testing.T
	body *bufio.Reader
	srv  *http.Server
	stop func()
}

// listen follows the stream over a connection in memory, so that it works inside a synctest bubble.
func (f *fixture) listen(t *testing.T, who, query string, edit ...func(*http.Request)) *listener {
	t.Helper()
	ours, theirs := net.Pipe()
	srv := NewServer(f.h)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _ = srv.Serve(&oneConn{conn: theirs, done: make(chan struct{})}) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return ours, nil }}}
	r, err := http.NewRequestWithContext(ctx, "GET", "http://localhost:9595"+streamPath+query, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+f.tokens[who])
	for _, e := range edit {
		e(r)
	}
	res, err := client.Do(r)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	stop := func() {
		cancel()
		res.Body.Close()
		require.NoError(t, srv.Close())
		client.CloseIdleConnections()
		ours.Close()
	}
	t.Cleanup(stop)
	return &listener{t, bufio.NewReader(res.Body), srv, stop}
}

// oneConn is a listener with a single connection.
type oneConn struct {
	conn  net.Conn
	done  chan struct{}
	close sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// next returns the fields of the next event, or ":" and the text of the next comment.
func (l *listener) next() map[string]string {
	l.t.Helper()
	out := map[string]string{}
	for {
		line, err := l.body.ReadString('\n')
		require.NoError(l.t, err)
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return out
		}
		name, value, _ := strings.Cut(line, ":")
		out[name] = strings.TrimSpace(value)
	}
}

func (l *listener) hello() {
	l.t.Helper()
	first := l.next()
	require.Equal(l.t, "hello", first["event"])
	require.Equal(l.t, "2000", first["retry"])
}

func TestStreamGoesOnWhereItEnded(t *testing.T) {
	f := newFixture(t)
	a := f.listen(t, "viewer", "")
	a.hello()
	f.storm()
	opened := a.next()
	require.Equal(t, []string{"source_added", "0.1.0"}, []string{opened["event"], opened["id"]})
	for opened["event"] != "incident_opened" { // the item that the alert is about is found first
		opened = a.next()
	}
	require.Contains(t, opened["data"], `"title":"DiskFull: service shop"`)
	require.Contains(t, opened["data"], `"sentence":"The alert was DiskFull on db-3."`)
	a.stop()

	for _, b := range []*listener{
		f.listen(t, "viewer", "", func(r *http.Request) { r.Header.Set("Last-Event-ID", opened["id"]) }),
		f.listen(t, "viewer", "?after="+opened["id"]),
	} {
		b.hello()
		firing := b.next()
		require.Equal(t, []string{"alert_firing", next(opened["id"])}, []string{firing["event"], firing["id"]})
	}
}

// next is the id of the change after this one of the same input.
func next(id string) string {
	at := strings.LastIndexByte(id, '.') + 1
	n, _ := strconv.Atoi(id[at:])
	return id[:at] + strconv.Itoa(n+1)
}

func TestStreamShowsOneTenant(t *testing.T) {
	f := newFixture(t)
	main, other := f.listen(t, "viewer", ""), f.listen(t, "stranger", "")
	main.hello()
	other.hello()
	f.storm()
	f.call("stranger", "POST", "/api/v1/incidents/2/acknowledge", "")
	f.call("responder", "POST", "/api/v1/incidents/1/acknowledge", "")
	for ended := ""; ended != "incident_acknowledged"; {
		e := other.next()
		ended = e["event"]
		require.NotContains(t, e["data"], "shop")
		require.NotContains(t, e["data"], "DiskFull")
		require.NotContains(t, e["data"], "INC-1")
	}
	for ended := ""; ended != "incident_acknowledged"; {
		e := main.next()
		ended = e["event"]
		require.NotContains(t, strings.ToLower(e["data"]), "secret")
		require.NotContains(t, e["data"], "INC-2")
	}
}

func TestStreamLeavesRepeatsOut(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t, "viewer", "")
	l.hello()
	for range 3 {
		f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical")
	}
	f.engine.say("main", "prometheus", true, "alertname", "Down", "severity", "critical")
	var kinds []string
	for len(kinds) == 0 || kinds[len(kinds)-1] != "incident_cleared" {
		kinds = append(kinds, l.next()["event"])
	}
	require.Equal(t, []string{"source_added", "incident_opened", "alert_firing", "alert_cleared", "incident_cleared"}, kinds)
}

func TestStreamBeatsWhileNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		l := f.listen(t, "viewer", "")
		l.hello()
		began := time.Now()
		for n := 1; n <= 3; n++ {
			require.Equal(t, "still here", l.next()[""])
			require.Equal(t, time.Duration(n)*heartbeatEvery, time.Since(began))
		}
		l.stop()
		synctest.Wait()
	})
}

// TestSlowClientIsLeft: a client that does not read is gone after writeWithin; the engine never waits for it.
func TestSlowClientIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		l := f.listen(t, "viewer", "")
		l.hello()
		began := time.Now()
		for i := range 500 {
			f.engine.say("main", "prometheus", false, "alertname", "Down", "severity", "critical", "service", strings.Repeat("x", i+1))
		}
		require.Less(t, time.Since(began), time.Second, "the engine went on")
		time.Sleep(writeWithin + heartbeatEvery + time.Second)
		_, err := io.Copy(io.Discard, l.body)
		require.Error(t, err, "the connection was cut")
		l.stop()
		synctest.Wait()
	})
}

func TestStreamSaysWhenThePlaceIsGone(t *testing.T) {
	f := newFixture(t).storm()
	f.engine.kept = 3
	head := f.engine.Head()
	for _, after := range []string{"0.1.0", "0.999999.0"} {
		l := f.listen(t, "viewer", "?after="+after)
		l.hello()
		e := l.next()
		require.Equal(t, "truncated", e["event"], after)
		require.Equal(t, head.String(), e["id"], "the browser comes again from here")
		_, err := l.body.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	}
}

// TestShutdownEndsStreams: a console that is open does not hold up the daemon's stop.
func TestShutdownEndsStreams(t *testing.T) {
	f := newFixture(t)
	l := f.listen(t, "viewer", "")
	l.hello()
	down := make(chan error, 1)
	go func() { down <- l.srv.Shutdown(t.Context()) }()
	_, err := l.body.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, <-down)
}

func TestStreamsAreBounded(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.MaxStreams = 1 })
	f.listen(t, "viewer", "").hello()
	res := f.call("viewer", "GET", streamPath, "")
	require.Equal(t, 503, res.StatusCode)
	require.Equal(t, "too_many_streams", res.problem(t).Code)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Contains(t, f.call("viewer", "GET", "/metrics", "").text, "tocsin_api_streams 1\n")
}
