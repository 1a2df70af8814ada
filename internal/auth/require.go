package auth

import (
	"context"
	"net/http"

	"github.com/tocsin-noc/tocsin/event"
)

// Check returns nil when ctx's principal has role or more, else the problem to answer with: 401 without credentials, 403 with
// too few rights.
func Check(ctx context.Context, role Role) *Problem {
	p := FromContext(ctx)
	switch {
	case p.Role >= role:
		return nil
	case p.ID == "":
		return &Problem{
			Status: http.StatusUnauthorized, Code: "unauthenticated", Detail: "this needs a token",
			Hint: "send `Authorization: Bearer TOKEN`, or user and password; `tocsin token new` makes tokens",
		}
	case p.Role == 0:
		return &Problem{
			Status: http.StatusForbidden, Code: "forbidden", Detail: "an ingest key sends alerts and does nothing else",
			Hint: "use a token with the role " + role.String(),
		}
	}
	if p.Tenant == event.AllTenants && role > Viewer {
		return &Problem{
			Status: http.StatusBadRequest, Code: "tenant_needed", Detail: "this is done in one tenant, and all were asked for",
			Hint: "name it in the header " + TenantHeader,
		}
	}
	return &Problem{
		Status: http.StatusForbidden, Code: "forbidden", Detail: "this needs the role " + role.String() + ", " + p.Known() + " is " + p.Role.String(),
		Hint: "ask an admin for a token with that role",
	}
}

// CheckHouse returns nil when ctx's principal looks after what serves all tenants: that is done in the first one.
func CheckHouse(ctx context.Context) *Problem {
	if event.InTenant(FromContext(ctx).Tenant, event.DefaultTenant) {
		return nil
	}
	return &Problem{
		Status: http.StatusForbidden, Code: "forbidden", Detail: "this serves all tenants, and is looked after in the tenant " + event.DefaultTenant,
		Hint: "ask an admin of that tenant",
	}
}

// CheckSend returns nil when ctx's principal may send alerts: by an ingest key, or as a responder.
func CheckSend(ctx context.Context) *Problem {
	if _, ok := SourceFromContext(ctx); ok {
		return nil
	}
	return Check(ctx, Responder)
}

// Require answers requests of principals below role with a problem and hands the rest to next.
func Require(role Role, next http.Handler) http.Handler {
	return checked(next, func(r *http.Request) *Problem { return Check(r.Context(), role) })
}

// RequireHouse is Require for what serves all tenants.
func RequireHouse(role Role, next http.Handler) http.Handler {
	return checked(next, func(r *http.Request) *Problem {
		if p := Check(r.Context(), role); p != nil {
			return p
		}
		return CheckHouse(r.Context())
	})
}

// RequireSend is Require for what takes in alerts.
func RequireSend(next http.Handler) http.Handler {
	return checked(next, func(r *http.Request) *Problem { return CheckSend(r.Context()) })
}

// RequireByMethod lets viewers read and responders write.
func RequireByMethod(next http.Handler) http.Handler {
	return checked(next, func(r *http.Request) *Problem {
		if Safe(r.Method) {
			return Check(r.Context(), Viewer)
		}
		return Check(r.Context(), Responder)
	})
}

func checked(next http.Handler, check func(*http.Request) *Problem) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := check(r); p != nil {
			p.Write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Safe tells whether a method only reads.
func Safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
