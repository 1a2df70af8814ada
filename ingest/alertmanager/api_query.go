package alertmanager

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
)

// receiver is the one receiver there is: everybody's alerts go to Tocsin.
const receiver = "tocsin"

func receiverLabels() map[string]string { return map[string]string{"name": receiver} }

// boolParam returns a boolean parameter as go-swagger reads it: the last value counts, "" is the default, and every word that does
// not say yes says no.
func boolParam(q url.Values, name string) bool {
	values := q[name]
	if len(values) == 0 || values[len(values)-1] == "" {
		return true
	}
	switch strings.ToLower(values[len(values)-1]) {
	case "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled":
		return true
	}
	return false
}

// filters parses matchers, one in each parameter.
func (a *API) filters(params []string) ([]*labels.Matcher, error) {
	out := make([]*labels.Matcher, 0, len(params))
	for _, text := range params {
		m, err := a.filter(text)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// filter parses one matcher with the UTF-8 parser, and with the classic one where that fails or the two disagree.
func (a *API) filter(text string) (*labels.Matcher, error) {
	if a.opts.ClassicMatchers {
		return labels.ParseMatcher(text)
	}
	if strings.HasPrefix(text, "{") || strings.HasSuffix(text, "}") {
		return nil, fmt.Errorf("unexpected open or close brace: %s", text)
	}
	m, err := parse.Matcher(text)
	classic, classicErr := labels.ParseMatcher(text)
	switch {
	case err != nil && classicErr != nil:
		return nil, classicErr
	case err != nil, classicErr == nil && (m.Type != classic.Type || m.Name != classic.Name || m.Value != classic.Value):
		return classic, nil
	}
	return m, nil
}

// validLabelName judges the name in a silence's matcher.
func (a *API) validLabelName(name string) bool {
	if a.opts.ClassicMatchers {
		return model.LegacyValidation.IsValidLabelName(name)
	}
	return model.UTF8Validation.IsValidLabelName(name)
}

// passes tells whether a label set passes filters. An empty value asks whether the label is there.
func passes(filters []*labels.Matcher, value func(name string) (string, bool)) bool {
	for _, m := range filters {
		v, present := value(m.Name)
		wantsAbsent := m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp
		if m.Value == "" && present != wantsAbsent {
			continue
		}
		if !m.Matches(v) {
			return false
		}
	}
	return true
}

// alertQuery is what GET /alerts and /alerts/groups ask for.
type alertQuery struct {
	filters                     []*labels.Matcher
	active, silenced, inhibited bool
	nothing                     bool // asks for another receiver
}

// alertQuery reads the parameters, or answers what is wrong with them.
func (a *API) alertQuery(w http.ResponseWriter, r *http.Request) (q alertQuery, ok bool) {
	params := r.URL.Query()
	q.active, q.silenced, q.inhibited = boolParam(params, "active"), boolParam(params, "silenced"), boolParam(params, "inhibited")
	var err error
	if q.filters, err = a.filters(params["filter"]); err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return q, false
	}
	if list := params["receiver"]; len(list) > 0 && list[len(list)-1] != "" {
		re, err := regexp.Compile("^(?:" + list[len(list)-1] + ")$")
		if err != nil {
			answer(w, http.StatusBadRequest, "failed to parse receiver param: "+err.Error())
			return q, false
		}
		q.nothing = !re.MatchString(receiver)
	}
	wanted, ok := a.receiverWanted(w, params)
	q.nothing = q.nothing || !wanted
	return q, ok
}

// receiverWanted reads receiver_matchers, or answers what is wrong with them.
func (a *API) receiverWanted(w http.ResponseWriter, params url.Values) (wanted, ok bool) {
	ms, err := a.filters(params["receiver_matchers"])
	if err != nil {
		answer(w, http.StatusBadRequest, "failed to parse receiver_matchers param: "+err.Error())
		return false, false
	}
	return passes(ms, func(name string) (string, bool) {
		v, present := receiverLabels()[name]
		return v, present
	}), true
}
