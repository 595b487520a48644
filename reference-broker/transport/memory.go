package transport

import (
	"context"
	"net"
	"sync"
)

// Memory is a net.Listener whose connections exist in memory only. Use [NewMemory].
type Memory struct {
	waiting chan net.Conn
	done    chan struct{}
	once    sync.Once
}

// NewMemory returns an open listener.
func NewMemory() *Memory {
	return &Memory{waiting: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to the listener. It waits until the connection is accepted, ctx ends or the listener is closed (net.ErrClosed).
func (m *Memory) Dial(ctx context.Context) (net.Conn, error) {
	near, far := Pipe()
	select {
	case m.waiting <- far:
		return near, nil
	case <-m.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (m *Memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.waiting:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Connections stay open.
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.done) })
	return nil
}

// Addr implements net.Listener.
func (m *Memory) Addr() net.Addr { return memoryAddr{} }
