//go:build !linux

package stack

import "time"

// sleeper is what the loop of the wall clock waits on.
type sleeper struct {
	timer *time.Timer
}

func (s *sleeper) open(func(int32, pending)) error {
	s.timer = time.NewTimer(time.Hour)
	return nil
}

// set says when the next sleep ends. Any goroutine may set it, also while the loop
// sleeps.
func (s *sleeper) set(d time.Duration) { s.timer.Reset(d) }

func (s *sleeper) sleep() { <-s.timer.C }

func (s *sleeper) poll() bool { return false }

func (s *sleeper) close() { s.timer.Stop() }
