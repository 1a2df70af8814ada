// Package people is the table of persons: who they are, how they are reached, what they may do. The journal knows a person by an
// opaque id only; names and addresses stand here, and `tocsin user forget` empties them.
//
// A Store keeps everything in memory and every change in one bbolt file before it is seen. Its methods may be called from any
// goroutine; those that only read never wait for the disk. It decides nothing about requests: package auth does.
package people

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
)

// What callers decide on.
var (
	ErrUnknown = errors.New("people: there is nobody of that name")
	ErrTaken   = errors.New("people: somebody has that login")
	ErrNoToken = errors.New("people: there is no token of that name")
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

var loginRE = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

const (
	loginRule = "must be letters, digits, '.', '_', '@' or '-', at most 64"
	maxName   = 200 // bytes
)

// mistake is a failure in words of its own; errors.Is knows its kind.
type mistake struct {
	kind error
	text string
}

func (e *mistake) Error() string { return "people: " + e.text }

func (e *mistake) Unwrap() error { return e.kind }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// check tells what is wrong with a person.
func (p *Person) check() error {
	if !loginRE.MatchString(p.Login) || strings.HasPrefix(p.Login, "u-") {
		return invalid("login %q: %s, and not begin with u-", p.Login, loginRule)
	}
	if p.Login == "anonymous" {
		return invalid("login %q: that is who nobody proved to be", p.Login)
	}
	if p.Name != "" && !nameable(p.Name) {
		return invalid("the name must be at most %d bytes of text", maxName)
	}
	for kind, address := range p.Addresses {
		if err := checkAddress(kind, address); err != nil {
			return err
		}
	}
	if _, _, err := zoneinfo.Load(p.Zone); err != nil {
		return invalid("%v", err)
	}
	for _, g := range p.Grants {
		if err := checkGrant(g); err != nil {
			return err
		}
	}
	return nil
}

func checkAddress(kind, address string) error {
	if len(kind) > 20 || len(address) > 254 || strings.ContainsAny(address, "\r\n,;<>") {
		return invalid("%s address %q: must be one address, at most 254 bytes, without line breaks, commas, semicolons and angle brackets", kind, address)
	}
	if kind != "email" {
		return nil
	}
	if at, err := mail.ParseAddress(address); err != nil || at.Address != address {
		return invalid("e-mail address %q: must be one as in ann@example.org", address)
	}
	return nil
}

// checkGrant refuses, among others, the tenant "*": no grant acts in all tenants at once.
func checkGrant(g auth.Grant) error {
	if g.Role == 0 || !auth.ValidTenant(g.Tenant) {
		return invalid("a grant needs a role and a tenant; a tenant's name %s (got %q)", loginRule, g.Tenant)
	}
	for _, team := range g.Teams {
		if !nameable(team) {
			return invalid("team %q", team)
		}
	}
	return nil
}

// nameable tells whether people can be known by a text.
func nameable(name string) bool {
	return len(name) <= maxName && strings.TrimSpace(name) != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails: it ends the process instead
	return "u-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))[:10]
}
