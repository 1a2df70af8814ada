package auth

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// Problem is an error as RFC 9457 writes it. Code is for machines, Detail and Hint are for people.
type Problem struct {
	Type     string   `json:"type" doc:"always about:blank: the code tells the kind"`
	Title    string   `json:"title" doc:"the status in words"`
	Status   int      `json:"status" doc:"HTTP status"`
	Code     string   `json:"code" doc:"kind of the problem, stable" example:"not_found"`
	Detail   string   `json:"detail,omitempty" doc:"what is wrong with this request"`
	Hint     string   `json:"hint,omitempty" doc:"what to do about it"`
	Instance string   `json:"instance,omitempty" doc:"path of the request"`
	Errors   []string `json:"errors,omitempty" doc:"each thing wrong, when there are several"`

	RetryAfter time.Duration `json:"-"` // 0: no such header
}

// Error returns the detail and the hint.
func (p *Problem) Error() string {
	if p.Hint == "" {
		return p.Detail
	}
	return p.Detail + " (" + p.Hint + ")"
}

// GetStatus returns the HTTP status; huma asks its errors for it by this name.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problem documents, whatever the format would be otherwise; huma asks for it.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders returns the headers that belong to the problem; huma asks for them.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	h.Set("Cache-Control", "no-store")
	retryAfter(h, p.RetryAfter)
	if p.Status == http.StatusUnauthorized {
		challenge(h)
	}
	return h
}

// Complete fills in what follows from the status and the request. The instance never shows an ingest key.
func (p *Problem) Complete(r *http.Request) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	if r != nil {
		p.Instance = SafePath(r)
	}
}

// Write answers r with the problem.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.Complete(r)
	h := w.Header()
	maps.Copy(h, p.GetHeaders())
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r == nil || r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // the client is gone when this fails
	}
}

// challenge asks for either kind of credential; Basic makes a browser ask for them.
func challenge(h http.Header) {
	h["Www-Authenticate"] = []string{`Basic realm="tocsin", charset="UTF-8"`, `Bearer realm="tocsin"`}
}
