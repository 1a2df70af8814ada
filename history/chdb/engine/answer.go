package engine

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/chdb/native"
)

// How much of an answer is held back before its head goes out: a failure in it still gets its status.
const (
	heldBytes      = 1 << 20
	heldWholeBytes = 64 << 20 // for a client that waits for the end of the query; what is longer streams after all
)

// answer is the response to one request.
type answer struct {
	w       http.ResponseWriter
	q       *request
	version string
	accept  string // Accept-Encoding
	began   time.Time
	stats   Stats
	tag     string // frames an exception behind the head

	held []byte
	open bool // the head is out
	out  io.Writer
	ends []func() error // of the encodings, innermost first
}

func newAnswer(w http.ResponseWriter, r *http.Request, q *request, c *core) *answer {
	a := &answer{w: w, q: q, version: c.version, accept: r.Header.Get("Accept-Encoding"), began: time.Now(), tag: mark()}
	h := w.Header()
	h.Set("X-ClickHouse-Server-Display-Name", displayName)
	h.Set("X-ClickHouse-Query-Id", q.id)
	h.Set("X-ClickHouse-Timezone", c.timezone)
	h.Set("X-ClickHouse-Exception-Tag", a.tag)
	return a
}

const displayName = "tocsin"

// result says which format the answer has.
func (a *answer) result(format string) {
	a.w.Header().Set("X-ClickHouse-Format", format)
	a.w.Header().Set("Content-Type", contentType(format))
}

// Write takes a piece of the result.
func (a *answer) Write(p []byte) (int, error) {
	if a.open {
		return a.out.Write(p)
	}
	limit := heldBytes
	if a.q.whole {
		limit = heldWholeBytes
	}
	if len(a.held)+len(p) <= limit {
		a.held = append(a.held, p...)
		return len(p), nil
	}
	if err := a.begin(); err != nil {
		return 0, err
	}
	return a.out.Write(p)
}

// begin sends the head and what is held.
func (a *answer) begin() error {
	a.open = true
	h := a.w.Header()
	h.Set("X-ClickHouse-Summary", a.summary())
	a.out = a.w
	if a.q.httpEncoding {
		if name, out, end := encoder(a.accept, a.w); name != "" {
			h.Set("Content-Encoding", name)
			a.out, a.ends = out, append(a.ends, end)
		}
	}
	if a.q.compressed {
		blocks := native.NewWriter(a.out, a.q.zstd)
		a.out, a.ends = blocks, append([]func() error{blocks.Flush}, a.ends...)
	}
	a.w.WriteHeader(http.StatusOK)
	held := a.held
	a.held = nil
	_, err := a.out.Write(held)
	return err
}

// end completes the answer.
func (a *answer) end() error {
	if !a.open {
		if len(a.held) == 0 {
			a.w.Header().Set("Content-Length", "0")
			a.q.compressed, a.q.httpEncoding = false, false
		}
		if err := a.begin(); err != nil {
			return err
		}
	}
	for _, end := range a.ends {
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

// fail answers with err. Behind the head it goes into the result, framed so that clients find it.
func (a *answer) fail(err error) {
	code, text, status := exceptionOf(err, a.version)
	if !a.open {
		h := a.w.Header()
		h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(code))
		h.Set("X-ClickHouse-Summary", a.summary())
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		a.w.WriteHeader(status)
		_, _ = io.WriteString(a.w, text+"\n") // a client that is gone reads nothing
		return
	}
	if len(text) > maxExceptionInsideBody {
		text = text[:maxExceptionInsideBody]
	}
	fmt.Fprintf(a.out, "\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", a.tag, text, len(text)+1, a.tag)
	for _, end := range a.ends {
		_ = end() // likewise
	}
}

// summary counts what was done up to now, in the words of a server: numbers as text.
func (a *answer) summary() string {
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	text, err := json.Marshal(map[string]string{
		"read_rows": n(a.stats.ReadRows), "read_bytes": n(a.stats.ReadBytes), "written_rows": n(a.stats.WrittenRows), "written_bytes": n(a.stats.WrittenBytes),
		"total_rows_to_read": "0", "result_rows": "0", "result_bytes": "0", "elapsed_ns": n(uint64(time.Since(a.began))),
	})
	if err != nil {
		return "{}"
	}
	return string(text)
}

// inPieces says whether a result in format is the same when it is made piece by piece. The engine makes each piece as a whole one: others would
// have a head and an end in the middle. What is made as a whole lies in the memory that the question may use.
func (q *request) inPieces(format string) bool {
	f := strings.ToLower(format)
	switch f {
	case "jsoneachrow", "jsonlines", "ndjson", "jsonstringseachrow", "jsoncompacteachrow", "jsoncompactstringseachrow":
		return !slices.ContainsFunc(q.settings, func(p Param) bool { return p.Name == "output_format_json_array_of_rows" })
	case "native", "tabseparated", "tsv", "tabseparatedraw", "tsvraw", "raw", "csv", "tskv", "rowbinary", "lineasstring", "rawblob", "null":
		return true
	}
	return false
}

func contentType(format string) string {
	f := strings.ToLower(format)
	switch {
	case strings.HasPrefix(f, "jsoneachrow"), strings.HasPrefix(f, "jsonstringseachrow"), strings.HasPrefix(f, "jsoncompacteachrow"),
		strings.HasPrefix(f, "jsoncompactstringseachrow"), strings.HasPrefix(f, "ndjson"), strings.HasPrefix(f, "jsonlines"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(f, "json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(f, "csv"):
		return "text/csv; charset=UTF-8; header=" + present(strings.HasSuffix(f, "names") || strings.HasSuffix(f, "types"))
	case strings.HasPrefix(f, "tabseparated"), strings.HasPrefix(f, "tsv"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(f, "pretty"), f == "vertical", f == "values", f == "tskv":
		return "text/plain; charset=UTF-8"
	case f == "xml":
		return "application/xml; charset=UTF-8"
	case f == "markdown":
		return "text/markdown; charset=UTF-8"
	}
	return "application/octet-stream"
}

func present(yes bool) string {
	if yes {
		return "present"
	}
	return "absent"
}
