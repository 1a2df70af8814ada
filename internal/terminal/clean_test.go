package terminal

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostileTextIsOnlyRead(t *testing.T) {
	for in, want := range map[string]string{
		"disk full":                       "disk full",
		"":                                "",
		"über 90 % – 磁盘":                  "über 90 % – 磁盘",
		"a\tb\nc\r\nd":                    "a b c  d",
		"\x1b[31mred\x1b[0m":              "[31mred[0m",
		"\x1b]0;title\x07x":               "]0;titlex",
		"c1 \u009b31m csi":                "c1 31m csi",
		"raw c1 \x9b31m":                  "raw c1 \uFFFD31m",
		"safe\u202Eexe.fdp":               "safeexe.fdp",
		"iso\u2066late\u2069":             "isolate",
		"mark\u200E\u200F\u061C":          "mark",
		"zero\u200Bwidth\uFEFF":           "zerowidth",
		"tag\U000E0041\U000E007F":         "tag",
		"line\u2028and\u2029paragraph":    "line and paragraph",
		"no\u00A0break":                   "no break",
		"nul\x00 del\x7f":                 "nul del",
		"e\u0301 keeps its accent":        "e\u0301 keeps its accent",
		"invalid \xff\xfe":                "invalid \uFFFD",
		"a\u00adb soft hyphen is no dash": "ab soft hyphen is no dash",
	} {
		require.Equal(t, want, Clean(in), "%q", in)
	}
}

func TestLinesKeepTheirIndentation(t *testing.T) {
	require.Equal(t, []string{"one", "    two", "", "three"}, CleanLines("one \r\n\ttwo\n\n\x1b\u202Ethree\n\n"))
	require.Equal(t, []string{""}, CleanLines(""))
}

func TestEscapedJSONIsTheSameValue(t *testing.T) {
	in := "{\"a\": \"\u202Eevil \u009b31m \U000E0041 é磁\",\n\t\"b\": [1]}\n"
	out := EscapeJSON([]byte(in))
	require.JSONEq(t, "{\"a\": \"\\u202eevil \\u009b31m \\udb40\\udc41 é磁\",\n\t\"b\": [1]}\n", string(out))
	require.JSONEq(t, in, string(out))
}

func FuzzCleanTextHoldsNothingThatActs(f *testing.F) {
	f.Add("\x1b[2J\u202E")
	f.Fuzz(func(t *testing.T, s string) {
		clean := Clean(s)
		require.Equal(t, clean, Clean(clean))
		for _, r := range clean {
			require.False(t, r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069, "%q", clean)
		}
		require.LessOrEqual(t, Width(Truncate(clean, 10)), 10)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(EscapeJSON(text)))
	})
}
