//go:build unix

package stack

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// buffers are lent to connections while they have something to read, so that an
// idle one holds none.
var buffers = sync.Pool{New: func() any { b := make([]byte, 4<<10); return &b }}

// readEach calls f with each piece read from a connection until its end (nil), an
// error, or until f returns an error. A connection that waits holds no buffer.
func readEach(c net.Conn, f func([]byte) error) error {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return readBuffered(c, f)
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var n int
		var readErr error
		var b *[]byte
		err := raw.Read(func(fd uintptr) bool {
			b = buffers.Get().(*[]byte)
			for {
				if n, readErr = syscall.Read(int(fd), *b); !errors.Is(readErr, syscall.EINTR) {
					break
				}
			}
			if errors.Is(readErr, syscall.EAGAIN) {
				buffers.Put(b)
				b = nil
				return false
			}
			return true
		})
		if err == nil {
			err = readErr
		}
		if err == nil && n > 0 {
			err = f((*b)[:n])
		}
		if b != nil {
			buffers.Put(b)
		}
		if err != nil || n <= 0 {
			return err
		}
	}
}

// writeNow writes what a connection takes without waiting.
func writeNow(c net.Conn, p []byte) (int, error) {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return 0, nil // the caller waits on a goroutine
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	var writeErr error
	err = raw.Write(func(fd uintptr) bool {
		for {
			if n, writeErr = syscall.Write(int(fd), p); !errors.Is(writeErr, syscall.EINTR) {
				return true
			}
		}
	})
	if errors.Is(writeErr, syscall.EAGAIN) {
		return 0, nil
	}
	if err == nil {
		err = writeErr
	}
	return max(n, 0), err
}
