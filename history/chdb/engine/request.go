package engine

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is one question to the engine.
type request struct {
	reader   bool  // asked with the reader's credential
	memory   int64 // that the reader's may use
	only     bool  // may not write, whoever asks: GET
	query    string
	database string
	format   string // of the result where the query names none
	id       string
	params   []Param
	settings []Param

	compressed   bool // the answer in ClickHouse's blocks
	zstd         bool // and those by ZSTD
	decompress   bool // the body comes in them
	httpEncoding bool // the answer in an encoding the client accepts
	whole        bool // answer only when it is all there
	revision     uint64
}

// parse reads the parameters of the URL; memory is what a question of the reader may use.
func parse(r *http.Request, reader bool, memory int64) (*request, error) {
	q := &request{reader: reader, memory: memory, only: r.Method == http.MethodGet || r.Method == http.MethodHead, format: "TabSeparated", id: mark() + mark()}
	values, err := parameters(r)
	if err != nil {
		return nil, &Exception{Code: codeBadArguments, Name: "BAD_ARGUMENTS", Text: "the URL's parameters are broken: " + err.Error()}
	}
	if f := r.Header.Get("X-ClickHouse-Format"); f != "" {
		q.format = f
	}
	q.database = r.Header.Get("X-ClickHouse-Database")
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := q.set(name, values.Get(name)); err != nil {
			return nil, err
		}
	}
	if !formatName.MatchString(q.format) {
		return nil, &Exception{Code: codeUnknownFormat, Name: "UNKNOWN_FORMAT", Text: "there is no format " + strconv.Quote(q.format)}
	}
	return q, nil
}

// parameters reads the URL's parameters; a bare semicolon, which people end queries with, is no separator.
func parameters(r *http.Request) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B"))
}

// set takes one parameter of the URL.
func (q *request) set(name, value string) error {
	if param, ok := strings.CutPrefix(name, "param_"); ok {
		q.params = append(q.params, Param{param, value})
		return nil
	}
	switch name {
	case "query":
		q.query = value
	case "database":
		q.database = value
	case "default_format":
		q.format = value
	case "query_id":
		if idName.MatchString(value) {
			q.id = value
		}
	case "compress":
		q.compressed = truth(value)
	case "decompress":
		q.decompress = truth(value)
	case "network_compression_method":
		q.zstd = strings.EqualFold(value, "zstd")
	case "enable_http_compression":
		q.httpEncoding = truth(value)
	case "wait_end_of_query":
		q.whole = truth(value)
	case "client_protocol_version":
		q.revision, _ = strconv.ParseUint(value, 10, 32) // 0: an old client
	case "readonly":
		q.only = q.only || truth(value)
	case "session_id":
		return &Exception{Code: codeNotImplemented, Name: "NOT_IMPLEMENTED", Text: "the embedded engine keeps no sessions: leave session_id out"}
	case "user", "password", "quota_key", "role", "stacktrace", "close_session", "session_timeout", "session_check", "add_http_cors_header",
		"buffer_size", "http_response_buffer_size", "network_zstd_compression_level", "http_zlib_compression_level",
		"send_progress_in_http_headers", "http_headers_progress_interval_ms", "http_write_exception_in_output_format",
		"async_insert", "wait_for_async_insert", "wait_for_async_insert_timeout", "log_comment", "log_queries", "cancel_http_readonly_queries_on_client_close":
		// Read elsewhere, or without a meaning here: inserts are synchronous, which is the stronger promise.
	default:
		return q.setting(name, value)
	}
	return nil
}

func truth(s string) bool { return s == "1" || strings.EqualFold(s, "true") || s == "2" }
