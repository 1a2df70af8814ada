package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Token is one line of the token file: a person or a client, what it may do, and the SHA-256 of its token. Without a digest it
// says what the user of that name in the web configuration may do.
type Token struct {
	Name   string
	Role   Role
	Tenant string
	Teams  []string
	Digest [sha256.Size]byte
}

// grants returns the entry's one grant.
func (t *Token) grants() []Grant { return []Grant{{t.Role, t.Tenant, t.Teams}} }

// HasDigest tells whether there is a token; otherwise the entry maps a user of the web configuration.
func (t *Token) HasDigest() bool { return t.Digest != [sha256.Size]byte{} }

// Line returns the entry as it stands in the token file.
func (t *Token) Line() string {
	line := fmt.Sprintf("- {name: %s, role: %s, tenant: %s", t.Name, t.Role, t.Tenant)
	if len(t.Teams) > 0 {
		line += ", teams: [" + strings.Join(t.Teams, ", ") + "]"
	}
	if t.HasDigest() {
		line += ", sha256: " + hex.EncodeToString(t.Digest[:])
	}
	return line + "}"
}

const tokenPrefix = "tocsin_" // lets secret scanners recognise what leaked

// NewToken makes a 256-bit random token. The secret is shown once and never stored; the entry holds its digest only.
func NewToken(name string, role Role, tenant string) (secret string, entry Token, err error) {
	if !validName(name) || !validName(tenant) {
		return "", Token{}, errors.New("auth: name and tenant: " + nameRule)
	}
	secret, digest := NewSecret()
	return secret, Token{Name: name, Role: role, Tenant: tenant, Digest: digest}, nil
}

// NewSecret makes a 256-bit random secret and its digest.
func NewSecret() (secret string, digest [sha256.Size]byte) {
	var b [32]byte
	rand.Read(b[:]) // never fails: it ends the process instead
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, sha256.Sum256([]byte(secret))
}

// LoadTokens reads the token file at path, a YAML list of entries. What is wrong in it comes as one strict.Errors.
func LoadTokens(path string) ([]Token, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("auth: token file: %w", err)
	}
	return ParseTokens(path, text)
}

// ParseTokens is LoadTokens for a text; file names it in errors.
func ParseTokens(file string, text []byte) ([]Token, error) {
	var tokens []Token
	names, digests := map[string]bool{}, map[[sha256.Size]byte]bool{}
	problems := strict.Read(file, text, strict.List(&tokens, func(t *Token) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			t.Tenant = event.DefaultTenant
			readToken(t)(r, n)
			if t.Name != "" && names[t.Name] {
				r.ProblemAt(n, "name", "another entry has this name", "")
			}
			if t.HasDigest() && digests[t.Digest] {
				r.ProblemAt(n, "sha256", "another entry has this token", "")
			}
			names[t.Name], digests[t.Digest] = true, true
		}
	}))
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return tokens, nil
}

func readToken(t *Token) strict.Value {
	return strict.Mapping(
		strict.Field{Key: "name", Value: nameValue(&t.Name), Required: true},
		strict.Field{Key: "role", Required: true, Value: strict.Scalar(func(s string) (err error) {
			if t.Role, err = ParseRole(s); err != nil {
				return errors.New("must be one of " + strings.Join(RoleNames(), ", "))
			}
			return nil
		})},
		strict.Field{Key: "tenant", Value: nameValue(&t.Tenant)},
		strict.Field{Key: "teams", Value: strict.List(&t.Teams, nameValue)},
		strict.Field{Key: "sha256", Value: strict.Secret(func(s string) error { // the token itself, when pasted by mistake
			b, err := hex.DecodeString(s)
			if err != nil || len(b) != len(t.Digest) {
				return errors.New("must be the SHA-256 of the token in 64 hexadecimal digits")
			}
			copy(t.Digest[:], b)
			return nil
		})},
	)
}

const nameRule = "must be letters, digits, '.', '_', '@' or '-', at most 64"

var nameRE = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,64}$`)

func validName(s string) bool { return nameRE.MatchString(s) }

// ValidTenant tells whether a tenant can be called so; "*", which stands for all, is none.
func ValidTenant(name string) bool { return validName(name) }

func nameValue(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		if !validName(s) {
			return errors.New(nameRule)
		}
		*dst = s
		return nil
	})
}
