package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// minKeyBytes is what an ingest key must have at least: it is compared by its digest, so it must not be guessable.
const minKeyBytes = 16

func (rd *reader) sources(dst *[]Source) strict.Value {
	type place struct{ tenant, name string }
	taken, keys := map[place]strict.Place{}, map[[sha256.Size]byte]strict.Place{}
	return strict.List(dst, func(s *Source) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			s.Tenant = event.DefaultTenant
			strict.Mapping(
				strict.Field{Key: "name", Value: name(&s.Name), Required: true},
				strict.Field{Key: "tenant", Value: name(&s.Tenant)},
				strict.Field{Key: "kind", Value: strict.OneOf(&s.Kind, kindResender, kindSendOnce)},
				strict.Field{Key: "key_sha256", Value: digest(s)},
				strict.Field{Key: "key_file", Value: rd.keyFile(s)},
				number("rate_per_second", &s.RatePerSecond, 0, 1_000_000),
				number("burst", &s.Burst, 0, 10_000_000),
			)(r, n)
			if s.Burst == 0 {
				s.Burst = s.RatePerSecond
			}
			if (s.KeySHA256 == "") == (s.KeyFile == "") {
				r.ProblemAt(n, "key_file", "a source needs exactly one of key_file and key_sha256", "")
			}
			if s.Name == "tocsin" || s.Name == "tocsin-heartbeats" {
				r.ProblemAt(n, "name", fmt.Sprintf("%q is the name under which Tocsin speaks itself", s.Name), "choose another name")
			}
			unique(r, n, "name", "this source of the tenant", taken, place{s.Tenant, s.Name}, s.Name != "")
			unique(r, n, "key_file", "this key", keys, s.Digest, s.Digest != [sha256.Size]byte{})
		}
	})
}

// unique reports a value that stands in an earlier item of the list already.
func unique[K comparable](r *strict.Reader, n *yaml.Node, key, what string, first map[K]strict.Place, value K, set bool) {
	if !set {
		return
	}
	if at, taken := first[value]; taken {
		r.ProblemAt(n, key, fmt.Sprintf("%s is already at %s", what, at), "")
		return
	}
	first[value] = r.Place(n)
}

func digest(s *Source) strict.Value {
	return strict.Secret(func(text string) error { // it may be the key itself, pasted by mistake
		s.KeySHA256 = text
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(s.Digest) {
			return errors.New("must be the SHA-256 of the key in 64 hexadecimal digits")
		}
		copy(s.Digest[:], b)
		return nil
	})
}

func (rd *reader) keyFile(s *Source) strict.Value {
	return strict.Scalar(func(text string) error {
		s.KeyFile = rd.resolve(text)
		key, err := readSecret(s.KeyFile)
		if err != nil {
			return err
		}
		if len(key) < minKeyBytes {
			return fmt.Errorf("must name a file with a key of at least %d bytes", minKeyBytes)
		}
		s.Digest = sha256.Sum256(key)
		return nil
	})
}

// readSecret returns the content of a file without the line break that editors put at its end.
func readSecret(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("must name a file that can be read: %w", err)
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return nil, errors.New("must name a file that is not empty")
	}
	return b, nil
}
