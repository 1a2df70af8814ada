package alertmanager

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// fault is an error as go-swagger writes it.
type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// answer writes v as JSON, as Alertmanager does: nothing escaped for HTML, a newline behind.
func answer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(strconv.Quote(err.Error()))
	}
	h := w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client is gone when this fails
}

func answerFault(w http.ResponseWriter, status, code int, message string) {
	answer(w, status, fault{code, message})
}

// answerRejection answers with what a decoder refused.
func answerRejection(w http.ResponseWriter, r *Rejection) {
	if r.Code == 0 {
		answer(w, r.Status, r.Message)
		return
	}
	answerFault(w, r.Status, r.Code, r.Message)
}

// answerProblem words a problem as go-swagger would; what Alertmanager has no words for stays a problem document.
func answerProblem(w http.ResponseWriter, r *http.Request, p *auth.Problem) {
	if p.Status == http.StatusRequestEntityTooLarge || p.Status == http.StatusBadRequest {
		answerFault(w, p.Status, p.Status, p.Error())
		return
	}
	p.Write(w, r)
}

// answerGone answers for Alertmanager's API v1, in Alertmanager's words.
func answerGone(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusGone, struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}{"deprecated", "The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0" +
		" - please use the equivalent route in the v2 API"})
}

// stamp is an instant as go-swagger writes it: UTC, always with milliseconds.
type stamp event.Time

// MarshalText returns it as in 2026-11-20T22:31:05.774Z, the year 1 where it is not set.
func (s stamp) MarshalText() ([]byte, error) {
	return event.Time(s).Time().AppendFormat(nil, "2006-01-02T15:04:05.000Z07:00"), nil
}

// stampOf converts an instant of the daemon itself.
func stampOf(t time.Time) stamp { return stamp(event.FromTime(t)) }
