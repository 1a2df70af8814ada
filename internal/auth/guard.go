package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tocsin-noc/tocsin/event"
)

// Options are what a Guard is made of, besides the credentials.
type Options struct {
	Listen       string   // host:port of the listener; its host is one that may be asked for
	ExternalURL  string   // how people reach the daemon: an allowed host and a trusted origin; may be empty
	AllowedHosts []string // more values of the Host header, without port
	InsecureOpen bool     // serve everybody as admin although nothing proves who they are (--insecure-no-auth)
}

// Passwords knows the users of the web configuration; *webconfig.Config is one.
type Passwords interface {
	Authenticates() bool               // somebody can be told from somebody else
	ChecksCertificates() bool          // every client certificate was verified
	Verify(name, password string) bool // may take a tenth of a second
}

// Directory knows persons; *people.Store is one.
type Directory interface {
	ByToken(digest [sha256.Size]byte) (Principal, bool) // with its grants
	HasAdmin() bool                                     // somebody can prove to be an admin of the first tenant
	Actor(name string) (id string, err error)           // the opaque id that the journal holds for a name
	Grants(login string) (grants []Grant, listed bool)  // of who proves the login by other means; none when disabled
}

// Credentials are what requests are recognised by. Their zero value lets direct loopback connections in, as admin.
type Credentials struct {
	Tokens []Token
	Web    Passwords // nil: none
	Keys   []Key     // of senders
	People Directory // nil: none; ids are names then
}

// configured tells whether people can prove who they are; otherwise loopback is trusted.
func (c *Credentials) configured() bool {
	for i := range c.Tokens {
		if c.Tokens[i].HasDigest() {
			return true
		}
	}
	return c.Web != nil && c.Web.Authenticates() || c.People != nil && c.People.HasAdmin()
}

// Guard checks requests. Its methods may be called from any goroutine.
type Guard struct {
	opts    Options
	hosts   hosts
	origins *http.CrossOriginProtection
	creds   atomic.Pointer[Credentials]

	mu      sync.Mutex
	refused map[string]uint64 // by code
}

// NewGuard returns a guard with these credentials. It fails on an external URL that is none.
func NewGuard(o Options, c Credentials) (*Guard, error) {
	g := &Guard{opts: o, origins: http.NewCrossOriginProtection(), refused: map[string]uint64{}}
	external, err := url.Parse(o.ExternalURL)
	if err != nil {
		return nil, fmt.Errorf("auth: external URL: %w", err)
	}
	if external.Host != "" {
		if err := g.origins.AddTrustedOrigin(external.Scheme + "://" + external.Host); err != nil {
			return nil, fmt.Errorf("auth: external URL: %w", err)
		}
	}
	g.hosts = newHosts(o.Listen, external.Hostname(), o.AllowedHosts)
	g.Use(c)
	return g, nil
}

// Use replaces the credentials: requests that come after it see the new ones. Rate limits that did not change keep their state.
func (g *Guard) Use(c Credentials) {
	before := map[event.Source]Source{}
	if old := g.creds.Load(); old != nil {
		for _, k := range old.Keys {
			before[k.Source.Source] = k.Source
		}
	}
	keys := make([]Key, len(c.Keys))
	for i, k := range c.Keys {
		keys[i] = Key{k.withBucket(before[k.Source.Source].bucket), k.Digest}
	}
	c.Keys = keys
	g.creds.Store(&c)
}

// AdminElsewhere tells whether somebody can prove to be an admin of the first tenant without the table of people: by the token file, or
// as a user of the web configuration.
func (g *Guard) AdminElsewhere() bool {
	creds := g.creds.Load()
	for i := range creds.Tokens {
		if t := &creds.Tokens[i]; t.HasDigest() && slices.ContainsFunc(t.grants(), func(gr Grant) bool { return gr.Role == Admin && gr.Tenant == event.DefaultTenant }) {
			return true
		}
	}
	return creds.Web != nil && creds.Web.Authenticates()
}

// TrustsLoopback tells whether, without the table of people, direct loopback connections would be admin.
func (g *Guard) TrustsLoopback() bool {
	creds := *g.creds.Load()
	creds.People = nil
	return !creds.configured()
}

// Middleware lets through what may be answered, with the principal in its context and the ingest key's prefix stripped.
// /-/healthy and /-/ready pass unseen.
func (g *Guard) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/-/healthy" || r.URL.Path == "/-/ready" {
			next.ServeHTTP(w, r)
			return
		}
		r, problem := g.admit(r)
		if problem != nil {
			g.count(problem.Code)
			problem.Write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *Guard) count(code string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[code]++
}

// Refusals returns how many requests were refused before they reached a handler, by the problem's code.
func (g *Guard) Refusals() map[string]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.refused)
}

// admit returns the request as handlers see it, or what is wrong with it.
func (g *Guard) admit(r *http.Request) (*http.Request, *Problem) {
	if p := g.checkHost(r); p != nil {
		return r, p
	}
	if p := g.checkOrigin(r); p != nil {
		return r, p
	}
	creds := g.creds.Load()
	if rest, ok := strings.CutPrefix(r.URL.Path, ingestPrefix); ok {
		return creds.byPath(r, rest)
	}
	if p := checkContentType(r); p != nil {
		return r, p
	}
	return g.identify(r, creds)
}

// identify finds out who asks, by what the request carries, and in which tenant. A credential that is wrong is refused even where
// none is needed.
func (g *Guard) identify(r *http.Request, creds *Credentials) (*http.Request, *Problem) {
	ctx := r.Context()
	var p Principal
	var found bool
	if token, ok := bearer(r); ok {
		if p, found = creds.byToken(token); !found {
			return r, badCredentials("the token is not known")
		}
	} else if name, password, ok := r.BasicAuth(); ok {
		if s, found := creds.byKey(name, password); found {
			return r.WithContext(NewSourceContext(ctx, s)), nil
		}
		if p, found = creds.byPassword(name, password); !found {
			return r, badCredentials("user and password do not fit")
		}
	} else if p = g.unnamed(r, creds); p.ID == "" {
		return r.WithContext(NewContext(ctx, p)), nil
	}
	if problem := creds.pseudonym(&p); problem != nil {
		return r, problem
	}
	p, found = p.in(chosenTenant(r))
	if !found {
		return r, &Problem{
			Status: http.StatusForbidden, Code: "tenant_not_granted", Detail: p.Known() + " has no grant for the tenant that was asked for",
			Hint: "leave the header Tocsin-Tenant away, or ask an admin for a grant",
		}
	}
	return r.WithContext(NewContext(ctx, p)), nil
}

// TenantHeader chooses the tenant of a request, for who has grants in several.
const TenantHeader = "Tocsin-Tenant"

// chosenTenant returns the tenant that a request asks for, "" when it leaves that open. Pages and streams, which cannot set
// headers, ask in the query.
func chosenTenant(r *http.Request) string {
	if tenant := r.Header.Get(TenantHeader); tenant != "" {
		return tenant
	}
	if Safe(r.Method) && r.URL.RawQuery != "" {
		return r.URL.Query().Get("tenant")
	}
	return ""
}

// pseudonym puts the opaque id in place of a name: the journal holds no other.
func (c *Credentials) pseudonym(p *Principal) *Problem {
	if p.Anonymous || c.People == nil {
		return nil
	}
	if p.Name == "" {
		p.Name = p.ID
	}
	id, err := c.People.Actor(p.ID)
	if err != nil {
		return &Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "the table of people cannot be written: " + err.Error()}
	}
	p.ID = id
	return nil
}

// unnamed is the principal of a request that carries no credential: a client certificate's, the anonymous admin where nothing
// is configured to tell people apart, or nobody.
func (g *Guard) unnamed(r *http.Request, creds *Credentials) Principal {
	if p, ok := creds.byCertificate(r); ok {
		return p
	}
	if !creds.configured() && (g.opts.InsecureOpen || local(r)) {
		return Principal{ID: "anonymous", Anonymous: true}
	}
	return Principal{}
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// byToken compares digests, and every one of them, so that the time it takes tells nothing.
func (c *Credentials) byToken(token string) (p Principal, found bool) {
	digest := sha256.Sum256([]byte(token))
	for i := range c.Tokens {
		t := &c.Tokens[i]
		if t.HasDigest() && subtle.ConstantTimeCompare(t.Digest[:], digest[:]) == 1 {
			p, found = Principal{ID: t.Name, Grants: t.grants()}, true
		}
	}
	if !found && c.People != nil {
		return c.People.ByToken(digest)
	}
	return p, found
}

// byPassword knows tokens under the name they were made for, so that browsers can use them, and the web configuration's users.
func (c *Credentials) byPassword(name, password string) (Principal, bool) {
	if p, ok := c.byToken(password); ok && p.Known() == name {
		return p, true
	}
	if c.Web == nil || !c.Web.Verify(name, password) {
		return Principal{}, false
	}
	return c.user(name), true
}

// user is a principal known by a password or a certificate: what the token file says, else the table of people, else admin.
func (c *Credentials) user(name string) Principal {
	for i := range c.Tokens {
		if t := &c.Tokens[i]; t.Name == name && !t.HasDigest() {
			return Principal{ID: name, Grants: t.grants()}
		}
	}
	if c.People != nil {
		if grants, listed := c.People.Grants(name); listed {
			return Principal{ID: name, Grants: grants}
		}
	}
	return Principal{ID: name, Grants: []Grant{{Role: Admin, Tenant: event.DefaultTenant}}}
}

func badCredentials(detail string) *Problem {
	return &Problem{
		Status: http.StatusUnauthorized, Code: "bad_credentials", Detail: detail,
		Hint: "look into the token file, the web configuration or sources[] of the configuration",
	}
}

// byCertificate returns who a verified client certificate names.
func (c *Credentials) byCertificate(r *http.Request) (Principal, bool) {
	if c.Web == nil || !c.Web.ChecksCertificates() || r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return Principal{}, false
	}
	return c.user(r.TLS.PeerCertificates[0].Subject.CommonName), true
}
