package people

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// List returns the persons that somebody made, by login.
func (s *Store) List() []Person {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Person
	for _, p := range s.byLogin {
		if p.Listed {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Person) int { return strings.Compare(a.Login, b.Login) })
	return out
}

// ByLogin returns a person that somebody made.
func (s *Store) ByLogin(login string) (Person, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.byLogin[login]
	if p == nil || !p.Listed {
		return Person{}, false
	}
	return *p, true
}

// Login returns the login behind an id; the text itself when it is no id that is known.
func (s *Store) Login(id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.byID[id]; p != nil {
		return cmp.Or(p.Login, id)
	}
	return id
}

// Name returns how people know the person behind an id; the text itself when it is no id that is known.
func (s *Store) Name(id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.byID[id]
	switch {
	case p == nil:
		return id
	case p.Forgotten:
		return "former user " + id
	}
	return cmp.Or(p.Name, p.Login)
}

// Known returns the opaque id of a name or an id that is in the table.
func (s *Store) Known(name string) (id string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.byLogin[name]; p != nil {
		return p.ID, true
	}
	_, ok = s.byID[name]
	if !ok {
		return "", false
	}
	return name, true
}

// Find is Known, and knows a listed person also by the name that nobody else has.
func (s *Store) Find(name string) (id string, ok bool) {
	if id, ok = s.Known(name); ok {
		return id, true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.byLogin { // in no order: two are one too many
		if !p.Listed || p.Name == "" || p.Name != name {
			continue
		}
		if id != "" {
			return "", false
		}
		id = p.ID
	}
	return id, id != ""
}

// Stranger tells whether somebody made this person, and granted them nothing in the tenant.
func (s *Store) Stranger(id, tenant string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.byID[id]
	if p == nil || !p.Listed || len(p.Grants) == 0 {
		return p != nil && p.Listed && tenant != event.DefaultTenant
	}
	return !slices.ContainsFunc(p.Grants, func(g auth.Grant) bool { return g.Tenant == tenant || g.Role == auth.Provider })
}

// Grants returns what a person that somebody made may do; nothing when disabled. It is package auth's Directory.
func (s *Store) Grants(login string) (grants []auth.Grant, listed bool) {
	p, ok := s.ByLogin(login)
	if p.Disabled {
		return nil, true
	}
	return p.Grants, ok
}

// ByToken returns who a token belongs to, as a principal without an effective tenant. It is package auth's Directory.
func (s *Store) ByToken(digest [sha256.Size]byte) (auth.Principal, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.tokens[digest]
	if p == nil || p.Disabled {
		return auth.Principal{}, false
	}
	for i := range p.Tokens {
		if t := &p.Tokens[i]; t.Digest == digest && (t.Expires.IsZero() || s.now().Before(t.Expires)) {
			return auth.Principal{ID: p.ID, Name: p.Login, Grants: p.Grants}, true
		}
	}
	return auth.Principal{}, false
}

// HasAdmin tells whether an admin of the first tenant can prove who they are by a token of this table. Until then nobody could
// manage the daemon but who reaches it from its own machine.
func (s *Store) HasAdmin() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.tokens { // in no order: any will do
		if p.MayAdmin() {
			return true
		}
	}
	return false
}

// OnlyAdmin tells whether nobody could prove to be an admin of the first tenant by a token of this table any more without a person, or
// where token is not empty, without that token of theirs.
func (s *Store) OnlyAdmin(login, token string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := false
	for _, p := range s.byLogin {
		if !p.MayAdmin() {
			continue
		}
		for i := range p.Tokens {
			t := &p.Tokens[i]
			if !t.Expires.IsZero() && !s.now().Before(t.Expires) {
				continue
			}
			if p.Login != login || token != "" && t.Name != token {
				return false
			}
			found = true
		}
	}
	return found
}

func adminOfHouse(grants []auth.Grant) bool {
	return slices.ContainsFunc(grants, func(g auth.Grant) bool { return g.Role == auth.Admin && g.Tenant == event.DefaultTenant })
}

// MayAdmin tells whether a person is an admin of the first tenant who may act.
func (p *Person) MayAdmin() bool { return !p.Disabled && adminOfHouse(p.Grants) }
