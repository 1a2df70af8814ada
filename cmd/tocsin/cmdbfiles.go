package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// bigImport is from how many bytes on somebody who waits is told how far it is.
const bigImport = 4 << 20

// importFile is a file to be imported.
type importFile struct {
	name string
	data []byte
}

// readFiles reads files, all of a folder that could be imported, and standard input for "-".
func readFiles(in io.Reader, names []string) (files []importFile, size int, err error) {
	add := func(name string, data []byte) {
		files, size = append(files, importFile{name, data}), size+len(data)
	}
	for _, name := range names {
		if name == "-" {
			data, err := io.ReadAll(in)
			if err != nil {
				return nil, 0, usage("standard input: "+err.Error(), "")
			}
			add("stdin", data)
			continue
		}
		err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path != name && !importable(path) {
				return err
			}
			data, err := os.ReadFile(path)
			if err == nil {
				add(path, data)
			}
			return err
		})
		if err != nil {
			return nil, 0, usage(err.Error(), "name files, folders, or - for standard input")
		}
	}
	if len(files) == 0 {
		return nil, 0, usage("there is no file to import", "of a folder those are read that end with .yml, .yaml, .json or .csv")
	}
	return files, size, nil
}

func importable(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yml", ".yaml", ".json", ".csv":
		return true
	}
	return false
}

// upload imports files. Several go as one multipart: they are one import.
func (t *tool) upload(ctx context.Context, query url.Values, files []importFile, size int) ([]byte, error) {
	body, kind := io.Reader(bytes.NewReader(files[0].data)), contentType(files[0].name)
	length := int64(size)
	if len(files) > 1 {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, f := range files {
			part, err := w.CreateFormFile("file", f.name)
			if err != nil {
				return nil, err
			}
			_, _ = part.Write(f.data) // into memory
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		body, kind, length = &b, "multipart/mixed; boundary="+w.Boundary(), int64(b.Len())
	} else {
		query.Set("name", files[0].name)
	}
	meter := newMeter(t, size)
	defer meter.done()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.api.url([]string{"cmdb", "import"}, query), meter.watch(body))
	if err != nil {
		return nil, usage(err.Error(), "")
	}
	req.ContentLength = length
	req.Header.Set("Content-Type", kind)
	resp, err := t.api.patient().ask(req)
	if err != nil {
		return nil, err
	}
	return t.api.answer(ctx, resp)
}

func contentType(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return "application/json"
	case ".csv":
		return "text/csv"
	}
	return "text/yaml"
}

// download writes an answer out as it comes.
func (c *client) download(ctx context.Context, w io.Writer, query url.Values, parts ...string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(parts, query), nil)
	if err != nil {
		return usage(err.Error(), "")
	}
	resp, err := c.patient().ask(req)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		_, err := c.answer(ctx, resp)
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return &fault{code: exitFailed, message: "the answer broke off: " + err.Error(), hint: "what was written is not whole; try again", cause: err}
	}
	return nil
}

// meter shows on a terminal how far a big import is.
type meter struct {
	w     io.Writer // nil: nobody watches
	size  int64
	sent  int64
	shown int64
}

func newMeter(t *tool, size int) *meter {
	m := &meter{size: int64(size)}
	if f, ok := t.err.(*os.File); ok && size >= bigImport {
		if columns, ok := terminal.Columns(f); ok && cmp.Or(columns, 80) > 0 {
			m.w = f
		}
	}
	return m
}

// watch returns body, counted.
func (m *meter) watch(body io.Reader) io.Reader {
	if m.w == nil {
		return body
	}
	return io.TeeReader(body, m)
}

// Write counts what was sent.
func (m *meter) Write(b []byte) (int, error) {
	m.sent += int64(len(b))
	if percent := 100 * m.sent / (m.size + 1); percent >= m.shown+5 {
		m.shown = percent
		fmt.Fprintf(m.w, "\rsending %d MB: %d %%", m.size>>20, min(percent, 100))
	}
	if m.sent >= m.size {
		fmt.Fprintf(m.w, "\rsent %d MB; the daemon reads it …   ", m.size>>20)
	}
	return len(b), nil
}

// done leaves the line empty.
func (m *meter) done() {
	if m.w != nil {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}
