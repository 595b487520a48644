//go:build !linux

package stack

import "net"

func hostSideOf(c net.Conn, s *splice) (hostSide, error) { return newConnSide(c, s), nil }
