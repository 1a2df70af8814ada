package alertjson

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUsualURLsTakeTheFastPath(t *testing.T) {
	for _, text := range []string{
		"http://vm:39105/graph?g0.expr=lab_flag+%3D%3D+1&g0.tab=1", "https://prometheus.example.org/graph?x=a b#@", "http://127.0.0.1", "http://h/%41",
		"https://h:/x",
	} {
		require.True(t, plainURL(text), text)
		require.True(t, IsURL(text), text)
	}
}

func TestURLsAreJudgedAsByAlertmanager(t *testing.T) {
	for text, valid := range map[string]bool{
		"/foo": true, "x:y": true, "*": true, "http://h#@x": true, "https://u:p@[::1]:9/x": true, "http:///x": true,
		"foo": false, "": false, "#x": false, "http://a b": false, "http://h/%zz": false, "http://h:x/": false, "http://h/\x7f": false, "http://h?\n": false,
	} {
		require.Equal(t, valid, IsURL(text), text)
	}
}

func FuzzURL(f *testing.F) {
	for _, text := range []string{"http://a.b-c:9/x%41?%#%", "https://", "http://a?b", "http://a:b", "http://é/", "http://a/é", "HTTP://a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before, _, _ := strings.Cut(text, "#")
		if _, err := url.ParseRequestURI(before); plainURL(text) {
			require.NoError(t, err)
		}
	})
}
