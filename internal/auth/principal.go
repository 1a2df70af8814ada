package auth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// Role is what a principal may do; each role includes the ones below it. Zero is no role: an ingest key has none.
type Role uint8

// Roles in rising order. Provider is a grant, never what a request may do: it lets its owner look into every tenant.
const (
	Provider  Role = iota + 1
	Viewer         // reads
	Responder      // acts on incidents and silences, sends alerts
	Manager        // sets maintenance windows and who is on call
	Admin          // people, reload, snapshots, the clock, redaction
)

var roleNames = [...]string{Provider: "provider", Viewer: "viewer", Responder: "responder", Manager: "manager", Admin: "admin"}

// RoleNames lists the roles' names in rising order.
func RoleNames() []string { return roleNames[Provider:] }

// String returns the role's name in files and the API.
func (r Role) String() string {
	if r >= Provider && r <= Admin {
		return roleNames[r]
	}
	return "none"
}

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *Role) UnmarshalText(text []byte) (err error) {
	if string(text) == Role(0).String() {
		*r = 0
		return nil
	}
	*r, err = ParseRole(string(text))
	return err
}

// ParseRole reads what String writes.
func ParseRole(name string) (Role, error) {
	for r := Provider; r <= Admin; r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return 0, fmt.Errorf("auth: role %q: must be one of %s", name, strings.Join(RoleNames(), ", "))
}

// Grant is a role in a tenant. Teams, when there are any, are those whose incidents may be acted on; reading is the tenant's.
type Grant struct {
	Role   Role     `json:"role"`
	Tenant string   `json:"tenant"`
	Teams  []string `json:"teams,omitempty"`
}

// Principal is who asks. Its zero value may do nothing.
type Principal struct {
	ID        string // what the journal holds; "anonymous" without credentials, "source:NAME" for an ingest key
	Name      string // by which people know it; "" when ID is that
	Grants    []Grant
	Anonymous bool // nobody proved anything: no credentials are configured

	// What holds for this request.
	Role   Role
	Tenant string // event.AllTenants: a provider looks into all
	Teams  []string
}

// Known returns the name by which people know the principal.
func (p Principal) Known() string { return cmp.Or(p.Name, p.ID) }

// in returns p as it acts in a tenant, or in the one that it has by default. false: it may not even know of it.
func (p Principal) in(tenant string) (Principal, bool) {
	provider := slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.Role == Provider })
	if tenant == "" {
		switch i := slices.IndexFunc(p.Grants, func(g Grant) bool { return g.Role != Provider }); {
		case p.Anonymous:
			tenant = event.DefaultTenant
		case provider:
			tenant = event.AllTenants
		case i >= 0:
			tenant = p.Grants[i].Tenant
		}
	}
	p.Tenant = tenant
	if p.Anonymous {
		p.Role = Admin
		return p, ValidTenant(tenant)
	}
	for _, g := range p.Grants {
		switch {
		case g.Role == Provider:
			p.Role = max(p.Role, Viewer)
		case g.Tenant != tenant:
		case g.Role > p.Role:
			p.Role, p.Teams = g.Role, g.Teams
		case g.Role == p.Role:
			p.Teams = both(p.Teams, g.Teams)
		}
	}
	return p, p.Role != 0
}

// both returns the teams of two grants of the same role; none means all.
func both(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	return slices.Concat(a, b)
}

// MayActFor tells whether the principal's grant reaches incidents of a team.
func (p Principal) MayActFor(team string) bool {
	return team == "" || len(p.Teams) == 0 || slices.Contains(p.Teams, team)
}

type contextKey uint8

const (
	principalKey contextKey = iota
	sourceKey
)

// FromContext returns the principal that the Guard found, the zero Principal when no Guard was passed.
func FromContext(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey).(Principal)
	return p
}

// NewContext returns ctx with p as the principal.
func NewContext(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// SourceFromContext returns the source whose ingest key the request carried, false when it carried none.
func SourceFromContext(ctx context.Context) (Source, bool) {
	s, ok := ctx.Value(sourceKey).(Source)
	return s, ok
}

// NewSourceContext returns ctx with s as the source and as a principal without a role.
func NewSourceContext(ctx context.Context, s Source) context.Context {
	ctx = NewContext(ctx, Principal{ID: "source:" + s.Name, Tenant: s.Tenant})
	return context.WithValue(ctx, sourceKey, s)
}
