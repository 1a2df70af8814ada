package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

func notFound(what string) *auth.Problem {
	return &auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "there is no " + what}
}

func invalid(detail, hint string) *auth.Problem {
	return &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: detail, Hint: hint}
}

// refusal turns the core's answer into a problem.
func refusal(r *event.Refusal) *auth.Problem {
	p := &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "invalid", Detail: r.Message, Hint: r.Hint}
	switch r.Code {
	case event.NotFound:
		p.Status, p.Code = http.StatusNotFound, "not_found"
	case event.Conflict:
		p.Status, p.Code = http.StatusConflict, "conflict"
	case event.Invalid:
	}
	return p
}

// failure turns an engine's error into a problem; retry tells that the same request may pass later.
func failure(err error) *auth.Problem {
	var p *auth.Problem
	if errors.As(err, &p) {
		return p
	}
	p = &auth.Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: err.Error()}
	switch {
	case errors.Is(err, engine.ErrBusy):
		p.Code, p.Hint, p.RetryAfter = "busy", "try again in a moment", time.Second
	case errors.Is(err, engine.ErrFull):
		p.Code, p.Hint, p.RetryAfter = "disk_full", "make room in the data directory", 10*time.Second
	case errors.Is(err, engine.ErrClosed):
		p.Code, p.Hint = "closed", "the daemon is stopping"
	case errors.Is(err, engine.ErrTruncated):
		p.Status, p.Code = http.StatusGone, "truncated"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p.Code, p.Hint = "timeout", "what was asked for may have been done all the same; look before trying again"
	default:
		p.Status, p.Code = http.StatusInternalServerError, "internal"
	}
	return p
}

// problems is the transformer that gives every error of the API one shape, that of auth.Problem.
func problems(ctx huma.Context, _ string, v any) (any, error) {
	r, _ := humago.Unwrap(ctx)
	switch e := v.(type) {
	case *auth.Problem:
		p := *e // a problem may be shared
		p.Complete(r)
		return &p, nil
	case *huma.ErrorModel:
		p := &auth.Problem{Status: e.Status, Code: codeOf(e.Status), Detail: e.Detail}
		for _, d := range e.Errors {
			p.Errors = append(p.Errors, strings.TrimPrefix(d.Location+": "+d.Message, ": "))
		}
		if len(p.Errors) == 1 {
			p.Detail, p.Errors = p.Errors[0], nil
		}
		p.Complete(r)
		return p, nil
	}
	return v, nil
}

func codeOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "bad_request"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "not_json"
	case http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusRequestTimeout:
		return "timeout"
	}
	return "internal"
}
