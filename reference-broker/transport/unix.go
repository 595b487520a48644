package transport

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// listenUnix takes the place of a socket that nobody listens on any more: a process that was killed leaves its own behind.
func listenUnix(ctx context.Context, lc *net.ListenConfig, path string) (net.Listener, error) {
	ln, err := lc.Listen(ctx, "unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return ln, err
	}
	if info, statErr := os.Lstat(path); statErr != nil || info.Mode().Type() != os.ModeSocket {
		return nil, err
	}
	c, dialErr := new(net.Dialer).DialContext(ctx, "unix", path)
	if dialErr == nil {
		c.Close()
	}
	if !errors.Is(dialErr, syscall.ECONNREFUSED) || os.Remove(path) != nil {
		return nil, err
	}
	return lc.Listen(ctx, "unix", path)
}
