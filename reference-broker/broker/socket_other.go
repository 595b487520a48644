//go:build !unix

package broker

import "net"

// socket is not available here: all goes through net.Conn.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) write([]byte) (int, error) { panic("no direct sockets on this system") }
func (*socket) cut()                      { panic("no direct sockets on this system") }
