package simulate

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// conn posts over one keep-alive connection, dialled when first needed and
// again after a failure. It exists because http.Client costs about as much CPU
// per request as the servers it is to measure. One goroutine owns it.
type conn struct {
	host    string
	head    []byte // request line and headers up to the length's digits
	timeout time.Duration
	tcp     net.Conn
	release func() bool // ends the watch over ctx
	reader  *bufio.Reader
}

func newConn(target *url.URL, timeout time.Duration) *conn {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tocsin-simulate\r\nContent-Type: application/json\r\nContent-Length: ",
		target.RequestURI(), target.Host)
	return &conn{host: target.Host, head: []byte(head), timeout: timeout}
}

// post sends body and returns the status; with an error it is 0.
func (c *conn) post(ctx context.Context, body []byte) (int, error) {
	status, err := c.try(ctx, body)
	if err != nil {
		c.close()
		return 0, err
	}
	return status, nil
}

func (c *conn) try(ctx context.Context, body []byte) (int, error) {
	if err := c.dial(ctx); err != nil {
		return 0, err
	}
	if err := c.tcp.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	length := append(strconv.AppendInt(nil, int64(len(body)), 10), "\r\n\r\n"...)
	request := net.Buffers{c.head, length, body} // one writev
	if _, err := request.WriteTo(c.tcp); err != nil {
		return 0, err
	}
	return c.answer()
}

func (c *conn) dial(ctx context.Context) error {
	if c.tcp != nil {
		return nil
	}
	dialer := net.Dialer{Timeout: c.timeout}
	tcp, err := dialer.DialContext(ctx, "tcp", c.host)
	if err != nil {
		return err
	}
	c.tcp, c.reader = tcp, bufio.NewReader(tcp)
	c.release = context.AfterFunc(ctx, func() { _ = tcp.Close() }) // wakes a blocked read
	return nil
}

func (c *conn) answer() (int, error) {
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }() // drained below
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, err
	}
	if response.Close {
		c.close()
	}
	return response.StatusCode, nil
}

func (c *conn) close() {
	if c.tcp != nil {
		c.release()
		_ = c.tcp.Close() // nothing more is read or written
		c.tcp = nil
	}
}
