package ingest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// firstRead is what is set aside for a body whose length nobody told.
const firstRead = 64 << 10

// readBody reads r's body into b.Body, whose memory it reuses.
func readBody(b *event.Batch, r *http.Request, limit int64) *auth.Problem {
	if r.ContentLength > limit {
		return bodyTooLarge(limit)
	}
	want := r.ContentLength
	if want < 0 {
		want = firstRead
	}
	// one byte more, so that the end is seen without growing
	body := slices.Grow(b.Body[:0], int(want)+1)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		b.Body = body
		switch {
		case int64(len(body)) > limit:
			return bodyTooLarge(limit)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &auth.Problem{Status: http.StatusBadRequest, Code: "body_cut_short", Detail: "the body could not be read: " + err.Error()}
		}
		if len(body) == cap(body) {
			body = slices.Grow(body, len(body))
		}
	}
}

func bodyTooLarge(limit int64) *auth.Problem {
	return &auth.Problem{
		Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
		Detail: fmt.Sprintf("the body is larger than %d bytes (limits.body_bytes)", limit),
		Hint:   "send smaller batches or raise limits.body_bytes",
	}
}
