// Package outbound is the only way out of the daemon over HTTP and TCP to addresses that configuration names: every name is
// resolved here, every address it resolves to is judged, and the connection goes to an address that was judged. Redirects are not
// followed and no proxy of the environment is used, so nothing comes between.
//
// A Policy does not change; any goroutine may use it.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ErrRefused says that a target must not be reached. The error's text names the target and what would allow it.
var ErrRefused = errors.New("outbound: refused")

// Policy says which targets may be reached.
type Policy struct {
	hosts    []string       // exact, lower case
	suffixes []string       // ".example.org"
	ranges   []netip.Prefix // addresses
	resolve  func(ctx context.Context, host string) ([]netip.Addr, error)
}

// New returns a policy. allow lists what may be reached: a host name, *.example.org, an address or a CIDR. An empty list allows
// every public address. Loopback, private and other special addresses are reached only where the list names them, by address,
// CIDR or exact host name; link-local addresses and those of cloud metadata services never.
func New(allow []string) (*Policy, error) {
	p := &Policy{resolve: func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}}
	for _, text := range allow {
		if err := p.add(strings.ToLower(strings.TrimSpace(text))); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Policy) add(text string) error {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		p.ranges = append(p.ranges, prefix.Masked())
		return nil
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		p.ranges = append(p.ranges, netip.PrefixFrom(addr, addr.BitLen()))
		return nil
	}
	if suffix, ok := strings.CutPrefix(text, "*."); ok && suffix != "" && !strings.ContainsAny(suffix, "*:/ ") {
		p.suffixes = append(p.suffixes, "."+suffix)
		return nil
	}
	if text == "" || strings.ContainsAny(text, "*:/ @") {
		return fmt.Errorf("outbound: %q: must be a host name, *.example.org, an address or a CIDR, without scheme and port", text)
	}
	p.hosts = append(p.hosts, text)
	return nil
}

// DialContext connects to host:port if the policy lets it. It is a net.Dialer's DialContext.
func (p *Policy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("outbound: %w", err)
	}
	addrs, err := p.addresses(ctx, strings.ToLower(strings.TrimSuffix(host, ".")))
	if err != nil {
		return nil, err
	}
	var errs []error
	dialer := net.Dialer{Timeout: 10 * time.Second}
	for _, addr := range addrs {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(addr.String(), port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// addresses returns what a host resolves to, when all of it may be reached: a name that mixes good and bad addresses is a trick.
func (p *Policy) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	named, listed := p.listed(host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, p.judge(host, addr.Unmap(), false)
	}
	if len(p.hosts)+len(p.suffixes)+len(p.ranges) > 0 && !listed && len(p.ranges) == 0 {
		return nil, p.refuse(host, "is not in the list")
	}
	addrs, err := p.resolve(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("outbound: %w", err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("outbound: %s resolves to no address", host)
	}
	for i, addr := range addrs {
		addrs[i] = addr.Unmap()
		if err := p.judgeNamed(host, addrs[i], named, listed); err != nil {
			return nil, err
		}
	}
	return addrs, nil
}

// listed tells whether the list names the host exactly, and whether it names it at all.
func (p *Policy) listed(host string) (exactly, atAll bool) {
	if slices.Contains(p.hosts, host) {
		return true, true
	}
	for _, s := range p.suffixes {
		if strings.HasSuffix(host, s) {
			return false, true
		}
	}
	return false, false
}

// judgeNamed judges an address that a name resolved to.
func (p *Policy) judgeNamed(host string, addr netip.Addr, exactly, listed bool) error {
	empty := len(p.hosts)+len(p.suffixes)+len(p.ranges) == 0
	if !empty && !listed && !p.inRange(addr) {
		return p.refuse(host, "is not in the list")
	}
	return p.judge(host, addr, exactly)
}

// judge refuses special addresses; exactly tells that the list names the host they came from.
func (p *Policy) judge(host string, addr netip.Addr, exactly bool) error {
	switch {
	case never(addr):
		return fmt.Errorf("%w: %s (%s) is link-local or a cloud's metadata service, which is never reached", ErrRefused, host, addr)
	case p.inRange(addr):
		return nil
	case special(addr) && !exactly:
		return p.refuse(host, fmt.Sprintf("(%s) is not a public address", addr))
	case !exactly && len(p.ranges)+len(p.hosts)+len(p.suffixes) > 0 && host == addr.String():
		return p.refuse(host, "is not in the list")
	}
	return nil
}

func (p *Policy) refuse(host, why string) error {
	return fmt.Errorf("%w: %s %s; add it to outbound.allow if it should be reached", ErrRefused, host, why)
}

func (p *Policy) inRange(addr netip.Addr) bool {
	for _, r := range p.ranges {
		if r.Contains(addr) {
			return true
		}
	}
	return false
}

// never lists what no configuration opens: link-local addresses, and where clouds serve credentials to whoever asks.
func never(addr netip.Addr) bool {
	if addr.IsLinkLocalUnicast() || addr.IsLinkLocalMulticast() || addr.IsInterfaceLocalMulticast() {
		return true
	}
	for _, text := range [...]string{"100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"} {
		if addr == netip.MustParseAddr(text) {
			return true
		}
	}
	return false
}

// special tells whether an address is not one of the public internet.
func special(addr netip.Addr) bool {
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return true
	}
	for _, text := range [...]string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "2002::/16",
	} {
		if netip.MustParsePrefix(text).Contains(addr) {
			return true
		}
	}
	return false
}

// Client returns an HTTP client that goes by the policy, follows no redirect and gives up after timeout.
func (p *Policy) Client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: p.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: timeout,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Resolve returns an address of host that may be reached, for clients that cannot be given a dialer.
func (p *Policy) Resolve(ctx context.Context, host string) (string, error) {
	addrs, err := p.addresses(ctx, strings.ToLower(strings.TrimSuffix(host, ".")))
	if err != nil {
		return "", err
	}
	return addrs[0].String(), nil
}

// Judge tells what can be told of a host without resolving it: an address that must not be reached, or a name that the list leaves out.
// nil promises nothing.
func (p *Policy) Judge(host string) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.judge(host, addr.Unmap(), false)
	}
	exactly, listed := p.listed(host)
	switch {
	case host == "localhost" && !exactly && !p.inRange(netip.MustParseAddr("127.0.0.1")):
		return p.refuse(host, "is not a public address")
	case len(p.hosts)+len(p.suffixes) > 0 && len(p.ranges) == 0 && !listed:
		return p.refuse(host, "is not in the list")
	}
	return nil
}
