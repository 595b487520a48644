//go:build unix && !linux

package broker

import "syscall"

// readNow reads what is there. Nothing there: EAGAIN.
func readNow(fd int, b []byte) (int, syscall.Errno) { return now(syscall.Read(fd, b)) }

// writeNow writes what the descriptor takes.
func writeNow(fd int, b []byte) (int, syscall.Errno) { return now(syscall.Write(fd, b)) }

func now(n int, err error) (int, syscall.Errno) {
	errno, _ := err.(syscall.Errno)
	return n, errno
}
