package engine

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Codes of ClickHouse's exceptions that the front raises or turns into a status of HTTP.
const (
	codeBadArguments       = 36
	codeUnknownFunction    = 46
	codeNotImplemented     = 48
	codeUnknownTable       = 60
	codeSyntax             = 62
	codeUnknownDatabase    = 81
	codeUnknownSetting     = 115
	codeTimeout            = 159
	codeReadOnly           = 164
	codeTooManyQueries     = 202
	codeMemoryLimit        = 241
	codeCannotReadAll      = 33
	codeUnknownFormat      = 73
	codeRequired           = 194
	codeQueryWasCancelled  = 394
	codeAccessDenied       = 497
	codeAuthentication     = 516
	codeUnexpected         = 1002
	codeBodyTooLarge       = 307 // TOO_MANY_BYTES
	statusClientGone       = 499
	maxExceptionInsideBody = 16 << 10
)

// An Exception is what a ClickHouse server answers with.
type Exception struct {
	Code   int
	Name   string // as in UNKNOWN_TABLE
	Text   string // for people, without code and name
	Status int    // of HTTP; 0: by the code
}

func (e *Exception) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s (%s)", e.Code, e.Text, e.Name)
}

var codeAtStart = regexp.MustCompile(`^Code: (\d+)\.`)

// exceptionOf returns the code, the text as a server of that version words it, and the status of HTTP of any error.
func exceptionOf(err error, version string) (code int, text string, status int) {
	if e, ok := errors.AsType[*Exception](err); ok {
		code, text, status = e.Code, e.Error(), e.Status
	} else {
		text = strings.TrimSpace(err.Error())
		if m := codeAtStart.FindStringSubmatch(text); m != nil {
			code, _ = strconv.Atoi(m[1])
		} else {
			code, text = codeUnexpected, fmt.Sprintf("Code: %d. DB::Exception: %s (UNKNOWN_EXCEPTION)", codeUnexpected, text)
		}
	}
	if status == 0 {
		status = statusOf(code)
	}
	return code, text + " (version " + version + ")", status
}

// statusOf says what a ClickHouse server answers: what the asking side did wrong is 4xx.
func statusOf(code int) int {
	switch code {
	case codeAuthentication, codeAccessDenied, codeReadOnly:
		return http.StatusForbidden
	case codeUnknownTable, codeUnknownDatabase, codeUnknownFunction:
		return http.StatusNotFound
	case codeNotImplemented:
		return http.StatusNotImplemented
	case codeTimeout:
		return http.StatusRequestTimeout
	case codeTooManyQueries:
		return http.StatusServiceUnavailable
	case codeBodyTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeBadArguments, codeCannotReadAll, codeSyntax, codeUnknownSetting, codeUnknownFormat, codeQueryWasCancelled,
		6, 26, 27, 38, 41, 43, 47, 53, 70, 72, 117, 130, 131, 215, 378, 386, 456, 457:
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}
