//go:build !linux

package process

import (
	"fmt"
	"runtime"
	"time"
)

// Listening is for Linux only; elsewhere its error wraps [ErrUnknown].
func Listening(address string) ([]int, error) {
	return nil, fmt.Errorf("%w: who listens at %s is found on Linux only, and this is %s", ErrUnknown, address, runtime.GOOS)
}

// CPU is for Linux only; elsewhere its error wraps [ErrUnknown].
func CPU(...int) (time.Duration, error) {
	return 0, fmt.Errorf("%w: processor time is read on Linux only, and this is %s", ErrUnknown, runtime.GOOS)
}
