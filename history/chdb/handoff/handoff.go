// Package handoff is what the daemon tells the engine's process: one line of JSON on its standard input. The credentials travel this way and
// are in no argument and no environment.
package handoff

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ListenerFile and LockFile are the numbers of the files that the process inherits.
const (
	ListenerFile = 3 // the listening socket, so that the address outlives the process
	LockFile     = 4 // the lock of the data folder, held for as long as a process of either kind lives
)

// HealthPath is where the parent asks whether the engine is well. It says 1 to everybody, and nothing else.
const HealthPath = "/health"

// maxLine bounds the line.
const maxLine = 1 << 20

// Credentials are a user and a password of the HTTP interface.
type Credentials struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// Order is the line.
type Order struct {
	Library     string      `json:"library"` // path of libchdb
	Folder      string      `json:"folder"`  // the engine's own folder, absolute
	Writer      Credentials `json:"writer"`
	Reader      Credentials `json:"reader"`
	MemoryBytes int64       `json:"memory_bytes"` // the engine refuses queries above it; 0: its own default
}

// Write sends the order.
func Write(w io.Writer, o Order) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// Read reads the order; what follows the line is read from the same reader.
func Read(r *bufio.Reader) (Order, error) {
	var o Order
	line, err := io.ReadAll(io.LimitReader(lineReader{r}, maxLine))
	switch {
	case err != nil:
		return o, err
	case len(line) == 0:
		return o, errors.New("chdb: no order on standard input: the engine is started by `tocsin serve`, not by hand")
	}
	if err := json.Unmarshal(line, &o); err != nil {
		return o, fmt.Errorf("chdb: order: %w", err)
	}
	return o, nil
}

// lineReader ends at the end of the line.
type lineReader struct{ r *bufio.Reader }

func (l lineReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c, err := l.r.ReadByte()
		if err != nil {
			return n, err
		}
		if c == '\n' {
			return n, io.EOF
		}
		p[n] = c
		n++
	}
	return n, nil
}
