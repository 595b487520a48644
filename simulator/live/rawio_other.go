//go:build !unix

package live

import (
	"errors"
	"net"
	"os"
	"time"
)

// rawIO is the portable form: it holds a buffer while it waits, and lends itself a moment for writing.
type rawIO struct {
	tcp *net.TCPConn
}

func (r *rawIO) init(tcp *net.TCPConn) error {
	r.tcp = tcp
	return nil
}

func (r *rawIO) read() (buffer *[8 << 10]byte, n int, err error) {
	buffer = buffers.Get().(*[8 << 10]byte)
	n, err = r.tcp.Read(buffer[:])
	return buffer, n, err
}

// moment is how long a write may hold up the loop.
const moment = time.Millisecond

func (r *rawIO) write(p []byte) (int, error) {
	if err := r.tcp.SetWriteDeadline(time.Now().Add(moment)); err != nil {
		return 0, err
	}
	n, err := r.tcp.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}

// awaitRoom gives the target some time: there is no portable way to ask.
func (r *rawIO) awaitRoom() error {
	time.Sleep(10 * moment)
	return nil
}
