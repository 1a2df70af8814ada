package alertmanager

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// gettableSilence is a silence as Alertmanager's clients see it.
type gettableSilence struct {
	ID          string            `json:"id"`
	Status      silenceStatus     `json:"status"`
	UpdatedAt   stamp             `json:"updatedAt"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Comment     string            `json:"comment"`
	CreatedBy   string            `json:"createdBy"`
	EndsAt      stamp             `json:"endsAt"`
	Matchers    []matcherAnswer   `json:"matchers"`
	StartsAt    stamp             `json:"startsAt"`
}

type silenceStatus struct {
	State string `json:"state"`
}

type matcherAnswer struct {
	IsEqual bool   `json:"isEqual"`
	IsRegex bool   `json:"isRegex"`
	Name    string `json:"name"`
	Value   string `json:"value"`
}

func (a *API) gettable(s *event.Silence, now event.Time) gettableSilence {
	out := gettableSilence{
		ID: s.ID, Status: silenceStatus{s.State(now).String()}, UpdatedAt: stamp(s.UpdatedAt), Annotations: s.Annotations.Map(),
		Comment: s.Comment, CreatedBy: s.CreatedBy, EndsAt: stamp(s.EndsAt), StartsAt: stamp(s.StartsAt), Matchers: []matcherAnswer{},
	}
	if a.opts.PersonName != nil { // API v1 keeps an id; a client of v2 said a name
		out.CreatedBy = a.opts.PersonName(out.CreatedBy)
	}
	for _, m := range s.Matchers {
		out.Matchers = append(out.Matchers, matcherAnswer{IsEqual: m.IsEqual, IsRegex: m.IsRegex, Name: m.Name, Value: m.Value})
	}
	return out
}

// getSilences lists silences: active ones by their end, pending ones by their start, expired ones by their end, latest first.
func (a *API) getSilences(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	filters, err := a.filters(q["filter"])
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	v := a.view(w, r)
	if v == nil {
		return
	}
	now := event.FromTime(a.now())
	wanted := map[event.SilenceState]bool{
		event.SilenceActive: boolParam(q, "active"), event.SilencePending: boolParam(q, "pending"), event.SilenceExpired: boolParam(q, "expired"),
	}
	found := []*event.Silence{}
	for s := range v.Silences(tenant(r)) {
		if wanted[s.State(now)] && hasMatchers(s, filters) {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(x, y *event.Silence) int { return compareSilences(x, y, now) })
	list := make([]gettableSilence, len(found))
	for i, s := range found {
		list[i] = a.gettable(s, now)
	}
	answer(w, http.StatusOK, list)
}

func compareSilences(x, y *event.Silence, now event.Time) int {
	if by := cmp.Compare(x.State(now), y.State(now)); by != 0 {
		return by
	}
	switch x.State(now) {
	case event.SilenceActive:
		return cmp.Compare(x.EndsAt, y.EndsAt)
	case event.SilencePending:
		return cmp.Compare(x.StartsAt, y.StartsAt)
	default:
		return cmp.Compare(y.EndsAt, x.EndsAt)
	}
}

// hasMatchers tells whether every filter is one of the silence's own matchers.
func hasMatchers(s *event.Silence, filters []*labels.Matcher) bool {
	for _, f := range filters {
		if !slices.Contains(s.Matchers, event.Matcher{
			Name: f.Name, Value: f.Value,
			IsRegex: f.Type == labels.MatchRegexp || f.Type == labels.MatchNotRegexp,
			IsEqual: f.Type == labels.MatchEqual || f.Type == labels.MatchRegexp,
		}) {
			return false
		}
	}
	return true
}

func (a *API) getSilence(w http.ResponseWriter, r *http.Request) {
	id, ok := silenceID(w, r)
	if !ok {
		return
	}
	v := a.view(w, r)
	if v == nil {
		return
	}
	for s := range v.Silences(tenant(r)) {
		if s.ID == id {
			answer(w, http.StatusOK, a.gettable(s, event.FromTime(a.now())))
			return
		}
	}
	answerEmpty(w, http.StatusNotFound)
}

// deleteSilence ends a silence; ending one that is over is fine.
func (a *API) deleteSilence(w http.ResponseWriter, r *http.Request) {
	id, ok := silenceID(w, r)
	if !ok {
		return
	}
	_, err := a.do(r, event.Command{Kind: event.ExpireSilence, SilenceID: id})
	var refusal *event.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == event.NotFound:
		answerEmpty(w, http.StatusNotFound)
	case err != nil:
		answerCommandError(w, r, err)
	default:
		answerEmpty(w, http.StatusOK)
	}
}

// postSilence makes a silence or changes one.
func (a *API) postSilence(w http.ResponseWriter, r *http.Request) {
	sil, f := a.readSilence(w, r)
	if f != nil {
		f.answer(w)
		return
	}
	res, err := a.do(r, event.Command{Kind: event.SetSilence, Silence: sil})
	if err != nil {
		answerCommandError(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct {
		SilenceID string `json:"silenceID"`
	}{res.SilenceID})
}

// do carries out a command in the principal's name. A refusal is returned as the error.
func (a *API) do(r *http.Request, cmd event.Command) (event.Result, error) {
	p := auth.FromContext(r.Context())
	cmd.Actor, cmd.Tenant = p.ID, p.Tenant
	res, err := a.opts.Engine.Do(r.Context(), cmd)
	if err == nil && res.Err != nil {
		err = res.Err
	}
	return res, err
}

// answerCommandError words a refusal as Alertmanager does: a bare string.
func answerCommandError(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *event.Refusal
	switch {
	case !errors.As(err, &refusal):
		ingest.Unavailable(err, http.StatusServiceUnavailable).Write(w, r)
	case refusal.Code == event.NotFound:
		answer(w, http.StatusNotFound, "silence not found")
	default:
		answer(w, http.StatusBadRequest, refusal.Error())
	}
}

func answerEmpty(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// silenceID returns the path's silence, or answers that it is no id.
func silenceID(w http.ResponseWriter, r *http.Request) (id string, ok bool) {
	id = r.PathValue("silenceID")
	if isUUID(id) {
		return id, true
	}
	answerFault(w, http.StatusUnprocessableEntity, codeForm, fmt.Sprintf("silenceID in path must be of type uuid: %q", id))
	return "", false
}

// isUUID tells whether Alertmanager takes text for a UUID: plain, in braces, as a URN, or without its hyphens.
func isUUID(text string) bool {
	switch len(text) {
	case 32:
		return isHexadecimal(text)
	case 38:
		text = text[1:37]
	case 45:
		rest, ok := strings.CutPrefix(strings.ToLower(text), "urn:uuid:")
		if !ok {
			return false
		}
		text = rest
	}
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	return isHexadecimal(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
}

func isHexadecimal(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}
