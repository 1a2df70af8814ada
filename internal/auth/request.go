package auth

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// hosts are the names that the daemon may be asked for by: a page of another name that resolves here (DNS rebinding) is told off.
type hosts []string

func newHosts(listen, external string, more []string) hosts {
	h := hosts{"localhost"}
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
		h = append(h, strings.ToLower(host))
	}
	if external != "" {
		h = append(h, strings.ToLower(external))
	}
	for _, name := range more {
		h = append(h, strings.ToLower(name))
	}
	return h
}

// allow tells whether r may be asked under its Host header: a listed name, a loopback address, or the very address that the
// connection came in on.
func (h hosts) allow(r *http.Request) bool {
	name := strings.ToLower(hostname(r.Host))
	if slices.Contains(h, name) {
		return true
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	if ip.IsLoopback() {
		return true
	}
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return addr != nil && addrIP(addr.String()) == ip
}

// hostname returns the Host header without port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func addrIP(hostport string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

func (g *Guard) checkHost(r *http.Request) *Problem {
	if g.hosts.allow(r) {
		return nil
	}
	return &Problem{
		Status: http.StatusForbidden, Code: "host_not_allowed", Detail: "the Host header names a host that this daemon does not answer for",
		Hint: "add it to auth.allowed_hosts, or set external_url",
	}
}

// checkOrigin refuses writes that another site's page sends.
func (g *Guard) checkOrigin(r *http.Request) *Problem {
	if g.origins.Check(r) == nil {
		return nil
	}
	return &Problem{
		Status: http.StatusForbidden, Code: "foreign_origin", Detail: "another site's page sent this write",
		Hint: "use the console under its own address, or set external_url to the address that people use",
	}
}

// ownContentType is where senders expect the original's own answer to a wrong content type.
const ownContentType = "/api/v2/"

// checkContentType refuses writes with a body that is not JSON: a form of any page can send the rest without asking.
func checkContentType(r *http.Request) *Problem {
	if Safe(r.Method) || r.ContentLength == 0 || strings.HasPrefix(r.URL.Path, ownContentType) {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (media == "application/json" || strings.HasSuffix(media, "+json")) {
		return nil
	}
	if slices.Contains(filesPaths(), r.URL.Path) {
		return checkFiles(r, media)
	}
	return &Problem{
		Status: http.StatusUnsupportedMediaType, Code: "not_json", Detail: "the body must be JSON", Hint: "send Content-Type: application/json",
	}
}

// filesPaths take files.
func filesPaths() []string {
	return []string{"/api/v1/cmdb/import", "/api/v1/history/import/incidents"}
}

// checkFiles lets through files of the types that no form can send, and forms of who shows a token, which no other page knows.
func checkFiles(r *http.Request, media string) *Problem {
	switch media {
	case "text/yaml", "text/x-yaml", "application/yaml", "application/x-yaml", "text/csv", "multipart/mixed":
		return nil
	case "multipart/form-data":
		if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			return nil
		}
	}
	return &Problem{
		Status: http.StatusUnsupportedMediaType, Code: "not_json", Detail: "the body must be text/yaml, text/csv, application/json or multipart/mixed",
		Hint: "multipart/form-data takes a token: any page can send it without one",
	}
}

// local tells whether r came straight from this machine. Behind a proxy it did not, wherever the proxy runs.
func local(r *http.Request) bool {
	if !addrIP(r.RemoteAddr).IsLoopback() {
		return false
	}
	for _, name := range [...]string{
		"Forwarded", "Via", "X-Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server",
		"X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip",
	} {
		if _, ok := r.Header[name]; ok {
			return false
		}
	}
	return true
}
