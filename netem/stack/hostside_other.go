//go:build !linux

package stack

import "net"

func hostSideOf(c net.Conn, s *splice) (hostSide, error) { return newConnSide(c, s), nil }

// poller is needed on Linux only.
type poller struct{}

func (*poller) open() error  { return nil }
func (*poller) run(*splicer) {}
func (*poller) close()       {}
