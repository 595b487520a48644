//go:build !linux

package stack

import "os"

func openTUN(string, int) (*os.File, error) { return nil, ErrNoTunnel }
