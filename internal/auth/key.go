package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

const ingestPrefix = "/ingest/"

// byPath takes the ingest key out of /ingest/{key}/rest and returns the request for /rest with the key's source.
func (c *Credentials) byPath(r *http.Request, keyAndRest string) (*http.Request, *Problem) {
	key, rest, ok := strings.Cut(keyAndRest, "/")
	if !ok || key == "" {
		return r, &Problem{
			Status: http.StatusNotFound, Code: "not_found", Detail: "there is nothing here",
			Hint: "senders use /ingest/KEY/ in front of the path, as in /ingest/KEY/api/v2/alerts",
		}
	}
	s, found := c.byKey("", key)
	if !found {
		return r, badCredentials("the ingest key is not known")
	}
	out := r.WithContext(NewSourceContext(r.Context(), s))
	out.URL = &url.URL{Path: "/" + strings.TrimLeft(rest, "/"), RawQuery: r.URL.RawQuery} // senders join URLs with two slashes
	if p := checkContentType(out); p != nil {
		return r, p
	}
	return out, nil
}

// byKey returns the source with that key, and with that name where one is given.
func (c *Credentials) byKey(name, key string) (s Source, found bool) {
	digest := sha256.Sum256([]byte(key))
	for i := range c.Keys {
		k := &c.Keys[i]
		if subtle.ConstantTimeCompare(k.Digest[:], digest[:]) == 1 && (name == "" || name == k.Name) {
			s, found = k.Source, true
		}
	}
	return s, found
}

// SafePath returns the request's path for logs and problems: an ingest key in it is not shown, wherever a route prefix puts it.
func SafePath(r *http.Request) string {
	before, keyAndRest, ok := strings.Cut(r.URL.Path, ingestPrefix)
	if !ok {
		return r.URL.Path
	}
	_, rest, _ := strings.Cut(keyAndRest, "/")
	return before + ingestPrefix + "…/" + rest
}
