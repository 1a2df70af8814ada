package rules

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// matcherList reads a list of matcher strings, each with one matcher or several separated by commas, and appends them to dst.
func matcherList(dst *[]*labels.Matcher) strict.Value {
	return func(r *strict.Reader, n *yaml.Node) {
		var each [][]*labels.Matcher
		strict.List(&each, func(ms *[]*labels.Matcher) strict.Value {
			return strict.Scalar(func(text string) (err error) {
				*ms, err = parseMatchers(text)
				return err
			})
		})(r, n)
		*dst = append(*dst, slices.Concat(each...)...)
	}
}

// parseMatchers reads matchers as Alertmanager's default mode does: with the UTF-8 parser, and with the classic one where that
// fails or where the two disagree.
func parseMatchers(text string) ([]*labels.Matcher, error) {
	utf8, err := parse.Matchers(text)
	classic, classicErr := labels.ParseMatchers(text)
	if err != nil && classicErr != nil {
		return nil, errors.New("must be matchers such as team=\"db\", severity=~\"warning|info\": " + classicErr.Error())
	}
	if classicErr == nil && (err != nil || !sameMatchers(utf8, classic)) {
		return classic, nil
	}
	return utf8, nil
}

func sameMatchers(a, b []*labels.Matcher) bool {
	return slices.EqualFunc(a, b, func(x, y *labels.Matcher) bool {
		return x.Type == y.Type && x.Name == y.Name && x.Value == y.Value
	})
}

// matcherPairs reads Alertmanager's older form, label: value or label: regular expression, and appends the matchers to dst.
func matcherPairs(dst *[]*labels.Matcher, kind labels.MatchType) strict.Value {
	return strict.Pairs(func(name string) strict.Value {
		return strict.Scalar(func(text string) error {
			if !model.LegacyValidation.IsValidLabelName(name) {
				return errors.New("must stand under a label name of letters, digits and _")
			}
			m, err := labels.NewMatcher(kind, name, text)
			if err != nil {
				return errors.New("must be a regular expression: " + err.Error())
			}
			*dst = append(*dst, m)
			return nil
		})
	})
}

// test is a matcher made ready: a regular expression that only lists words is compared as words.
type test struct {
	*labels.Matcher
	words []string // the value is one of these, if there are any
}

func newTests(ms []*labels.Matcher) []test {
	tests := make([]test, len(ms))
	for i, m := range ms {
		tests[i] = test{m, words(m)}
	}
	return tests
}

// words returns the values that m accepts when these are few and known, else nil.
func words(m *labels.Matcher) []string {
	switch m.Type {
	case labels.MatchEqual:
		return []string{m.Value}
	case labels.MatchRegexp:
		if list := strings.Split(m.Value, "|"); !slices.ContainsFunc(list, isPattern) {
			return list
		}
	default: // what a negative matcher accepts cannot be listed
	}
	return nil
}

func isPattern(s string) bool { return regexp.QuoteMeta(s) != s }

func (t *test) matches(value string) bool {
	if t.words != nil {
		return slices.Contains(t.words, value)
	}
	return t.Matches(value)
}

// matchAll tells whether ls passes every test; a label that ls lacks has the value "".
func matchAll(tests []test, ls event.Labels) bool {
	for i := range tests {
		if !tests[i].matches(ls.Get(tests[i].Name)) {
			return false
		}
	}
	return true
}
