//go:build unix

package live

import (
	"io"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// rawIO reads without holding a buffer while it waits, and writes without waiting.
type rawIO struct {
	raw syscall.RawConn
	// The closures below are made once: they are used for each packet.
	tryRead, tryWrite func(fd uintptr) bool

	// Of the reading goroutine.
	buffer  *[8 << 10]byte
	n       int
	readErr error
	// Guarded by the loop's lock.
	out      []byte
	written  int
	writeErr error
}

func (r *rawIO) init(tcp *net.TCPConn) error {
	var err error
	r.raw, err = tcp.SyscallConn()
	r.tryRead = func(fd uintptr) bool {
		buffer := buffers.Get().(*[8 << 10]byte)
		r.n, r.readErr = ignoringEINTR(func() (int, error) { return syscall.Read(int(fd), buffer[:]) })
		if r.readErr == syscall.EAGAIN {
			buffers.Put(buffer)
			return false
		}
		r.buffer = buffer
		return true
	}
	r.tryWrite = func(fd uintptr) bool {
		r.written, r.writeErr = ignoringEINTR(func() (int, error) { return syscall.Write(int(fd), r.out) })
		return true
	}
	return err
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// read waits for bytes. n is 0 with a nil error at the end of the stream.
func (r *rawIO) read() (buffer *[8 << 10]byte, n int, err error) {
	if err := r.raw.Read(r.tryRead); err != nil {
		return nil, 0, err
	}
	buffer, r.buffer = r.buffer, nil
	return buffer, r.n, r.readErr
}

// write writes what fits.
func (r *rawIO) write(p []byte) (int, error) {
	r.out = p
	err := r.raw.Write(r.tryWrite)
	r.out = nil
	if err != nil {
		return 0, err
	}
	if r.writeErr == syscall.EAGAIN {
		return 0, nil
	}
	if r.writeErr != nil {
		return 0, io.ErrClosedPipe
	}
	return r.written, nil
}

// awaitRoom waits until the connection takes bytes again. The poller tells edges only, and the edge may have come before it was asked: hence the look
// before each wait, which also makes the kernel tell the next edge.
func (r *rawIO) awaitRoom() error {
	return r.raw.Write(func(fd uintptr) bool {
		look := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(look, 0)
		return err == nil && n > 0
	})
}
