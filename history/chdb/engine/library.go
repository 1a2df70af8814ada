package engine

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library holds the functions of libchdb that are used. Handles are opaque pointers of the library: 0 is none.
type library struct {
	setSignalHandlersEnabled func(enabled int32)
	connect                  func(argc int32, argv unsafe.Pointer) uintptr
	closeConn                func(connection uintptr)
	version                  func() string

	query       func(conn uintptr, query *byte, queryLen uintptr, format *byte, formatLen uintptr) uintptr
	queryParams func(conn uintptr, query *byte, queryLen uintptr, format *byte, formatLen uintptr,
		names unsafe.Pointer, nameLens *uintptr, values unsafe.Pointer, valueLens *uintptr, count uintptr) uintptr
	streamParams func(conn uintptr, query *byte, queryLen uintptr, format *byte, formatLen uintptr,
		names unsafe.Pointer, nameLens *uintptr, values unsafe.Pointer, valueLens *uintptr, count uintptr) uintptr
	streamFetch  func(conn, stream uintptr) uintptr
	streamCancel func(conn, stream uintptr)
	classify     func(conn uintptr, query *byte, queryLen uintptr, database *byte, databaseLen uintptr, out *Analysis) int32

	insertParams func(conn uintptr, query *byte, queryLen uintptr, format *byte, formatLen uintptr,
		names unsafe.Pointer, nameLens *uintptr, values unsafe.Pointer, valueLens *uintptr, count uintptr) uintptr
	insertAppend  func(stream uintptr, data *byte, length uintptr) int32
	insertDone    func(stream uintptr) uintptr
	insertCancel  func(stream uintptr)
	insertError   func(stream uintptr) unsafe.Pointer
	insertDestroy func(stream uintptr)

	resultBuffer           func(result uintptr) unsafe.Pointer
	resultLength           func(result uintptr) uintptr
	resultError            func(result uintptr) unsafe.Pointer
	resultStorageRowsRead  func(result uintptr) uint64
	resultStorageBytesRead func(result uintptr) uint64
	resultRowsWritten      func(result uintptr) uint64
	resultBytesWritten     func(result uintptr) uint64
	resultDestroy          func(result uintptr)
}

// openLibrary loads the library. It can be loaded once in a process, and never goes.
func openLibrary(path string) (*library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("chdb: load the library: %w", err)
	}
	l := &library{}
	for name, function := range map[string]any{
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlersEnabled,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_version":                     &l.version,
		"chdb_query_n":                     &l.query,
		"chdb_query_with_params_n":         &l.queryParams,
		"chdb_stream_query_with_params_n":  &l.streamParams,
		"chdb_stream_fetch_result":         &l.streamFetch,
		"chdb_stream_cancel_query":         &l.streamCancel,
		"chdb_classify_query_n":            &l.classify,
		"chdb_stream_insert_with_params_n": &l.insertParams,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_error":                &l.resultError,
		"chdb_result_storage_rows_read":    &l.resultStorageRowsRead,
		"chdb_result_storage_bytes_read":   &l.resultStorageBytesRead,
		"chdb_result_rows_written":         &l.resultRowsWritten,
		"chdb_result_bytes_written":        &l.resultBytesWritten,
		"chdb_destroy_query_result":        &l.resultDestroy,
	} {
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("chdb: the library has no %s: %w", name, err)
		}
		purego.RegisterFunc(function, address)
	}
	l.setSignalHandlersEnabled(0) // before it connects: the signals are Go's
	return l, nil
}

// text copies a C string.
func text(p unsafe.Pointer) string {
	if p == nil {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

// bytesOf copies the result's bytes.
func (l *library) bytesOf(result uintptr) []byte {
	p, n := l.resultBuffer(result), l.resultLength(result)
	if p == nil || n == 0 {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(p), n)...)
}
