package auth

import (
	"context"
	"fmt"
)

// Role is what a principal may do; each role includes the ones below it. Zero is no role: an ingest key has none.
type Role uint8

// Roles in rising order.
const (
	Viewer    Role = iota + 1 // reads
	Responder                 // acts on incidents and silences, sends alerts
	Admin                     // reloads, takes snapshots, accepts the clock
)

// String returns the role's name in files and the API.
func (r Role) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Responder:
		return "responder"
	case Admin:
		return "admin"
	}
	return "none"
}

// ParseRole reads what String writes.
func ParseRole(name string) (Role, error) {
	for r := Viewer; r <= Admin; r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return 0, fmt.Errorf("auth: role %q: must be one of viewer, responder, admin", name)
}

// Principal is who asks. Its zero value may do nothing.
type Principal struct {
	ID        string // opaque; "anonymous" without credentials, "source:NAME" for an ingest key
	Role      Role
	Tenant    string
	Anonymous bool // nobody proved anything: no credentials are configured
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
