package main

import (
	"context"
	"errors"
)

// await returns what do returns. If ctx ends first it says that it was interrupted, and do goes on in vain: it is for reading standard input, which
// nothing else interrupts.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, exit(exitInterrupted, errors.New("interrupted"))
	}
}
