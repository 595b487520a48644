package stack

import (
	"bytes"
	"errors"
	"io"
	"net"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// readBuffered is readEach for a connection that cannot tell when it is readable:
// it holds its buffer while it waits.
func readBuffered(c net.Conn, f func([]byte) error) error {
	b := make([]byte, 4<<10)
	for {
		n, err := c.Read(b)
		if n > 0 {
			if err := f(b[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// toDevice writes all of p to the device's side, waiting for room.
func (s *splice) toDevice(p []byte) error {
	var source bytes.Reader
	for len(p) > 0 {
		// Only the count tells what was accepted: more may have been read.
		source.Reset(p)
		n, err := s.ep.Write(&source, tcpip.WriteOptions{})
		p = p[n:]
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			select {
			case <-s.room:
			case <-s.g.ctx.Done():
				return net.ErrClosed
			}
			if s.gone.Load() {
				return net.ErrClosed
			}
		default:
			return connectionError(err)
		}
	}
	return nil
}
