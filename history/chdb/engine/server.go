package engine

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/chdb/handoff"
	"github.com/tocsin-noc/tocsin/history/chdb/native"
)

// Limits of the front.
const (
	writerStatements = 4 // that run at once
	readerStatements = 4
	queuedStatements = 64
	queueTime        = 10 * time.Second
	maxBody          = 16 << 30
)

// Server is the HTTP front.
type Server struct {
	core           *core
	guard          *guarded
	writer, reader handoff.Credentials
	writers        *slots
	readers        *slots
	readerMemory   int64
}

func newServer(c *core, o handoff.Order) *Server {
	return &Server{
		core: c, guard: newGuarded(c), writer: o.Writer, reader: o.Reader,
		writers: newSlots(writerStatements), readers: newSlots(readerStatements), readerMemory: o.MemoryBytes / 2,
	}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/ping", r.URL.Path == "/replicas_status", r.URL.Path == "/" && r.URL.RawQuery == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = io.WriteString(w, "Ok.\n") // a client that is gone reads nothing
		return
	case r.URL.Path == handoff.HealthPath:
		s.health(w)
		return
	case r.URL.Path != "/":
		http.Error(w, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health checks.", http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		return
	}
	reader, who := s.who(r)
	q, err := &request{}, who
	if err == nil {
		q, err = parse(r, reader, s.readerMemory)
	}
	if err != nil {
		newAnswer(w, r, &request{id: mark()}, s.core).fail(err)
		return
	}
	a := newAnswer(w, r, q, s.core)
	if err := s.serve(r, q, a); err != nil {
		a.fail(err)
		return
	}
	if err := a.end(); err != nil {
		panic(http.ErrAbortHandler) // the client must not take it for the whole
	}
}

// health asks the engine past the queue: one that is busy is well.
func (s *Server) health(w http.ResponseWriter) {
	out, err := s.core.ask("SELECT 1", "TabSeparated")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(out) // a client that is gone reads nothing
}

// serve waits for its turn and runs the request.
func (s *Server) serve(r *http.Request, q *request, a *answer) error {
	slots := s.writers
	if q.reader {
		slots = s.readers
	}
	leave, err := slots.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return &Exception{Code: codeNotImplemented, Name: "NOT_IMPLEMENTED", Text: "the embedded engine takes no external tables"}
	}
	body, err := decoder(r.Header.Get("Content-Encoding"), boundedBody{http.MaxBytesReader(nil, r.Body, maxBody)})
	if err != nil {
		return bodyError(err)
	}
	if q.decompress {
		body = native.NewReader(body)
	}
	return s.run(r.Context(), q, body, a)
}

// boundedBody says in ClickHouse's words that a body is too long.
type boundedBody struct{ r io.Reader }

func (b boundedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = &Exception{Code: codeBodyTooLarge, Name: "TOO_MANY_BYTES", Text: "the request's body is too long"}
	}
	return n, err
}

// who finds out who asks: Basic, ClickHouse's headers or the URL's parameters.
func (s *Server) who(r *http.Request) (reader bool, err error) {
	user, password, ok := r.BasicAuth()
	if h := r.Header; !ok && h.Get("X-ClickHouse-User") != "" {
		user, password, ok = h.Get("X-ClickHouse-User"), h.Get("X-ClickHouse-Key"), true
	}
	if v, err := parameters(r); err == nil && !ok && v.Get("user") != "" {
		user, password = v.Get("user"), v.Get("password")
	}
	isWriter, isReader := same(s.writer, user, password), same(s.reader, user, password)
	switch {
	case isWriter:
		return false, nil
	case isReader:
		return true, nil
	}
	if user == "" {
		user = "default"
	}
	return false, &Exception{
		Code: codeAuthentication, Name: "AUTHENTICATION_FAILED",
		Text: cleanName(user) + ": Authentication failed: password is incorrect, or there is no user with such name.",
	}
}

// same compares in a time that says nothing about the credentials.
func same(c handoff.Credentials, user, password string) bool {
	if c.Password == "" {
		return false
	}
	digest := func(s string) []byte { d := sha256.Sum256([]byte(s)); return d[:] }
	return subtle.ConstantTimeCompare(digest(c.User), digest(user))&subtle.ConstantTimeCompare(digest(c.Password), digest(password)) == 1
}

// cleanName is a user's name as it may stand in a message.
func cleanName(s string) string {
	if idName.MatchString(s) {
		return s
	}
	return "user"
}

// slots bounds how many statements run and how many wait.
type slots struct{ running, waiting chan struct{} }

func newSlots(n int) *slots {
	return &slots{running: make(chan struct{}, n), waiting: make(chan struct{}, queuedStatements)}
}

func (s *slots) enter(ctx context.Context) (leave func(), err error) {
	tooMany := &Exception{Code: codeTooManyQueries, Name: "TOO_MANY_SIMULTANEOUS_QUERIES", Text: "Too many simultaneous queries. Try again in a moment"}
	leave = func() { <-s.running }
	select {
	case s.running <- struct{}{}:
		return leave, nil
	default:
	}
	select {
	case s.waiting <- struct{}{}:
	default:
		return nil, tooMany
	}
	defer func() { <-s.waiting }()
	late := time.NewTimer(queueTime)
	defer late.Stop()
	select {
	case s.running <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, &Exception{Code: codeQueryWasCancelled, Name: "QUERY_WAS_CANCELLED", Text: "the client went away", Status: statusClientGone}
	case <-late.C:
		return nil, tooMany
	}
}
