package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/people"
)

// Grant is a role in a tenant.
type Grant struct {
	Role   string   `json:"role" enum:"provider,viewer,responder,manager,admin"`
	Tenant string   `json:"tenant,omitempty" maxLength:"64" default:"main"`
	Teams  []string `json:"teams,omitempty" maxItems:"100" doc:"whose incidents may be acted on; none: all"`
}

// User is a person.
type User struct {
	ID        string      `json:"id" doc:"opaque: all that the journal knows of the person"`
	Login     string      `json:"login"`
	Name      string      `json:"name"`
	Email     string      `json:"email"`
	Phone     string      `json:"phone"`
	Zone      string      `json:"zone" doc:"IANA name; empty: UTC"`
	Grants    []Grant     `json:"grants"`
	Tokens    []UserToken `json:"tokens"`
	Disabled  bool        `json:"disabled"`
	CreatedAt time.Time   `json:"created_at"`
}

// UserToken is a token of a person; its secret is not kept.
type UserToken struct {
	Name      string     `json:"name"`
	MadeAt    time.Time  `json:"made_at"`
	ExpiresAt *time.Time `json:"expires_at" doc:"null: never"`
}

// UserList holds every person, by login.
type UserList struct {
	Users []User `json:"users"`
}

// UserDraft is what a person is made of, or changed by: what is left out stays.
type UserDraft struct {
	Name     *string  `json:"name,omitempty" maxLength:"200"`
	Email    *string  `json:"email,omitempty" maxLength:"254"`
	Phone    *string  `json:"phone,omitempty" maxLength:"40"`
	Zone     *string  `json:"zone,omitempty" maxLength:"64"`
	Grants   *[]Grant `json:"grants,omitempty" maxItems:"100"`
	Disabled *bool    `json:"disabled,omitempty" doc:"a disabled person's tokens are refused"`
}

// Me is who asks.
type Me struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Role   string   `json:"role" doc:"in the tenant of this request"`
	Tenant string   `json:"tenant" doc:"of this request; *: all, to look at"`
	Teams  []string `json:"teams" doc:"whose incidents may be acted on; none: all"`
	Grants []Grant  `json:"grants"`
}

func grants(in []auth.Grant) []Grant {
	out := make([]Grant, len(in))
	for i, g := range in {
		out[i] = Grant{g.Role.String(), g.Tenant, g.Teams}
	}
	return out
}

func user(p *people.Person) User {
	out := User{
		ID: p.ID, Login: p.Login, Name: p.Name, Email: p.Addresses["email"], Phone: p.Addresses["phone"], Zone: p.Zone, Grants: grants(p.Grants),
		Tokens: []UserToken{}, Disabled: p.Disabled, CreatedAt: p.CreatedAt,
	}
	for _, t := range p.Tokens {
		shown := UserToken{Name: t.Name, MadeAt: t.Made}
		if !t.Expires.IsZero() {
			shown.ExpiresAt = &t.Expires
		}
		out.Tokens = append(out.Tokens, shown)
	}
	return out
}

// apply changes a person by what the draft gives.
func (d *UserDraft) apply(p *people.Person) error {
	if p.Addresses == nil {
		p.Addresses = map[string]string{}
	}
	for kind, address := range map[string]*string{"email": d.Email, "phone": d.Phone} {
		switch {
		case address == nil:
		case *address == "":
			delete(p.Addresses, kind)
		default:
			p.Addresses[kind] = *address
		}
	}
	for dst, text := range map[*string]*string{&p.Name: d.Name, &p.Zone: d.Zone} {
		if text != nil {
			*dst = strings.TrimSpace(*text)
		}
	}
	if d.Disabled != nil {
		p.Disabled = *d.Disabled
	}
	if d.Grants == nil {
		return nil
	}
	p.Grants = nil
	for _, g := range *d.Grants {
		role, err := auth.ParseRole(g.Role)
		if err != nil {
			return err
		}
		p.Grants = append(p.Grants, auth.Grant{Role: role, Tenant: cmp.Or(g.Tenant, event.DefaultTenant), Teams: g.Teams})
	}
	return nil
}

// UserPath names a person.
type UserPath struct {
	Login string `path:"login" maxLength:"200" example:"ann"`
}

// TokenPath names a person's token.
type TokenPath struct {
	UserPath
	Name string `path:"name" maxLength:"64"`
}

func (s *server) peopleRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/me", role: auth.Viewer, tag: "people", summary: "Show who asks, and what they may do"},
		func(ctx context.Context, _ *struct{}) (*Me, error) {
			p := auth.FromContext(ctx)
			return &Me{p.ID, p.Known(), p.Role.String(), p.Tenant, append([]string{}, p.Teams...), grants(p.Grants)}, nil
		})
	if s.People == nil {
		return
	}
	add(sp, route{method: "GET", path: "/users", role: auth.Admin, tag: "people", summary: "List people"},
		ofHouse(func(_ context.Context, _ *struct{}) (*UserList, error) {
			out := &UserList{Users: []User{}}
			for _, p := range s.People.List() {
				out.Users = append(out.Users, user(&p))
			}
			return out, nil
		}))
	add(sp, route{method: "POST", path: "/users", role: auth.Admin, tag: "people", summary: "Add a person", status: http.StatusCreated}, ofHouse(s.addUser))
	add(sp, route{method: "GET", path: "/users/{login}", role: auth.Admin, tag: "people", summary: "Show a person"},
		ofHouse(func(_ context.Context, in *UserPath) (*User, error) {
			p, ok := s.People.ByLogin(in.Login)
			if !ok {
				return nil, notFound("user " + in.Login)
			}
			return new(user(&p)), nil
		}))
	add(sp, route{method: "PATCH", path: "/users/{login}", role: auth.Admin, tag: "people", summary: "Change a person"},
		ofHouse(func(_ context.Context, in *struct {
			UserPath
			Force
			Body UserDraft
		}) (*User, error) {
			p, err := s.People.Update(in.Login, func(p *people.Person) error {
				only := s.onlyAdmin(in.Login, "")
				if err := in.Body.apply(p); err != nil || p.MayAdmin() || !only || in.Force.Force {
					return err
				}
				return s.lastAdmin(in.Login)
			})
			if err != nil {
				return nil, peopleProblem(err)
			}
			return new(user(&p)), nil
		}))
	s.secretRoutes(sp)
}

func (s *server) addUser(_ context.Context, in *struct {
	Body struct {
		UserDraft
		Login string `json:"login" minLength:"1" maxLength:"64"`
	}
}) (*User, error) {
	p := people.Person{Login: in.Body.Login}
	if err := in.Body.apply(&p); err != nil {
		return nil, peopleProblem(err)
	}
	p, err := s.People.Create(p)
	if err != nil {
		return nil, peopleProblem(err)
	}
	return new(user(&p)), nil
}

// secretRoutes are those that make, end and forget.
func (s *server) secretRoutes(sp *spec) {
	type secret struct {
		Token string `json:"token" doc:"shown once, kept nowhere"`
	}
	add(sp, route{method: "POST", path: "/users/{login}/tokens", role: auth.Admin, tag: "people", summary: "Make a token of a person", status: http.StatusCreated},
		ofHouse(func(_ context.Context, in *struct {
			UserPath
			Body struct {
				Name     string `json:"name" minLength:"1" maxLength:"64"`
				Duration string `json:"duration,omitempty" example:"90d" doc:"after which it is refused; without it: never"`
			}
		}) (*secret, error) {
			var expires time.Time
			if in.Body.Duration != "" {
				d, err := parseSpan(in.Body.Duration)
				if err != nil || d <= 0 {
					return nil, invalid("duration: must be a time such as 12h or 90d", "leave it out for a token that never expires")
				}
				expires = time.Now().Add(d).UTC()
			}
			token, err := s.People.NewToken(in.Login, in.Body.Name, expires)
			return &secret{token}, peopleProblem(err)
		}))
	huma.Register(sp.api, sp.operation(route{method: "DELETE", path: "/users/{login}/tokens/{name}", role: auth.Admin, tag: "people", summary: "Take a token away", status: http.StatusNoContent}),
		ofHouse(func(_ context.Context, in *struct {
			TokenPath
			Force
		}) (*struct{}, error) {
			if !in.Force.Force && s.onlyAdmin(in.Login, in.Name) {
				return nil, s.lastAdmin(in.Login)
			}
			if err := peopleProblem(s.People.RevokeToken(in.Login, in.Name)); err != nil {
				return nil, failure(err)
			}
			return nil, nil
		}))
	add(sp, route{method: "POST", path: "/users/{login}/forget", role: auth.Admin, tag: "people", summary: "Forget a person: names, addresses, tokens and grants go, the opaque id stays"},
		ofHouse(func(ctx context.Context, in *struct {
			UserPath
			Force
		}) (*made, error) {
			if !in.Force.Force && s.onlyAdmin(in.Login, "") {
				return nil, s.lastAdmin(in.Login)
			}
			id, err := s.forget(ctx, in.Login)
			return &made{id}, err
		}))
}

// Force is asked for by what would leave nobody in charge.
type Force struct {
	Force bool `query:"force" doc:"also when nobody else can prove to be an admin of main"`
}

// onlyAdmin tells whether nobody could prove to be an admin of the first tenant without a person, or without one of their tokens.
func (s *server) onlyAdmin(login, token string) bool {
	return !s.Guard.AdminElsewhere() && s.People.OnlyAdmin(login, token)
}

// lastAdmin says what would follow.
func (s *server) lastAdmin(login string) *auth.Problem {
	follows := "then nobody is admin until the token file names one"
	if s.Guard.TrustsLoopback() {
		follows = "then everybody who connects directly from the daemon's own machine is admin, and people elsewhere have none"
	}
	return &auth.Problem{
		Status: http.StatusConflict, Code: "conflict", Detail: login + " is the last who can prove to be an admin of main: " + follows,
		Hint: "make somebody else admin first, with a token; or do it all the same with --force (force=true)",
	}
}

// ofHouse lets only people of the first tenant at what is one for all tenants, as the table of people is.
func ofHouse[I, O any](do func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		if p := auth.CheckHouse(ctx); p != nil {
			return nil, p
		}
		return do(ctx, in)
	}
}

func peopleProblem(err error) error {
	if err == nil {
		return nil
	}
	detail := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "people: "), "auth: ")
	switch {
	case errors.Is(err, people.ErrUnknown):
		return &auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: detail, Hint: "`tocsin user list` shows who there is"}
	case errors.Is(err, people.ErrNoToken):
		return &auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: detail, Hint: "`tocsin user show` lists a person's tokens"}
	case errors.Is(err, people.ErrTaken):
		return &auth.Problem{Status: http.StatusConflict, Code: "conflict", Detail: detail}
	case errors.Is(err, people.ErrInvalid):
		return invalid(strings.TrimPrefix(detail, "invalid: "), "")
	}
	return err
}
