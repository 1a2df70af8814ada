package native

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThePageIsTrue reads the format's page and decodes its examples.
func TestThePageIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/native.md")
	require.NoError(t, err)

	examples := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	require.Len(t, examples, 2)
	for _, example := range examples {
		b := batchOf(example[1])
		require.Nil(t, Decode(b, testNow, Limits{}), example[1])
		require.NotEmpty(t, b.Events)
	}
	for _, name := range format().Names {
		if name.Text != "" {
			require.Contains(t, string(page), "| `"+name.Text+"` |")
		}
	}
	r := Decode(batchOf(`[{},{},{},{"labels":{"a":"b"},"endAt":""}]`), testNow, Limits{})
	require.Contains(t, string(page), r.Alerts[3].Place+": "+r.Alerts[3].Message)
}

// TestThePageNamesEveryLimit provokes each limit at its default.
func TestThePageNamesEveryLimit(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/native.md")
	require.NoError(t, err)
	limits := regexp.MustCompile("`(limits\\.[a-z_]+)` \\| ([0-9]+)").FindAllStringSubmatch(string(page), -1)
	require.Len(t, limits, 7)

	long := func(n int) string { return strings.Repeat("x", n) }
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + long(i+1) + `":"v",`)
		}
		return "{" + strings.TrimSuffix(b.String(), ",") + "}"
	}
	over := map[string]struct{ fits, exceeds string }{
		"limits.alerts_per_request":     {"[" + strings.Repeat(`{"ci":"x"},`, 9999) + `{"ci":"x"}]`, "[" + strings.Repeat(`{"ci":"x"},`, 10000) + `{"ci":"x"}]`},
		"limits.labels_per_alert":       {`{"labels":` + many(64) + `}`, `{"labels":` + many(65) + `}`},
		"limits.annotations_per_alert":  {`{"ci":"x","annotations":` + many(64) + `}`, `{"ci":"x","annotations":` + many(65) + `}`},
		"limits.label_name_bytes":       {`{"labels":{"` + long(256) + `":"v"}}`, `{"labels":{"` + long(257) + `":"v"}}`},
		"limits.label_value_bytes":      {`{"ci":"` + long(4096) + `"}`, `{"ci":"` + long(4097) + `"}`},
		"limits.annotation_value_bytes": {`{"ci":"x","annotations":{"a":"` + long(32768) + `"}}`, `{"ci":"x","annotations":{"a":"` + long(32769) + `"}}`},
		"limits.generator_url_bytes":    {`{"ci":"x","url":"/` + long(32767) + `"}`, `{"ci":"x","url":"/` + long(32768) + `"}`},
	}
	for _, limit := range limits {
		require.Contains(t, over, limit[1])
		require.Nil(t, Decode(batchOf(over[limit[1]].fits), testNow, Limits{}), limit[1])
		r := Decode(batchOf(over[limit[1]].exceeds), testNow, Limits{})
		require.NotNil(t, r, limit[1])
		require.Contains(t, r.Message, limit[1])
		require.Contains(t, r.Message, limit[2])
	}
}
