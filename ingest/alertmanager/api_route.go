package alertmanager

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

const (
	apiPrefix     = "/api/v2"
	silencePrefix = "/silence/"
	jsonType      = "application/json"
)

// route is what one path can do.
type route map[string]http.Handler // by method

// router answers like go-swagger's: path, then method, then content type, then Accept, each with its own words.
func (a *API) router() http.Handler {
	routes := map[string]route{
		"/status":        {http.MethodGet: read(a.getStatus)},
		"/receivers":     {http.MethodGet: read(a.getReceivers)},
		"/silences":      {http.MethodGet: read(a.getSilences), http.MethodPost: act(a.postSilence)},
		"/silence/":      {http.MethodDelete: act(a.deleteSilence), http.MethodGet: read(a.getSilence)},
		"/alerts":        {http.MethodGet: read(a.getAlerts), http.MethodPost: http.HandlerFunc(a.postAlerts)},
		"/alerts/groups": {http.MethodGet: read(a.getGroups)},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		path := strings.TrimPrefix(r.URL.Path, apiPrefix)
		if len(path) > 1 {
			path = strings.TrimSuffix(path, "/")
		}
		if id, ok := strings.CutPrefix(path, silencePrefix); ok && id != "" && !strings.Contains(id, "/") {
			r.SetPathValue("silenceID", id)
			path = silencePrefix
		} else if path == silencePrefix {
			path = ""
		}
		found, ok := routes[path]
		if !ok {
			answerFault(w, http.StatusNotFound, http.StatusNotFound, fmt.Sprintf("path %s was not found", r.URL.Path))
			return
		}
		found.serve(w, r)
	})
}

func (rt route) serve(w http.ResponseWriter, r *http.Request) {
	h, ok := rt[r.Method]
	if !ok {
		rt.methodNotAllowed(w, r)
		return
	}
	if status, message := checkMedia(r); status != 0 {
		answerFault(w, status, status, message)
		return
	}
	h.ServeHTTP(w, r)
}

func (rt route) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for m := range rt {
		allowed = append(allowed, m)
	}
	slices.Sort(allowed)
	list := strings.Join(allowed, ",")
	w.Header().Set("Allow", list)
	answerFault(w, http.StatusMethodNotAllowed, http.StatusMethodNotAllowed, fmt.Sprintf("method %s is not allowed, but [%s] are", r.Method, list))
}

// checkMedia returns the status for a request whose body is not JSON or that does not accept JSON, 0 when all is well. A body
// that the client wants back in its own type is taken as it is: what it is answered has no body.
func checkMedia(r *http.Request) (status int, message string) {
	if r.ContentLength != 0 {
		given := r.Header.Get("Content-Type")
		if given == jsonType {
			return 0, ""
		}
		media, _, err := mime.ParseMediaType(given)
		switch {
		case given == "":
			media = "application/octet-stream"
		case err != nil:
			return http.StatusBadRequest, fmt.Sprintf("parsing Content-Type header from %q failed, because %v", given, err)
		}
		if media != jsonType {
			return http.StatusUnsupportedMediaType, fmt.Sprintf("unsupported media type %q, only [%s] are allowed", media, jsonType)
		}
		return 0, ""
	}
	if !acceptsJSON(r.Header.Values("Accept")) {
		return http.StatusNotAcceptable, fmt.Sprintf("unsupported media type requested, only [%s] are available", jsonType)
	}
	return 0, ""
}

// acceptsJSON tells whether Accept headers, if any, leave room for JSON.
func acceptsJSON(headers []string) bool {
	if len(headers) == 0 {
		return true
	}
	for _, h := range headers {
		for item := range strings.SplitSeq(h, ",") {
			media, params, _ := mime.ParseMediaType(strings.TrimSpace(item))
			if params["q"] == "0" || params["q"] == "0.0" {
				continue
			}
			if media == jsonType || media == "application/*" || media == "*/*" {
				return true
			}
		}
	}
	return false
}

func read(h http.HandlerFunc) http.Handler { return auth.Require(auth.Viewer, h) }

func act(h http.HandlerFunc) http.Handler { return auth.Require(auth.Responder, h) }
