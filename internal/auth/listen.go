package auth

import (
	"errors"
	"fmt"
	"net"
)

// ErrExposed says that everybody who reaches the listener could command the daemon.
var ErrExposed = errors.New("auth: listening beyond loopback without authentication; give --token-file, or --web-config-file " +
	"with users or verified client certificates, or listen on 127.0.0.1, or accept it with --insecure-no-auth")

// CheckListen returns ErrExposed when addr, host:port, must not be served with these credentials. insecure accepts it.
func CheckListen(addr string, c Credentials, insecure bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("auth: listen address: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	if insecure || c.configured() {
		return nil
	}
	return ErrExposed
}
