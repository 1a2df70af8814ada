package engine

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// Analysis is what the engine's own parser says about a query text. The order of its fields is the library's.
type Analysis struct {
	Size       uint32
	Statements uint32 // 0: it does not parse
	Flags      uint32
	Class      uint32
}

// classReadOnly is the class of statements that only read.
const classReadOnly = 0

// A Failure is an exception of the engine, in the words a ClickHouse server sends.
type Failure string

func (f Failure) Error() string { return string(f) }

// Stats counts what a statement did.
type Stats struct {
	ReadRows, ReadBytes, WrittenRows, WrittenBytes uint64
}

func (s *Stats) add(o Stats) {
	s.ReadRows += o.ReadRows
	s.ReadBytes += o.ReadBytes
	s.WrittenRows += o.WrittenRows
	s.WrittenBytes += o.WrittenBytes
}

// conn is a connection: it runs one statement at a time and keeps SET and USE.
type conn struct {
	lib    *library
	handle uintptr // what connecting gave: the address of the connection
	conn   uintptr // what the other functions take
}

// connecting serialises chdb_connect and chdb_close_conn: they count the engine's users.
type connecting struct {
	mu   sync.Mutex
	lib  *library
	args []string
}

func (c *connecting) open() (*conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]*byte, 0, len(c.args)+1)
	for _, a := range c.args {
		p := unsafe.StringData(a + "\x00")
		pin.Pin(p)
		argv = append(argv, p)
	}
	argv = append(argv, nil)
	pin.Pin(&argv[0])
	handle := c.lib.connect(int32(len(c.args)), unsafe.Pointer(&argv[0]))
	if handle == 0 {
		return nil, errors.New("chdb: the engine does not open its data folder")
	}
	return &conn{lib: c.lib, handle: handle, conn: **(**uintptr)(unsafe.Pointer(&handle))}, nil
}

func (c *connecting) close(one *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lib.closeConn(one.handle)
}

// Param is a named parameter of a query.
type Param struct{ Name, Value string }

// cParams are parameters as the library takes them; they stay where they are until unpin.
type cParams struct {
	pin                   runtime.Pinner
	names, values         []*byte
	nameLens, valueLens   []uintptr
	namesAt, valuesAt     unsafe.Pointer
	nameLensAt, valLensAt *uintptr
}

func newCParams(params []Param) *cParams {
	c := &cParams{}
	if len(params) == 0 {
		return c
	}
	add := func(list *[]*byte, lens *[]uintptr, s string) {
		p := unsafe.StringData(s + "\x00")
		c.pin.Pin(p)
		*list, *lens = append(*list, p), append(*lens, uintptr(len(s)))
	}
	for _, p := range params {
		add(&c.names, &c.nameLens, p.Name)
		add(&c.values, &c.valueLens, p.Value)
	}
	c.pin.Pin(&c.names[0])
	c.pin.Pin(&c.values[0])
	c.namesAt, c.valuesAt = unsafe.Pointer(&c.names[0]), unsafe.Pointer(&c.values[0])
	c.nameLensAt, c.valLensAt = &c.nameLens[0], &c.valueLens[0]
	return c
}

// failure turns a message of the library into an error; none is nil.
func failure(message string) error {
	message = strings.TrimSpace(message)
	if message == "" {
		return nil
	}
	if rest, ok := strings.CutPrefix(message, "Error: "); ok {
		message = rest
	}
	return Failure(message)
}

func (c *conn) take(result uintptr) ([]byte, Stats, error) {
	if result == 0 {
		return nil, Stats{}, Failure("Code: 1001. DB::Exception: the engine gave no result (STD_EXCEPTION)")
	}
	defer c.lib.resultDestroy(result)
	if err := failure(text(c.lib.resultError(result))); err != nil {
		return nil, Stats{}, err
	}
	return c.lib.bytesOf(result), Stats{
		ReadRows: c.lib.resultStorageRowsRead(result), ReadBytes: c.lib.resultStorageBytesRead(result),
		WrittenRows: c.lib.resultRowsWritten(result), WrittenBytes: c.lib.resultBytesWritten(result),
	}, nil
}

// query runs a statement and returns all it gives.
func (c *conn) query(query, format string, params []Param) ([]byte, Stats, error) {
	p := newCParams(params)
	defer p.pin.Unpin()
	return c.take(c.lib.queryParams(c.conn, unsafe.StringData(query), uintptr(len(query)), unsafe.StringData(format), uintptr(len(format)),
		p.namesAt, p.nameLensAt, p.valuesAt, p.valLensAt, uintptr(len(p.names))))
}

// stream runs a SELECT and hands its result to each in the pieces the engine makes. An error of each cancels it.
func (c *conn) stream(query, format string, params []Param, each func([]byte, Stats) error) error {
	p := newCParams(params)
	defer p.pin.Unpin()
	stream := c.lib.streamParams(c.conn, unsafe.StringData(query), uintptr(len(query)), unsafe.StringData(format), uintptr(len(format)),
		p.namesAt, p.nameLensAt, p.valuesAt, p.valLensAt, uintptr(len(p.names)))
	if stream == 0 {
		return Failure("Code: 1001. DB::Exception: the engine gave no result (STD_EXCEPTION)")
	}
	defer c.lib.resultDestroy(stream)
	if err := failure(text(c.lib.resultError(stream))); err != nil {
		return err
	}
	for {
		data, stats, err := c.take(c.lib.streamFetch(c.conn, stream))
		if err != nil {
			return err
		}
		if err := each(data, stats); err != nil {
			if len(data) > 0 {
				c.lib.streamCancel(c.conn, stream)
			}
			return err
		}
		if len(data) == 0 {
			return nil
		}
	}
}

// insert is a running INSERT whose rows come in pieces.
type insert struct {
	c      *conn
	stream uintptr
}

// insert begins an INSERT; query ends before its FORMAT.
func (c *conn) insert(query, format string, params []Param) (*insert, error) {
	p := newCParams(params)
	defer p.pin.Unpin()
	stream := c.lib.insertParams(c.conn, unsafe.StringData(query), uintptr(len(query)), unsafe.StringData(format), uintptr(len(format)),
		p.namesAt, p.nameLensAt, p.valuesAt, p.valLensAt, uintptr(len(p.names)))
	i := &insert{c: c, stream: stream}
	if stream == 0 {
		return nil, Failure("Code: 1001. DB::Exception: the engine began no INSERT (STD_EXCEPTION)")
	}
	if err := failure(text(c.lib.insertError(stream))); err != nil {
		i.destroy()
		return nil, err
	}
	return i, nil
}

// append hands a piece over; it waits while the engine is behind.
func (i *insert) append(data []byte) error {
	if len(data) == 0 || i.c.lib.insertAppend(i.stream, &data[0], uintptr(len(data))) == 0 {
		return nil
	}
	if err := failure(text(i.c.lib.insertError(i.stream))); err != nil {
		return err
	}
	_, _, err := i.c.take(i.c.lib.insertDone(i.stream)) // it knows why
	if err == nil {
		err = Failure("Code: 1001. DB::Exception: the engine takes no more rows (STD_EXCEPTION)")
	}
	return err
}

// done ends it: with nil all rows are written.
func (i *insert) done() (Stats, error) {
	_, stats, err := i.c.take(i.c.lib.insertDone(i.stream))
	return stats, err
}

// cancel ends it without the rest. What the engine has written stays.
func (i *insert) cancel() { i.c.lib.insertCancel(i.stream) }

func (i *insert) destroy() { i.c.lib.insertDestroy(i.stream) }

// classify asks the engine's parser about a query.
func (c *conn) classify(query string) (Analysis, error) {
	out := Analysis{Size: uint32(unsafe.Sizeof(Analysis{}))}
	if c.lib.classify(c.conn, unsafe.StringData(query), uintptr(len(query)), nil, 0, &out) != 0 {
		return Analysis{}, errors.New("chdb: the engine does not classify the query")
	}
	return out, nil
}
