package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tocsin-noc/tocsin/history/chdb/handoff"
)

const (
	headerTime   = 10 * time.Second
	idleTime     = 2 * time.Minute
	maxHeader    = 4 << 20 // parameters stand in the URL
	shutdownTime = 5 * time.Second
)

// Run is the engine's process: it reads its order from in, serves, and ends when in does, which is when its parent is gone or wants it to.
func Run(in io.Reader) error {
	r := bufio.NewReader(in)
	order, err := confined()
	if err != nil {
		return err
	}
	if order == nil {
		read, err := handoff.Read(r)
		if err != nil {
			return err
		}
		if err := confine(read); err != nil {
			return err
		}
		order = &read
	}
	return serve(r, *order)
}

// serve runs the engine until r ends.
func serve(r io.Reader, order handoff.Order) error {
	if err := os.Chdir(order.Folder); err != nil {
		return err
	}
	c, err := newCore(order)
	if err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(handoff.ListenerFile, "listener"))
	if err != nil {
		return fmt.Errorf("chdb: inherited listener: %w", err)
	}
	server := &http.Server{Handler: newServer(c, order), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader}
	go func() {
		_, _ = io.Copy(io.Discard, r) // its end is the message
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		_ = server.Shutdown(ctx) // what is not over by then ends with the process
		os.Exit(0)               // not through the library's own teardown: its data are safe without, and it may hang
	}()
	fmt.Fprintf(os.Stderr, "chdb: engine %s serves\n", c.version)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	select {} // the goroutine above ends the process
}
