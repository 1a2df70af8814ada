package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	askWithin   = 30 * time.Second
	largeWithin = 10 * time.Minute // what is large, or read from the history
	maxAnswer   = 64 << 20         // bytes
	pageSize    = 500              // the API's greatest
	apiRoot     = "api/v1"
)

// client asks a daemon over HTTP. Its errors are *fault, but for a cancelled context.
type client struct {
	base   *url.URL
	token  string // "": none
	tenant string // asked for; "": the token's
	wide   *bool  // set when an answer was about all tenants; nil: nobody wants to know
	http   *http.Client
}

func newClient(base *url.URL, token string, roots *x509.CertPool) *client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	return &client{base: base, token: token, http: &http.Client{
		Transport:     transport,
		Timeout:       askWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a write would become a read
	}}
}

// within is the client with another bound on its answers; 0: none.
func (c *client) within(limit time.Duration) *client {
	other, over := *c, *c.http
	over.Timeout, other.http = limit, &over
	return &other
}

// patient is the client with time for what is large, and for what the history has to read.
func (c *client) patient() *client { return c.within(largeWithin) }

// url returns the address of a resource; parts may hold any characters, and a part of dots leads nowhere else.
func (c *client) url(parts []string, query url.Values) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(c.base.JoinPath(apiRoot).String(), "/"))
	for _, p := range parts {
		p = url.PathEscape(p)
		if strings.Trim(p, ".") == "" {
			p = strings.ReplaceAll(p, ".", "%2E")
		}
		b.WriteString("/" + p)
	}
	if q := query.Encode(); q != "" {
		b.WriteString("?" + q)
	}
	return b.String()
}

// do sends a request and returns the answer's body. payload nil sends none.
func (c *client) do(ctx context.Context, method string, parts []string, query url.Values, payload any) ([]byte, error) {
	var body io.Reader
	if payload != nil {
		text, err := json.Marshal(payload)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url(parts, query), body)
	if err != nil {
		return nil, usage(err.Error(), "--url takes an address such as http://127.0.0.1:9595")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.ask(req)
	if err != nil {
		return nil, err
	}
	return c.answer(ctx, resp)
}

// ask sends a request in the caller's name.
func (c *client) ask(req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", "tocsin/"+version)
	req.Header.Set("Accept", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.tenant != "" {
		req.Header.Set(auth.TenantHeader, c.tenant)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(req.Context(), err)
	}
	if c.wide != nil {
		*c.wide = resp.Header.Get(auth.TenantHeader) == event.AllTenants
	}
	return resp, nil
}

// answer returns an answer's body, if it is a success.
func (c *client) answer(ctx context.Context, resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode >= 300 {
		return nil, c.refused(resp, text)
	}
	return text, nil
}

// unreachable says why there was no answer.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := &fault{code: exitUnreachable, cause: err, hint: "start the daemon with `tocsin serve`, or name another one with --url or TOCSIN_URL"}
	reason := err.Error()
	if ue, ok := errors.AsType[*url.Error](err); ok {
		reason = ue.Err.Error()
		if ue.Timeout() && c.http.Timeout > 0 && errors.Is(err, context.DeadlineExceeded) {
			reason = "nothing came within " + c.http.Timeout.String()
		}
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = "nothing listens there"
	case unknown:
		f.hint = "give the certificate that signed the daemon's with --ca-file"
	}
	f.message = fmt.Sprintf("no answer from %s: %s", c.base.Redacted(), reason)
	return f
}

// refused turns an answer that is no success into an error.
func (c *client) refused(resp *http.Response, text []byte) *fault {
	code := exitFailed
	switch resp.StatusCode {
	case http.StatusNotFound:
		code = exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict:
		code = exitRefused
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		code = exitUsage
	}
	var p auth.Problem
	if json.Unmarshal(text, &p) == nil && p.Code != "" {
		switch p.Code { // the hints of the API speak of headers
		case "tenant_not_granted":
			p.Hint = "leave --tenant and TOCSIN_TENANT away, or ask an admin for a grant"
		case "tenant_needed":
			p.Hint = "name one with --tenant or TOCSIN_TENANT"
		}
		return &fault{code: code, message: cmp.Or(p.Detail, p.Title, resp.Status), hint: p.Hint, details: p.Errors, cause: &p}
	}
	if to := resp.Header.Get("Location"); resp.StatusCode < 400 && to != "" {
		return &fault{code: exitFailed, message: fmt.Sprintf("%s sends us on to %s", c.base.Redacted(), to), hint: "give that address with --url"}
	}
	return &fault{
		code: exitFailed, message: fmt.Sprintf("%s answered %s, and not as Tocsin does", c.base.Redacted(), resp.Status),
		hint: "is --url right, with the daemon's --route-prefix at its end?",
	}
}

// fetch asks for one object and returns it as it came and decoded.
func fetch[T any](ctx context.Context, c *client, query url.Values, parts ...string) ([]byte, *T, error) {
	text, err := c.do(ctx, http.MethodGet, parts, query, nil)
	if err != nil {
		return nil, nil, err
	}
	v, err := decode[T](text)
	return text, v, err
}

// act asks for something to be done and returns the answer as it came and decoded.
func act[T any](ctx context.Context, c *client, payload any, parts ...string) ([]byte, *T, error) {
	text, err := c.do(ctx, http.MethodPost, parts, nil, payload)
	if err != nil {
		return nil, nil, err
	}
	v, err := decode[T](text)
	return text, v, err
}

func decode[T any](text []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(text, v); err != nil {
		return nil, &fault{code: exitFailed, message: "the answer cannot be read: " + err.Error(), hint: "is --url a Tocsin of this version?"}
	}
	return v, nil
}

// listing is what a list held: its entries as they came, and how many match in all.
type listing struct {
	items []json.RawMessage
	total int
}

// envelope is what all lists of the API have in common.
type envelope struct {
	Total      int    `json:"total"`
	NextCursor string `json:"next_cursor"`
}

// page asks for one page of a list; field names the array in the answer.
func (c *client) page(ctx context.Context, field string, query url.Values, parts ...string) ([]json.RawMessage, *envelope, error) {
	text, env, err := fetch[envelope](ctx, c, query, parts...)
	if err != nil {
		return nil, nil, err
	}
	fields, err := decode[map[string]json.RawMessage](text)
	if err != nil {
		return nil, nil, err
	}
	items, err := decode[[]json.RawMessage]((*fields)[field])
	if err != nil {
		return nil, nil, err
	}
	return *items, env, nil
}

// list asks for a list page by page, at most limit entries (0: all).
func (c *client) list(ctx context.Context, field string, limit int, query url.Values, parts ...string) (listing, error) {
	var out listing
	query = maps.Clone(query)
	if query == nil {
		query = url.Values{}
	}
	for {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(out.items))
		}
		query.Set("limit", strconv.Itoa(size))
		items, env, err := c.page(ctx, field, query, parts...)
		if err != nil {
			return out, err
		}
		out.items = append(out.items, items...)
		out.total = max(env.Total, len(out.items))
		if env.NextCursor == "" || len(items) == 0 || limit > 0 && len(out.items) >= limit {
			return out, nil
		}
		query.Set("cursor", env.NextCursor)
	}
}

// decodeAll decodes the entries of a list.
func decodeAll[T any](items []json.RawMessage) ([]T, error) {
	out := make([]T, len(items))
	for i, item := range items {
		v, err := decode[T](item)
		if err != nil {
			return nil, err
		}
		out[i] = *v
	}
	return out, nil
}
