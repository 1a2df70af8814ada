package outbound

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// policy resolves names from a list instead of the network.
func policy(t *testing.T, allow []string, names map[string][]string) *Policy {
	t.Helper()
	p, err := New(allow)
	require.NoError(t, err)
	p.resolve = func(_ context.Context, host string) (out []netip.Addr, err error) {
		for _, text := range names[host] {
			out = append(out, netip.MustParseAddr(text))
		}
		if out == nil {
			err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return out, err
	}
	return p
}

func TestWhatMayBeReached(t *testing.T) {
	names := map[string][]string{
		"hooks.example.org": {"93.184.216.34"}, "internal.example.org": {"10.1.2.3"}, "mixed.example.org": {"93.184.216.34", "127.0.0.1"},
		"meta.example.org": {"169.254.169.254"}, "mapped.example.org": {"::ffff:127.0.0.1"}, "other.net": {"93.184.216.35"},
		"nat64.example.org": {"64:ff9b::a9fe:a9fe"},
	}
	for _, c := range []struct {
		name  string
		allow []string
		host  string
		ok    bool
	}{
		{"a public name", nil, "hooks.example.org", true},
		{"a name that resolves to a private address", nil, "internal.example.org", false},
		{"a name with one bad address", nil, "mixed.example.org", false},
		{"a mapped loopback address", nil, "mapped.example.org", false},
		{"metadata behind NAT64", nil, "nat64.example.org", false},
		{"loopback", nil, "127.0.0.1", false},
		{"loopback, listed", []string{"127.0.0.1"}, "127.0.0.1", true},
		{"loopback by range", []string{"127.0.0.0/8"}, "127.0.0.2", true},
		{"loopback in IPv6", nil, "::1", false},
		{"any address", nil, "0.0.0.0", false},
		{"carrier's NAT", nil, "100.64.0.1", false},
		{"a private name, listed exactly", []string{"internal.example.org"}, "internal.example.org", true},
		{"a private name, listed by suffix", []string{"*.example.org"}, "internal.example.org", false},
		{"a private name, its range listed", []string{"10.0.0.0/8"}, "internal.example.org", true},
		{"a public name that is not listed", []string{"*.example.org"}, "other.net", false},
		{"a public name listed by suffix", []string{"*.example.org"}, "hooks.example.org", true},
		{"a public address that is not listed", []string{"*.example.org"}, "93.184.216.34", false},
		{"metadata", nil, "169.254.169.254", false},
		{"metadata, listed", []string{"169.254.169.254", "169.254.0.0/16"}, "169.254.169.254", false},
		{"metadata by name, listed exactly", []string{"meta.example.org"}, "meta.example.org", false},
		{"metadata in IPv6, listed", []string{"fd00:ec2::254"}, "fd00:ec2::254", false},
		{"another cloud's metadata, listed", []string{"100.100.100.200"}, "100.100.100.200", false},
		{"decimal spelling of loopback", nil, "2130706433", false},
		{"octal spelling of loopback", nil, "0177.0.0.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := policy(t, c.allow, names).addresses(t.Context(), c.host)
			if c.ok {
				require.NoError(t, err)
			} else {
				require.Error(t, err)
			}
		})
	}
	_, err := policy(t, nil, names).addresses(t.Context(), "internal.example.org")
	require.ErrorIs(t, err, ErrRefused)
	require.EqualError(t, err, "outbound: refused: internal.example.org (10.1.2.3) is not a public address; add it to outbound.allow if it should be reached")
}

func TestAListWithAMistakeIsRefused(t *testing.T) {
	for _, text := range []string{"", "http://x", "a b", "*", "x:80", "*.a.*"} {
		_, err := New([]string{text})
		require.Error(t, err, text)
	}
}

func TestTheConnectionGoesToTheAddressThatWasJudged(t *testing.T) {
	asked := 0
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte(r.Host))
	}))
	defer target.Close()
	_, port, err := net.SplitHostPort(target.Listener.Addr().String())
	require.NoError(t, err)
	p := policy(t, []string{"hook.example.org"}, nil)
	p.resolve = func(context.Context, string) ([]netip.Addr, error) {
		asked++
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	client := p.Client(5 * time.Second)
	resp, err := client.Get("http://hook.example.org:" + port + "/")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 1, asked, "the name is resolved once")
	resp, err = client.Get("http://hook.example.org:" + port + "/away")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusFound, resp.StatusCode, "a redirect is not followed")
	resp, err = client.Get("http://169.254.169.254/latest/meta-data")
	if err == nil {
		resp.Body.Close()
	}
	require.ErrorIs(t, err, ErrRefused)
}

func TestAHostIsJudgedWithoutResolvingIt(t *testing.T) {
	for _, c := range []struct {
		allow []string
		host  string
		fine  bool
	}{
		{nil, "127.0.0.1", false}, {nil, "localhost", false}, {nil, "example.org", true}, {nil, "169.254.169.254", false},
		{[]string{"127.0.0.1"}, "127.0.0.1", true}, {[]string{"127.0.0.0/8"}, "localhost", true}, {[]string{"*.example.org"}, "hooks.example.org", true},
		{[]string{"*.example.org"}, "example.com", false}, {[]string{"*.example.org", "10.0.0.0/8"}, "inner.example.com", true},
	} {
		p, err := New(c.allow)
		require.NoError(t, err)
		require.Equal(t, c.fine, p.Judge(c.host) == nil, "%v %s", c.allow, c.host)
	}
}
