package people

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// maxTokens bounds the tokens of one person.
const maxTokens = 100

// Create adds a person. A name that was only seen acting becomes that person. It fails with ErrTaken or ErrInvalid.
func (s *Store) Create(p Person) (Person, error) {
	if err := p.check(); err != nil {
		return Person{}, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if known := s.byLogin[p.Login]; known != nil {
		if known.Listed {
			return Person{}, fmt.Errorf("%w: %s", ErrTaken, p.Login)
		}
		p.ID, p.CreatedAt = known.ID, known.CreatedAt
	} else {
		if err := s.roomLocked(); err != nil {
			return Person{}, err
		}
		p.ID, p.CreatedAt = newID(), s.now().UTC()
	}
	p.Listed, p.Tokens, p.Forgotten = true, nil, false
	return p, s.putLocked(&p)
}

func (s *Store) roomLocked() error {
	if len(s.byID) >= maxPeople {
		return invalid("there are %d people, the most there can be", maxPeople)
	}
	return nil
}

// Update changes a person by edit. Login, id and tokens stay. It fails with ErrUnknown, ErrInvalid, or what edit returns.
func (s *Store) Update(login string, edit func(*Person) error) (Person, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.byLogin[login]
	if old == nil || !old.Listed {
		return Person{}, fmt.Errorf("%w: %s", ErrUnknown, login)
	}
	p := *old
	p.Addresses = map[string]string{}
	maps.Copy(p.Addresses, old.Addresses)
	p.Grants = slices.Clone(old.Grants)
	if err := edit(&p); err != nil {
		return Person{}, err
	}
	p.ID, p.Login, p.Tokens, p.Listed = old.ID, old.Login, old.Tokens, true
	if err := p.check(); err != nil {
		return Person{}, err
	}
	return p, s.putLocked(&p)
}

// Forget takes everything but the opaque id from a person, and the bytes of it from the file. It fails with ErrUnknown.
func (s *Store) Forget(login string) (id string, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.byLogin[login]
	if old == nil {
		return "", fmt.Errorf("%w: %s", ErrUnknown, login)
	}
	return old.ID, s.rewriteLocked(&Person{ID: old.ID, Forgotten: true, Disabled: true, CreatedAt: old.CreatedAt})
}

// NewToken makes a token of a person; the secret is shown once and never kept. A zero expires means never. It fails with ErrUnknown,
// ErrTaken or ErrInvalid.
func (s *Store) NewToken(login, name string, expires time.Time) (secret string, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.byLogin[login]
	switch {
	case old == nil || !old.Listed:
		return "", fmt.Errorf("%w: %s", ErrUnknown, login)
	case !loginRE.MatchString(name):
		return "", invalid("the token's name %q: %s", name, loginRule)
	case slices.ContainsFunc(old.Tokens, func(t Token) bool { return t.Name == name }):
		return "", &mistake{ErrTaken, fmt.Sprintf("%s has a token %q already", login, name)}
	case len(old.Tokens) >= maxTokens:
		return "", invalid("%s has %d tokens, the most there can be", login, maxTokens)
	}
	secret, digest := auth.NewSecret()
	p := *old
	p.Tokens = append(slices.Clone(old.Tokens), Token{Name: name, Digest: digest, Expires: expires, Made: s.now().UTC()})
	return secret, s.putLocked(&p)
}

// RevokeToken takes a token away. It fails with ErrUnknown.
func (s *Store) RevokeToken(login, name string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.byLogin[login]
	switch {
	case old == nil:
		return fmt.Errorf("%w: %s", ErrUnknown, login)
	case !slices.ContainsFunc(old.Tokens, func(t Token) bool { return t.Name == name }):
		return &mistake{ErrNoToken, fmt.Sprintf("%s has no token %q", login, name)}
	}
	p := *old
	p.Tokens = slices.DeleteFunc(slices.Clone(old.Tokens), func(t Token) bool { return t.Name == name })
	return s.putLocked(&p)
}

// Actor returns the opaque id for a name that acts or is assigned, which is given one when it has none yet. An id stays as it
// is. It fails with ErrInvalid on what nobody can be called, and when the table is full.
func (s *Store) Actor(name string) (string, error) {
	if id, ok := s.Known(name); ok || name == "" {
		return id, nil
	}
	if !nameable(name) {
		return "", invalid("name %q", name)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if p := s.byLogin[name]; p != nil {
		return p.ID, nil
	}
	if err := s.roomLocked(); err != nil {
		return "", err
	}
	seen := &Person{ID: newID(), Login: name, CreatedAt: s.now().UTC()}
	return seen.ID, s.putLocked(seen)
}
