package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestNestingEndsWhereItDoesInEncodingJSON(t *testing.T) {
	for _, depth := range []int{MaxDepth, MaxDepth + 1} {
		text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		s := New([]byte(text))
		s.Skip()
		s.End()
		require.Equal(t, json.Valid([]byte(text)), s.Err() == nil)
	}
}

func TestAFaultIsReportedWhereItIs(t *testing.T) {
	for text, message := range map[string]string{
		``:              "unexpected end of JSON input at byte 0",
		`[1,]`:          "invalid character ']' looking for beginning of value at byte 3",
		`{"a" 1}`:       "invalid character '1' after object key at byte 5",
		`{"a":1 "b"}`:   `invalid character '"' after object key:value pair at byte 7`,
		`{'a':1}`:       `invalid character '\'' looking for beginning of object key string at byte 1`,
		`"a`:            "unexpected end of JSON input at byte 2",
		`"\x"`:          "invalid character 'x' in string escape code at byte 2",
		`"\u00g0"`:      `invalid character 'g' in \u hexadecimal character escape at byte 5`,
		"\"a\nb\"":      `invalid character '\n' in string literal at byte 2`,
		`-`:             "unexpected end of JSON input at byte 1",
		`1.e3`:          "invalid character 'e' after decimal point in numeric literal at byte 2",
		`1e`:            "unexpected end of JSON input at byte 2",
		`trie`:          "invalid character 'i' in literal true at byte 2",
		`[1 2]`:         "invalid character '2' after array element at byte 3",
		"[\x00]":        `invalid character '\x00' looking for the next token at byte 1`,
		`{} {}`:         "invalid character '{' after top-level value at byte 3",
		`{"a":"\u12`:    "unexpected end of JSON input at byte 10",
		`{"a":"\`:       "unexpected end of JSON input at byte 7",
		`[[[[{"a":[x}]`: "invalid character 'x' looking for beginning of value at byte 10",
	} {
		s := New([]byte(text))
		s.Skip()
		s.End()
		require.EqualError(t, s.Err(), message, text)
	}
}

// FuzzText compares every way to read a string with encoding/json.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		``, `a`, `ä\u00e4`, `\ud83d\ude00`, `\ud83d\ud83d\ude00`, `\udc00`, `\`, `\u`, "\xff\xc3(", "tab\tin it", `12345678"`, `1234567\n12345678`,
		strings.Repeat("x", 31) + "é", `\u0000\/\"`, "\x7f", "\\u00e9\xa9",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := `"` + text + `"`
		var expected string
		err := json.Unmarshal([]byte(quoted), &expected)

		s := New([]byte(quoted))
		require.Equal(t, byte('"'), s.Peek())
		got := s.Text()
		s.End()
		if err != nil {
			require.NotNil(t, s.Err())
			return
		}
		require.Nil(t, s.Err())
		require.Equal(t, expected, got)
		require.True(t, utf8.ValidString(got))
	})
}

func FuzzSkip(f *testing.F) {
	for _, text := range []string{
		``, ` [1, -0.5e+10 ,"x\n", {"a":{},"b":[null,true,false]}] `, `{"a":1,}`, `[,]`, `01`, `1.`, `+1`, `.5`, `1E5`, `nul`, "\v1", `{"a"}`, `[}`, `"\u12"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		valid := json.Valid(text)
		s := New(text)
		s.Skip()
		s.End()
		require.Equal(t, valid, s.Err() == nil, "%v", s.Err())
	})
}

func FuzzUint(f *testing.F) {
	for _, text := range []string{`0`, `18446744073709551615`, `18446744073709551616`, `-1`, `1.0`, `1e2`, `-`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9') {
			return
		}
		var expected uint64
		err := json.Unmarshal([]byte(text), &expected)
		s := New([]byte(text))
		got, ok := s.Uint()
		s.End()
		require.Equal(t, err == nil, ok && s.Err() == nil)
		if err == nil {
			require.Equal(t, expected, got)
		}
	})
}
