package alertmanager

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
)

// maxSilenceBytes bounds a silence as it is sent. It lies in the state, in every snapshot and in every view.
const maxSilenceBytes = 64 << 10

const codeFewItems = 612 // of go-swagger

// refused is why a request is refused, as Alertmanager words it; code 0 is a bare string.
type refused struct {
	status, code int
	message      string
}

func (f *refused) answer(w http.ResponseWriter) {
	if f.code == 0 {
		answer(w, f.status, f.message)
		return
	}
	answerFault(w, f.status, f.code, f.message)
}

func required(field string) *refused {
	return &refused{http.StatusUnprocessableEntity, codeMissing, field + " in body is required"}
}

// postableSilence is a silence as it is sent. Pointers tell what is missing.
type postableSilence struct {
	ID          string            `json:"id"`
	Matchers    []postableMatcher `json:"matchers"`
	StartsAt    *instant          `json:"startsAt"`
	EndsAt      *instant          `json:"endsAt"`
	CreatedBy   *string           `json:"createdBy"`
	Comment     *string           `json:"comment"`
	Annotations map[string]string `json:"annotations"`
}

type postableMatcher struct {
	Name    *string `json:"name"`
	Value   *string `json:"value"`
	IsRegex *bool   `json:"isRegex"`
	IsEqual *bool   `json:"isEqual"`
}

// instant is a time in any of the forms that go-swagger reads.
type instant time.Time

// instantForms are those forms, in the order they are tried; what none fits is reported as the last reports it.
func instantForms() []string {
	return []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.000000Z0700",
		"2006-01-02T15:04:05", "2006-01-02T15:04Z", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02",
	}
}

// UnmarshalJSON reads an instant; "" is 1970, as everywhere at go-swagger.
func (t *instant) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	if text == "" {
		*t = instant(time.Unix(0, 0))
		return nil
	}
	var err error
	for _, form := range instantForms() {
		var at time.Time
		if at, err = time.ParseInLocation(form, text, time.UTC); err == nil {
			*t = instant(at)
			return nil
		}
	}
	return err
}

// readSilence reads and judges the request's silence.
func (a *API) readSilence(w http.ResponseWriter, r *http.Request) (*event.Silence, *refused) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSilenceBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refused{
			http.StatusRequestEntityTooLarge, http.StatusRequestEntityTooLarge, fmt.Sprintf("the silence is larger than %d bytes", maxSilenceBytes),
		}
	case err != nil:
		return nil, &refused{http.StatusBadRequest, http.StatusBadRequest, err.Error()}
	case len(bytes.TrimSpace(body)) == 0:
		return nil, required("silence")
	}
	var p postableSilence
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, &refused{http.StatusBadRequest, http.StatusBadRequest, `parsing silence body from "" failed, because ` + err.Error()}
	}
	if f := p.missing(); f != nil {
		return nil, f
	}
	if message := a.invalid(&p); message != "" {
		return nil, &refused{status: http.StatusBadRequest, message: message}
	}
	return p.silence(), nil
}

// missing reports the first required field that is not there, in go-swagger's order.
func (p *postableSilence) missing() *refused {
	switch {
	case p.Comment == nil:
		return required("comment")
	case p.CreatedBy == nil:
		return required("createdBy")
	case p.EndsAt == nil:
		return required("endsAt")
	case p.Matchers == nil:
		return required("matchers")
	case len(p.Matchers) == 0:
		return &refused{http.StatusUnprocessableEntity, codeFewItems, "matchers in body should have at least 1 items"}
	}
	for i, m := range p.Matchers {
		switch {
		case m.IsRegex == nil:
			return required(fmt.Sprintf("matchers.%d.isRegex", i))
		case m.Name == nil:
			return required(fmt.Sprintf("matchers.%d.name", i))
		case m.Value == nil:
			return required(fmt.Sprintf("matchers.%d.value", i))
		}
	}
	if p.StartsAt == nil {
		return required("startsAt")
	}
	return nil
}

// invalid returns what Alertmanager has against a complete silence, "" for nothing.
func (a *API) invalid(p *postableSilence) string {
	start, end := time.Time(*p.StartsAt), time.Time(*p.EndsAt)
	switch {
	case !start.Before(end):
		return "Failed to create silence: start time must be before end time"
	case end.Before(a.now()):
		return "Failed to create silence: end time can't be in the past"
	}
	allMatchEmpty := true
	for i, m := range p.Matchers {
		matcher, reason := a.matcher(m)
		if reason != "" {
			return fmt.Sprintf("invalid silence: invalid label matcher %d in set 0: %s", i, reason)
		}
		allMatchEmpty = allMatchEmpty && m.equal() && matcher.Matches("")
	}
	if allMatchEmpty {
		return "invalid silence: matcher set 0: at least one matcher must not match the empty string"
	}
	return ""
}

// matcher returns m ready to match, or what is wrong with it.
func (a *API) matcher(m postableMatcher) (matcher *labels.Matcher, reason string) {
	if !a.validLabelName(*m.Name) {
		return nil, fmt.Sprintf("invalid label name %q", *m.Name)
	}
	if *m.IsRegex {
		// Alone, not anchored: ")(" must not slip through between the anchors.
		if _, err := regexp.Compile(*m.Value); err != nil {
			return nil, fmt.Sprintf("invalid regular expression %q: %v", *m.Value, err)
		}
	}
	kinds := map[[2]bool]labels.MatchType{ // by regex, equal
		{false, true}: labels.MatchEqual, {false, false}: labels.MatchNotEqual,
		{true, true}: labels.MatchRegexp, {true, false}: labels.MatchNotRegexp,
	}
	matcher, err := labels.NewMatcher(kinds[[2]bool{*m.IsRegex, m.equal()}], *m.Name, *m.Value)
	if err != nil {
		return nil, err.Error()
	}
	return matcher, ""
}

func (m postableMatcher) equal() bool { return m.IsEqual == nil || *m.IsEqual }

// silence converts a valid silence; matchers keep their order.
func (p *postableSilence) silence() *event.Silence {
	sil := &event.Silence{
		ID: p.ID, StartsAt: event.FromTime(time.Time(*p.StartsAt)), EndsAt: event.FromTime(time.Time(*p.EndsAt)),
		CreatedBy: *p.CreatedBy, Comment: *p.Comment,
	}
	for _, m := range p.Matchers {
		sil.Matchers = append(sil.Matchers, event.Matcher{Name: *m.Name, Value: *m.Value, IsRegex: *m.IsRegex, IsEqual: m.equal()})
	}
	for name, value := range p.Annotations {
		sil.Annotations = append(sil.Annotations, event.Label{Name: name, Value: value})
	}
	sil.Annotations, _ = event.SortLabels(sil.Annotations)
	return sil
}
