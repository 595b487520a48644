//go:build !unix

package stack

import "net"

// readEach calls f with each piece read from a connection until its end (nil), an
// error, or until f returns an error.
func readEach(c net.Conn, f func([]byte) error) error { return readBuffered(c, f) }

// writeNow leaves writing to the caller, which waits on a goroutine.
func writeNow(net.Conn, []byte) (int, error) { return 0, nil }
