//go:build !linux

package main

import (
	"errors"
	"syscall"
)

func withParent() *syscall.SysProcAttr { return nil }

func raiseFiles() error {
	return errors.New("brokers are compared on Linux only: it needs epoll and /proc")
}
