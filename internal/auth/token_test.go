package auth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestNewTokenIsReadBack(t *testing.T) {
	secret, ann, err := NewToken("ann@noc", Responder, "blue")
	require.NoError(t, err)
	require.Len(t, secret, len("tocsin_")+43, "256 bits")
	require.NotContains(t, ann.Line(), secret)
	bob := Token{Name: "bob", Role: Viewer, Tenant: "main"}
	path := filepath.Join(t.TempDir(), "tokens.yml")
	require.NoError(t, os.WriteFile(path, []byte("# people\n"+ann.Line()+"\n"+bob.Line()+"\n- {name: ci, role: admin}\n"), 0o600))
	tokens, err := LoadTokens(path)
	require.NoError(t, err)
	require.Equal(t, []Token{ann, bob, {Name: "ci", Role: Admin, Tenant: "main"}}, tokens)

	other, _, err := NewToken("ann", Viewer, "main")
	require.NoError(t, err)
	require.NotEqual(t, secret, other)
	_, _, err = NewToken("a b", Viewer, "main")
	require.ErrorContains(t, err, "must be letters")
	_, err = LoadTokens(filepath.Join(t.TempDir(), "none.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTokenFileProblemsComeAllAtOnce(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	_, err := ParseTokens("tokens.yml", []byte(`
- {name: ann, role: boss, sha256: tocsin_secret-pasted-by-mistake}
- {name: bob smith, role: viewer}
- {role: viewer, sha256: `+digest+`}
- {name: eve, role: viewer, sha256: `+digest+`, colour: red}
- {name: eve, role: viewer}
`))
	require.Equal(t, strings.Join([]string{
		`tokens.yml:2:21: role: must be one of provider, viewer, responder, manager, admin (got "boss")`,
		`tokens.yml:2:35: sha256: must be the SHA-256 of the token in 64 hexadecimal digits`,
		`tokens.yml:3:10: name: must be letters, digits, '.', '_', '@' or '-', at most 64 (got "bob smith")`,
		`tokens.yml:4:3: name: missing`,
		`tokens.yml:5:3: sha256: another entry has this token`,
		`tokens.yml:5:103: colour: unknown key; known here: name, role, tenant, teams, sha256`,
		`tokens.yml:6:3: name: another entry has this name`,
	}, "\n"), err.Error())
	tokens, err := ParseTokens("tokens.yml", nil)
	require.NoError(t, err)
	require.Empty(t, tokens)
}

func TestCheckListen(t *testing.T) {
	_, token := newToken(t, "ann", Viewer, "main")
	safe := Credentials{Tokens: []Token{token}}
	for _, addr := range []string{"127.0.0.1:9595", "localhost:0", "[::1]:9595", "127.9.9.9:1"} {
		require.NoError(t, CheckListen(addr, Credentials{}, false), addr)
	}
	for _, addr := range []string{":9595", "0.0.0.0:9595", "[::]:9595", "10.0.0.5:9595", "tocsin.example:9595"} {
		require.ErrorIs(t, CheckListen(addr, Credentials{}, false), ErrExposed, addr)
		require.NoError(t, CheckListen(addr, safe, false), addr)
		require.NoError(t, CheckListen(addr, Credentials{Web: passwords{}}, false), addr)
		require.NoError(t, CheckListen(addr, Credentials{}, true), addr)
	}
	mapping := Credentials{Tokens: []Token{{Name: "bob", Role: Viewer, Tenant: "main"}}}
	require.ErrorIs(t, CheckListen(":9595", mapping, false), ErrExposed, "nobody can prove to be bob")
	require.ErrorContains(t, CheckListen("9595", safe, false), "listen address")
}

func TestRateLimitHoldsTheMeanRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := Key{Source: Source{Source: event.Source{Name: "am", Tenant: "main"}, RatePerSecond: 100, Burst: 50}}
		g := newGuard(t, Options{}, Credentials{Keys: []Key{key}})
		s := g.creds.Load().Keys[0].Source
		wait, ok := s.Take(50)
		require.True(t, ok)
		require.Zero(t, wait)
		wait, ok = s.Take(10)
		require.False(t, ok)
		require.Equal(t, 100*time.Millisecond, wait)
		time.Sleep(wait)
		_, ok = s.Take(10)
		require.True(t, ok, "a refused request costs nothing")

		g.Use(Credentials{Keys: []Key{key}})
		_, ok = g.creds.Load().Keys[0].Take(1)
		require.False(t, ok, "a reload fills no bucket")
		key.RatePerSecond = 1000
		g.Use(Credentials{Keys: []Key{key}})
		_, ok = g.creds.Load().Keys[0].Take(50)
		require.True(t, ok, "a new rate begins anew")

		time.Sleep(time.Second)
		s = g.creds.Load().Keys[0].Source
		_, ok = s.Take(550)
		require.True(t, ok, "a request larger than the burst passes when the bucket is full")
		wait, ok = s.Take(1)
		require.False(t, ok)
		require.Equal(t, 501*time.Millisecond, wait, "and is paid for")
		_, ok = Source{}.Take(1_000_000)
		require.True(t, ok, "no limit")
		p := RateProblem(s, 429, 1200*time.Millisecond)
		require.Equal(t, "2", p.GetHeaders().Get("Retry-After"))
	})
}
