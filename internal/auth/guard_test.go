package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// seen is what a handler behind the guard finds.
type seen struct {
	Principal Principal
	Source    string
	Path      string
}

// ask sends a request through the guard.
func ask(t *testing.T, g *Guard, method, target string, edit ...func(*http.Request)) (int, seen, Problem) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	r.RemoteAddr = "127.0.0.1:40000"
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := SourceFromContext(r.Context())
		_ = json.NewEncoder(w).Encode(seen{FromContext(r.Context()), s.Name, r.URL.Path})
	})).ServeHTTP(w, r)
	var got seen
	var p Problem
	if w.Code == http.StatusOK {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	} else {
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		require.NotEmpty(t, p.Hint)
	}
	return w.Code, got, p
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func from(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }

func newGuard(t *testing.T, o Options, c Credentials) *Guard {
	t.Helper()
	g, err := NewGuard(o, c)
	require.NoError(t, err)
	return g
}

func newToken(t *testing.T, name string, role Role, tenant string) (string, Token) {
	t.Helper()
	secret, entry, err := NewToken(name, role, tenant)
	require.NoError(t, err)
	return secret, entry
}

func TestLoopbackIsAdminOnlyWithoutTokensAndDirectly(t *testing.T) {
	_, entry := newToken(t, "ann", Viewer, "main")
	anonymous := Principal{ID: "anonymous", Role: Admin, Tenant: "main", Anonymous: true}
	open, locked := newGuard(t, Options{Listen: "127.0.0.1:9595"}, Credentials{}), newGuard(t, Options{}, Credentials{Tokens: []Token{entry}})
	exposed := newGuard(t, Options{InsecureOpen: true}, Credentials{})
	mapped := newGuard(t, Options{}, Credentials{Tokens: []Token{{Name: "bob", Role: Viewer, Tenant: "main"}}})
	for name, c := range map[string]struct {
		guard *Guard
		edit  []func(*http.Request)
		want  Principal
	}{
		"direct":                      {open, nil, anonymous},
		"direct over IPv6":            {open, []func(*http.Request){from("[::1]:40000")}, anonymous},
		"a mapped address":            {open, []func(*http.Request){from("[::ffff:127.0.0.1]:40000")}, anonymous},
		"from elsewhere":              {open, []func(*http.Request){from("192.0.2.7:40000")}, Principal{}},
		"with tokens":                 {locked, nil, Principal{}},
		"insecure, from elsewhere":    {exposed, []func(*http.Request){from("192.0.2.7:40000")}, anonymous},
		"only a mapping, no token":    {mapped, nil, anonymous},
		"an address that says little": {open, []func(*http.Request){from("@")}, Principal{}},
	} {
		status, got, _ := ask(t, c.guard, "GET", "http://localhost:9595/", c.edit...)
		require.Equal(t, 200, status, name)
		require.Equal(t, c.want, got.Principal, name)
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host", "Via", "CF-Connecting-IP", "True-Client-IP"} {
		for _, value := range []string{"127.0.0.1", ""} {
			_, got, _ := ask(t, open, "GET", "http://localhost:9595/", header(name, value))
			require.Equal(t, Principal{}, got.Principal, "%s: %q is never local", name, value)
		}
	}
}

func TestHostMatrix(t *testing.T) {
	g := newGuard(t, Options{Listen: "tocsin.lan:9595", ExternalURL: "https://noc.example/tocsin", AllowedHosts: []string{"Alias.example"}}, Credentials{})
	for host, want := range map[string]int{
		"localhost": 200, "localhost:9595": 200, "127.0.0.1:9595": 200, "127.8.9.1": 200, "[::1]:9595": 200, "[::1]": 200, "LOCALHOST": 200,
		"tocsin.lan:9595": 200, "noc.example": 200, "alias.example:1": 200, "ALIAS.EXAMPLE": 200, "10.0.0.5:9595": 200,
		"evil.example": 403, "localhost.evil.example": 403, "127.0.0.1.nip.io": 403, "10.0.0.6:9595": 403, "": 403, "xlocalhost": 403, "noc.example.": 403,
	} {
		status, _, p := ask(t, g, "GET", "http://localhost/", func(r *http.Request) {
			r.Host = host
			local := &net.TCPAddr{IP: net.ParseIP("10.0.0.5"), Port: 9595}
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local)))
		})
		require.Equal(t, want, status, "Host: %q", host)
		if want != 200 {
			require.Equal(t, "host_not_allowed", p.Code)
			require.NotContains(t, p.Detail, host+"x")
		}
	}
	for _, path := range []string{"/-/healthy", "/-/ready"} {
		status, _, _ := ask(t, g, "GET", path, func(r *http.Request) { r.Host = "10.244.1.9:9595" })
		require.Equal(t, 200, status, path)
	}
}

func TestOriginMatrix(t *testing.T) {
	g := newGuard(t, Options{ExternalURL: "https://noc.example/tocsin"}, Credentials{})
	for _, c := range []struct {
		method, origin, site string
		want                 int
	}{
		{"POST", "", "", 200}, // no browser
		{"POST", "http://localhost:9595", "", 200},
		{"POST", "http://localhost:9595", "same-origin", 200},
		{"POST", "", "none", 200},
		{"POST", "https://noc.example", "cross-site", 200}, // a proxy in front rewrites the host
		{"POST", "https://evil.example", "", 403},
		{"POST", "https://evil.example", "cross-site", 403},
		{"POST", "", "cross-site", 403},
		{"POST", "", "same-site", 403}, // another port of this machine is the same site
		{"POST", "http://localhost:3000", "", 403},
		{"POST", "null", "", 403},
		{"DELETE", "https://evil.example", "", 403},
		{"PUT", "https://evil.example", "cross-site", 403},
		{"GET", "https://evil.example", "cross-site", 200}, // it cannot read the answer
		{"HEAD", "https://evil.example", "", 200},
	} {
		status, _, p := ask(t, g, c.method, "http://localhost:9595/api/v1/silences", func(r *http.Request) {
			for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
		})
		require.Equal(t, c.want, status, "%+v", c)
		if c.want != 200 {
			require.Equal(t, "foreign_origin", p.Code)
		}
	}
	require.Equal(t, map[string]uint64{"foreign_origin": 8}, g.Refusals())
}

func TestWritesWithABodyAreJSON(t *testing.T) {
	g := newGuard(t, Options{}, Credentials{Keys: []Key{{Source{Source: event.Source{Name: "am", Tenant: "main"}}, sha256.Sum256([]byte("key-of-am-0123456"))}}})
	for _, c := range []struct {
		path, contentType string
		want              int
	}{
		{"/api/v1/silences", "application/json", 200}, {"/api/v1/silences", "application/json; charset=utf-8", 200}, {"/x", "application/cloudevents+json", 200},
		{"/api/v1/silences", "", 415}, {"/api/v1/silences", "text/plain", 415}, {"/api/v1/silences", "application/x-www-form-urlencoded", 415},
		{"/webhook/alertmanager", "text/plain", 415}, {"/ingest/key-of-am-0123456/webhook/alertmanager", "text/plain", 415},
		{"/api/v1/cmdb/import", "text/yaml", 200}, {"/api/v1/cmdb/import", "text/csv; charset=utf-8", 200}, {"/api/v1/cmdb/import", "multipart/mixed; boundary=x", 200},
		{"/api/v1/cmdb/import", "text/plain", 415}, {"/api/v1/cmdb/import", "", 415}, {"/api/v1/cmdb/import", "application/x-www-form-urlencoded", 415},
		{"/api/v1/cmdb/import", "multipart/form-data; boundary=x", 415}, {"/api/v1/silences", "text/yaml", 415},
		{"/api/v2/alerts", "text/plain", 200}, {"/ingest/key-of-am-0123456/api/v2/alerts", "text/plain", 200}, // answered there as the original does
	} {
		status, _, _ := ask(t, g, "POST", "http://localhost"+c.path, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), -1
			r.Header.Set("Content-Type", c.contentType)
		})
		require.Equal(t, c.want, status, "%s %q", c.path, c.contentType)
	}
	status, _, _ := ask(t, g, "POST", "http://localhost/-/reload")
	require.Equal(t, 200, status, "no body, no type")
}

func TestTokens(t *testing.T) {
	secret, entry := newToken(t, "ann", Responder, "blue")
	g := newGuard(t, Options{}, Credentials{Tokens: []Token{entry}})
	want := principal("ann", Responder, "blue")
	for name, c := range map[string]struct {
		edit func(*http.Request)
		want int
	}{
		"bearer":           {header("Authorization", "Bearer "+secret), 200},
		"any case":         {header("Authorization", "bearer  "+secret), 200},
		"as a password":    {func(r *http.Request) { r.SetBasicAuth("ann", secret) }, 200},
		"another's name":   {func(r *http.Request) { r.SetBasicAuth("bob", secret) }, 401},
		"cut short":        {header("Authorization", "Bearer "+secret[:len(secret)-1]), 401},
		"empty":            {header("Authorization", "Bearer "), 401},
		"the digest":       {header("Authorization", "Bearer "+entry.Line()[strings.Index(entry.Line(), "sha256: ")+8:len(entry.Line())-1]), 401},
		"no such user":     {func(r *http.Request) { r.SetBasicAuth("ann", "x") }, 401},
		"an unknown token": {header("Authorization", "Bearer tocsin_x"), 401},
	} {
		status, got, p := ask(t, g, "GET", "http://localhost/", c.edit)
		require.Equal(t, c.want, status, name)
		if c.want == 200 {
			require.Equal(t, want, got.Principal, name)
		} else {
			require.Equal(t, "bad_credentials", p.Code, name)
			require.NotContains(t, p.Detail+p.Hint, secret)
		}
	}
	g.Use(Credentials{})
	status, _, _ := ask(t, g, "GET", "http://localhost/", header("Authorization", "Bearer "+secret))
	require.Equal(t, 401, status, "taken out of the file")
}

func TestIngestKeys(t *testing.T) {
	am := Source{Source: event.Source{Name: "am", Tenant: "blue", Kind: event.SendOnce}}
	const key = "key-of-am-0123456"
	g := newGuard(t, Options{}, Credentials{Keys: []Key{{am, sha256.Sum256([]byte(key))}}})
	sender := Principal{ID: "source:am", Tenant: "blue"}
	remote := from("192.0.2.7:40000")
	for _, path := range []string{"/ingest/" + key + "/api/v2/alerts", "/ingest/" + key + "//api/v2/alerts"} {
		status, got, _ := ask(t, g, "POST", "http://localhost"+path, remote)
		require.Equal(t, 200, status)
		require.Equal(t, seen{sender, "am", "/api/v2/alerts"}, got)
	}
	status, got, _ := ask(t, g, "POST", "http://localhost/api/v2/alerts", remote, func(r *http.Request) { r.SetBasicAuth("am", key) })
	require.Equal(t, 200, status)
	require.Equal(t, seen{sender, "am", "/api/v2/alerts"}, got)

	for path, want := range map[string]int{"/ingest/wrong-key/api/v2/alerts": 401, "/ingest/" + key: 404, "/ingest/": 404, "/ingest//api/v2/alerts": 404} {
		status, _, p := ask(t, g, "POST", "http://localhost"+path)
		require.Equal(t, want, status, path)
		require.NotContains(t, p.Instance, "key", "a key is not shown")
	}
	status, _, _ = ask(t, g, "POST", "http://localhost/api/v2/alerts", func(r *http.Request) { r.SetBasicAuth("other", key) })
	require.Equal(t, 401, status, "the key belongs to another name")
	r := httptest.NewRequest("GET", "/tocsin/ingest/"+key+"/api/v2/alerts", nil)
	require.Equal(t, "/tocsin/ingest/…/api/v2/alerts", SafePath(r))
}

func TestRequire(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	viewer, responder, admin := Principal{ID: "v", Role: Viewer}, Principal{ID: "r", Role: Responder}, Principal{ID: "a", Role: Admin}
	nobody := func(ctx context.Context) context.Context { return ctx }
	sender := func(ctx context.Context) context.Context {
		return NewSourceContext(ctx, Source{Source: event.Source{Name: "am"}})
	}
	as := func(p Principal) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context { return NewContext(ctx, p) }
	}
	for i, c := range []struct {
		h      http.Handler
		method string
		as     func(context.Context) context.Context
		want   int
	}{
		{Require(Viewer, ok), "GET", nobody, 401},
		{Require(Viewer, ok), "GET", as(viewer), 200},
		{Require(Viewer, ok), "GET", sender, 403},
		{Require(Responder, ok), "POST", as(viewer), 403},
		{Require(Responder, ok), "POST", as(admin), 200},
		{Require(Admin, ok), "POST", as(responder), 403},
		{RequireSend(ok), "POST", sender, 200},
		{RequireSend(ok), "POST", as(viewer), 403},
		{RequireSend(ok), "POST", as(responder), 200},
		{RequireByMethod(ok), "GET", as(viewer), 200},
		{RequireByMethod(ok), "DELETE", as(viewer), 403},
		{RequireByMethod(ok), "DELETE", sender, 403},
	} {
		w := httptest.NewRecorder()
		c.h.ServeHTTP(w, httptest.NewRequestWithContext(c.as(t.Context()), c.method, "/x", nil))
		require.Equal(t, c.want, w.Code, i)
		require.Equal(t, c.want == 401, w.Header().Get("WWW-Authenticate") != "", i)
	}
}
