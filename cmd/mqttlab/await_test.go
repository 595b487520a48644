package main

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestAwait reads what never ends: what interrupts the program ends it all the same.
func TestAwait(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	in, end := io.Pipe()
	defer end.Close()
	read := func() ([]byte, error) { return io.ReadAll(in) }
	interrupt()
	_, err := await(ctx, read)
	var coded *exitError
	if !errors.As(err, &coded) || coded.code != exitInterrupted {
		t.Errorf("got %v, want exit %d", err, exitInterrupted)
	}
	if got, err := await(t.Context(), func() (int, error) { return 7, io.EOF }); got != 7 || !errors.Is(err, io.EOF) {
		t.Errorf("got %d, %v", got, err)
	}
}
