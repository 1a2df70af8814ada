// Package people is the table of persons: who they are, how they are reached, what they may do. The journal knows a person by an
// opaque id only; names and addresses stand here, and `tocsin forget` empties them.
//
// A Store keeps everything in memory and every change in one bbolt file before it is seen. Its methods may be called from any
// goroutine. It decides nothing about requests: package auth does.
package people

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
)

// What callers decide on.
var (
	ErrUnknown = errors.New("people: there is nobody of that name")
	ErrTaken   = errors.New("people: somebody has that login")
	ErrInvalid = errors.New("people: invalid")
)

// maxPeople bounds the table.
const maxPeople = 100_000

// Person is one person, or a name that appeared as somebody who acts.
type Person struct {
	ID        string            `json:"id"` // u- and 10 letters and digits: all that the journal holds
	Login     string            `json:"login"`
	Name      string            `json:"name,omitempty"`
	Addresses map[string]string `json:"addresses,omitempty"` // by kind, as in "email"
	Zone      string            `json:"zone,omitempty"`      // IANA name
	Grants    []auth.Grant      `json:"grants,omitempty"`
	Tokens    []Token           `json:"tokens,omitempty"`
	Listed    bool              `json:"listed"` // made by somebody; false: only seen acting
	Disabled  bool              `json:"disabled,omitempty"`
	Forgotten bool              `json:"forgotten,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
}

// Token is a secret of a person, of which only the digest is kept.
type Token struct {
	Name    string            `json:"name"`
	Digest  [sha256.Size]byte `json:"digest"`
	Expires time.Time         `json:"expires,omitzero"`
	Made    time.Time         `json:"made"`
}

// Store is the table.
type Store struct {
	path string
	now  func() time.Time

	mu      sync.RWMutex
	db      *bbolt.DB
	byID    map[string]*Person // entries are replaced, never written
	byLogin map[string]*Person
	tokens  map[[sha256.Size]byte]*Person
}

const bucket = "people"

// Open opens the table, which is made when it is not there.
func Open(path string) (*Store, error) {
	s := &Store{path: path, now: time.Now, byID: map[string]*Person{}, byLogin: map[string]*Person{}, tokens: map[[sha256.Size]byte]*Person{}}
	if err := s.open(); err != nil {
		return nil, err
	}
	err := s.db.View(func(t *bbolt.Tx) error {
		return t.Bucket([]byte(bucket)).ForEach(func(_, text []byte) error {
			p := &Person{}
			if err := json.Unmarshal(text, p); err != nil {
				return err
			}
			s.index(p)
			return nil
		})
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("people: %w", err), s.db.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	db, err := bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("people: %s: %w", s.path, err)
	}
	if err := db.Update(func(t *bbolt.Tx) error {
		_, err := t.CreateBucketIfNotExists([]byte(bucket))
		return err
	}); err != nil {
		return errors.Join(fmt.Errorf("people: %w", err), db.Close())
	}
	s.db = db
	return nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) index(p *Person) {
	s.byID[p.ID] = p
	if p.Login != "" {
		s.byLogin[p.Login] = p
	}
	for i := range p.Tokens {
		s.tokens[p.Tokens[i].Digest] = p
	}
}

// put stores p and then shows it. The caller holds the lock.
func (s *Store) putLocked(p *Person) error {
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if err := s.db.Update(func(t *bbolt.Tx) error { return t.Bucket([]byte(bucket)).Put([]byte(p.ID), text) }); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if old := s.byID[p.ID]; old != nil {
		delete(s.byLogin, old.Login)
		for i := range old.Tokens {
			delete(s.tokens, old.Tokens[i].Digest)
		}
	}
	s.index(p)
	return nil
}

var loginRE = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

// check tells what is wrong with a person.
func (p *Person) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
	if !loginRE.MatchString(p.Login) || strings.HasPrefix(p.Login, "u-") {
		return wrong("login %q: must be letters, digits, '.', '_', '@' or '-', at most 64, and not begin with u-", p.Login)
	}
	if len(p.Name) > 200 {
		return wrong("the name is longer than 200 bytes")
	}
	for kind, address := range p.Addresses {
		if len(kind) > 20 || len(address) > 254 || strings.ContainsAny(address, "\r\n,;<>") {
			return wrong("%s address %q", kind, address)
		}
		if kind == "email" && !strings.Contains(address, "@") {
			return wrong("e-mail address %q", address)
		}
	}
	if _, _, err := zoneinfo.Load(p.Zone); err != nil {
		return wrong("%v", err)
	}
	for _, g := range p.Grants {
		if g.Role == 0 || g.Tenant == "" {
			return wrong("a grant needs a role and a tenant")
		}
	}
	return nil
}

// Create adds a person. A name that was only seen acting becomes that person.
func (s *Store) Create(p Person) (Person, error) {
	if err := p.check(); err != nil {
		return Person{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byLogin[p.Login]
	switch {
	case known != nil && known.Listed:
		return Person{}, fmt.Errorf("%w: %s", ErrTaken, p.Login)
	case known != nil:
		p.ID, p.CreatedAt = known.ID, known.CreatedAt
	case len(s.byID) >= maxPeople:
		return Person{}, fmt.Errorf("%w: there are %d people, the most there can be", ErrInvalid, maxPeople)
	default:
		p.ID, p.CreatedAt = newID(), s.now().UTC()
	}
	p.Listed, p.Tokens, p.Forgotten = true, nil, false
	return p, s.putLocked(&p)
}

func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails: it ends the process instead
	return "u-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))[:10]
}

// Update changes a person by edit. Login, id and tokens stay.
func (s *Store) Update(login string, edit func(*Person)) (Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.byLogin[login]
	if old == nil || !old.Listed {
		return Person{}, fmt.Errorf("%w: %s", ErrUnknown, login)
	}
	p := *old
	p.Addresses = map[string]string{}
	maps.Copy(p.Addresses, old.Addresses)
	p.Grants = slices.Clone(old.Grants)
	edit(&p)
	p.ID, p.Login, p.Tokens, p.Listed = old.ID, old.Login, old.Tokens, true
	if err := p.check(); err != nil {
		return Person{}, err
	}
	return p, s.putLocked(&p)
}

// Forget takes everything but the opaque id from a person, and the bytes of it from the file.
func (s *Store) Forget(login string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.byLogin[login]
	if old == nil {
		return "", fmt.Errorf("%w: %s", ErrUnknown, login)
	}
	if err := s.putLocked(&Person{ID: old.ID, Forgotten: true, Disabled: true, CreatedAt: old.CreatedAt}); err != nil {
		return "", err
	}
	return old.ID, s.compactLocked()
}

// compactLocked writes the file anew: pages that bbolt has freed still hold what was in them.
func (s *Store) compactLocked() error {
	fresh := s.path + ".compact"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("people: %w", err)
	}
	to, err := bbolt.Open(fresh, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if err := errors.Join(bbolt.Compact(to, s.db, 0), to.Close()); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("people: %w", err)
	}
	return errors.Join(os.Rename(fresh, s.path), s.open())
}

// NewToken makes a token of a person; the secret is shown once and never kept.
func (s *Store) NewToken(login, name string, expires time.Time) (secret string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.byLogin[login]
	switch {
	case old == nil || !old.Listed:
		return "", fmt.Errorf("%w: %s", ErrUnknown, login)
	case !loginRE.MatchString(name):
		return "", fmt.Errorf("%w: token's name %q", ErrInvalid, name)
	case slices.ContainsFunc(old.Tokens, func(t Token) bool { return t.Name == name }):
		return "", fmt.Errorf("%w: token %s of %s", ErrTaken, name, login)
	case len(old.Tokens) >= 100:
		return "", fmt.Errorf("%w: %s has 100 tokens, the most there can be", ErrInvalid, login)
	}
	secret, digest := auth.NewSecret()
	p := *old
	p.Tokens = append(slices.Clone(old.Tokens), Token{Name: name, Digest: digest, Expires: expires, Made: s.now().UTC()})
	return secret, s.putLocked(&p)
}

// RevokeToken takes a token away.
func (s *Store) RevokeToken(login, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.byLogin[login]
	if old == nil || !slices.ContainsFunc(old.Tokens, func(t Token) bool { return t.Name == name }) {
		return fmt.Errorf("%w: token %s of %s", ErrUnknown, name, login)
	}
	p := *old
	p.Tokens = slices.DeleteFunc(slices.Clone(old.Tokens), func(t Token) bool { return t.Name == name })
	return s.putLocked(&p)
}

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

// Actor returns the opaque id for a name that acts or is assigned, which is given one when it has none yet. An id stays as it
// is.
func (s *Store) Actor(name string) (string, error) {
	s.mu.RLock()
	p, isID := s.byLogin[name], s.byID[name] != nil
	s.mu.RUnlock()
	switch {
	case p != nil:
		return p.ID, nil
	case isID || name == "":
		return name, nil
	case !loginRE.MatchString(name):
		return "", fmt.Errorf("%w: name %q", ErrInvalid, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.byLogin[name]; p != nil {
		return p.ID, nil
	}
	if len(s.byID) >= maxPeople {
		return "", fmt.Errorf("%w: there are %d people, the most there can be", ErrInvalid, maxPeople)
	}
	seen := &Person{ID: newID(), Login: name, CreatedAt: s.now().UTC()}
	return seen.ID, s.putLocked(seen)
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
		if !p.Disabled && slices.ContainsFunc(p.Grants, func(g auth.Grant) bool { return g.Role == auth.Admin && g.Tenant == event.DefaultTenant }) {
			return true
		}
	}
	return false
}
