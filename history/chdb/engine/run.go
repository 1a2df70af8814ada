package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/history/chdb/native"
	"github.com/tocsin-noc/tocsin/history/chdb/sqltext"
)

const (
	maxQueryText   = 4 << 20 // of a statement, without an INSERT's data
	maxReaderQuery = 256 << 10
	insertPiece    = 1 << 20
)

// run carries one statement out: body is what the request holds, decoded.
func (s *Server) run(ctx context.Context, q *request, body io.Reader, a *answer) error {
	text, data, err := statement(q, body)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return &Exception{Code: codeSyntax, Name: "SYNTAX_ERROR", Text: "the query is empty"}
	}
	if strings.EqualFold(q.format, "Native") && strings.TrimSpace(text) == native.HelloQuery {
		a.result("Native")
		_, err := a.Write(native.Hello(q.revision, displayName, s.core.version, s.core.timezone))
		return err
	}
	if insert, ok := sqltext.SplitInsert(text); ok && !q.only && !q.reader {
		return s.insert(ctx, q, insert, io.MultiReader(strings.NewReader(text[insert.Data:]), data), a)
	}
	if rest, err := io.Copy(io.Discard, data); rest > 0 || err != nil {
		return &Exception{Code: codeSyntax, Name: "SYNTAX_ERROR", Text: fmt.Sprintf("the query is longer than %d bytes", maxQueryText)}
	}
	if q.reader {
		if err := s.guard.check(text, q); err != nil {
			return err
		}
	}
	return s.ask(ctx, q, text, a)
}

// statement puts the query together from the URL's parameter and the body. What an INSERT has more is left in data.
func statement(q *request, body io.Reader) (text string, data io.Reader, err error) {
	limit := maxQueryText
	if q.reader {
		limit = maxReaderQuery
	}
	if _, ok := sqltext.SplitInsert(q.query); ok && !q.reader {
		return q.query, body, nil
	}
	var head []byte
	for more := true; more && len(head) < limit; {
		piece := make([]byte, min(max(len(head), 4096), limit-len(head)))
		n, further, err := fill(body, piece)
		if err != nil {
			return "", nil, err
		}
		head, more = append(head, piece[:n]...), further
	}
	text = string(head)
	if q.query != "" && len(head) > 0 {
		text = q.query + "\n" + text
	} else if q.query != "" {
		text = q.query
	}
	return text, body, nil
}

// fill reads until p is full or r is at its end; only a clean end is one.
func fill(r io.Reader, p []byte) (n int, more bool, err error) {
	for n < len(p) {
		got, err := r.Read(p[n:])
		n += got
		switch {
		case errors.Is(err, io.EOF):
			return n, false, nil
		case err != nil:
			return n, false, bodyError(err)
		}
	}
	return n, true, nil
}

func bodyError(err error) error {
	if e, ok := errors.AsType[*Exception](err); ok {
		return e
	}
	return &Exception{Code: codeCannotReadAll, Name: "CANNOT_READ_ALL_DATA", Text: "the request's body ends early or is broken: " + err.Error()}
}

// insert hands the rows of an INSERT to the engine. A body that does not end well cancels it: it is not acknowledged, and what the engine has
// written of it by then stays.
func (s *Server) insert(ctx context.Context, q *request, what sqltext.Insert, data io.Reader, a *answer) error {
	session, done, err := s.core.session(ctx, q.database, q.effective())
	if err != nil {
		return err
	}
	defer done()
	format := what.Format
	if format == "" {
		format = "Values"
	}
	// A short body is read before the engine hears of it, so that half of one leaves nothing behind.
	piece := make([]byte, insertPiece)
	n, more, err := fill(data, piece)
	if err != nil {
		return err
	}
	in, err := session.insert(what.Head, format, q.params)
	if err != nil {
		return err
	}
	defer in.destroy()
	for {
		if err := in.append(piece[:n]); err != nil {
			return err
		}
		if !more {
			break
		}
		if n, more, err = fill(data, piece); err != nil {
			in.cancel()
			return err
		}
	}
	a.stats, err = in.done()
	return err
}

// ask runs any other statement.
func (s *Server) ask(ctx context.Context, q *request, text string, a *answer) error {
	analysis, err := s.core.classify(text)
	if err != nil {
		return err
	}
	if analysis.Statements > 1 {
		return &Exception{Code: codeSyntax, Name: "SYNTAX_ERROR", Text: "Syntax error (Multi-statements are not allowed)"}
	}
	format := sqltext.Format(text)
	if format == "" {
		format = q.format
	}
	session, done, err := s.core.session(ctx, q.database, q.effective())
	if err != nil {
		return err
	}
	defer done()
	a.result(format)
	if q.inPieces(format) && analysis.Class == classReadOnly && slices.Contains([]string{"SELECT", "WITH", "("}, sqltext.First(text)) {
		return session.conn.stream(text, q.format, q.params, func(data []byte, stats Stats) error {
			a.stats.add(stats)
			_, err := a.Write(data)
			return err
		})
	}
	out, stats, err := session.conn.query(text, q.format, q.params)
	if err != nil {
		return err
	}
	a.stats.add(stats)
	_, err = a.Write(out)
	return err
}
