//go:build !linux

package load

import "errors"

// Run measures one scenario, on Linux only.
func Run(Spec) (Result, error) {
	return Result{}, errors.New("the load generator uses epoll and /proc: run it on Linux")
}
