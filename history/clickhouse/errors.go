package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/tocsin-noc/tocsin/history"
)

// Error is what the engine itself said.
type Error struct {
	Code    int    // the engine's, as in 60
	Name    string // as in UNKNOWN_TABLE; may be empty
	Message string
}

// Error returns code, name and message.
func (e *Error) Error() string {
	if e.Name != "" {
		return fmt.Sprintf("code %d (%s): %s", e.Code, e.Name, e.Message)
	}
	return fmt.Sprintf("code %d: %s", e.Code, e.Message)
}

// Codes of the engine that we act on.
const (
	codeUnknownDatabase = 81
	codeTooManyQueries  = 202
	codeNetwork         = 210
	codeMemoryLimit     = 241
	codeTooManyParts    = 252
)

// Later tells whether what failed may succeed later as it is: the engine is away, or has too much to do.
func Later(err error) bool {
	if said, ok := errors.AsType[*Error](err); ok {
		switch said.Code {
		case codeTooManyQueries, codeMemoryLimit, codeTooManyParts:
			return true
		}
	}
	return errors.Is(err, history.ErrDown)
}

// explain makes of the driver's errors ours: an Error, one that wraps history.ErrDown, or the context's. No URL is in it, and so no secret.
func explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var said *driver.Exception
	if errors.As(err, &said) && said.Code != codeNetwork {
		return &Error{Code: int(said.Code), Name: said.CodeName, Message: said.Message}
	}
	if at, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%w: %w", history.ErrDown, at.Err)
	}
	var status *driver.HTTPError
	if errors.As(err, &status) && status.StatusCode >= 502 {
		return fmt.Errorf("%w: HTTP status %d", history.ErrDown, status.StatusCode)
	}
	var network net.Error
	if said != nil || errors.As(err, &network) || isCut(err) {
		return fmt.Errorf("%w: %w", history.ErrDown, err)
	}
	return err
}

// isCut tells whether the connection ended before the answer did.
func isCut(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED, driver.ErrAcquireConnTimeout} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
