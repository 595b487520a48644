package stack

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// splice is one connection through the gateway. Once it is added to the splicer,
// the loop owns all but pending.
type splice struct {
	g       *splicer
	host    hostSide
	ep      tcpip.Endpoint // the device's side
	queue   waiter.Queue
	waiting waiter.Entry
	number  int32
	pending atomic.Uint32 // not yet looked at; nonzero while in n.spliced

	// What one side has sent and the other has no room for. Until it has, nothing
	// more is read from the sender, whose window fills up as it would at a slow
	// receiver.
	toTarget, toDevice []byte

	targetData               bool // may have arrived
	targetOver               bool // a read tells how: data before it may be left
	deviceEnded, targetEnded bool // that direction is through
	gone                     bool
}

// pending says what has happened to a splice.
type pending uint32

const (
	added      pending = 1 << iota
	deviceData         // or the end of the device's direction
	deviceRoom
	targetData
	targetRoom
	targetOver // its direction has ended, or the connection is broken
)

// hostSide is a connection to a target. Nothing waits: what could not be done at
// once is announced by splice.notify when it can.
type hostSide interface {
	// watch begins the announcements.
	watch() error
	// read returns less than there is room for if no more has arrived, and io.EOF
	// at the end.
	read(p []byte) (int, error)
	// write returns how much of p it took. What it did not take is given to it
	// again, in front of anything else, once there is room.
	write(p []byte) (int, error)
	// closeWrite ends the direction to the target and keeps the other. It fails for
	// what can't be closed by halves.
	closeWrite() error
	close()
	// reset closes without a FIN.
	reset()
}

// NotifyEvent takes note of an event on the device's side, with locks of TCP
// held.
func (s *splice) NotifyEvent(mask waiter.EventMask) {
	const over = waiter.EventErr | waiter.EventHUp
	var events pending
	if mask&(waiter.WritableEvents|over) != 0 {
		events |= deviceRoom
	}
	if mask&(waiter.ReadableEvents|over) != 0 {
		events |= deviceData
	}
	s.notify(events)
}

// notify makes the loop look at the splice. Any goroutine may call it.
func (s *splice) notify(events pending) {
	if s.pending.Or(uint32(events)) != 0 {
		return
	}
	n := s.g.n
	n.mu.Lock()
	n.spliced = append(n.spliced, s)
	n.wakeLocked(0)
	n.mu.Unlock()
}

// serve does what the pending events allow.
func (s *splice) serve() {
	events := pending(s.pending.Swap(0))
	if s.gone {
		return
	}
	var err error
	if events&added != 0 {
		err = s.host.watch()
	}
	s.targetOver = s.targetOver || events&targetOver != 0
	s.targetData = s.targetData || events&(targetData|targetOver) != 0
	if err == nil && (events&deviceData != 0 || len(s.toTarget) > 0) {
		err = s.fromDevice(s.g.buffer[:])
	}
	if err == nil && !s.targetEnded && (s.targetData || len(s.toDevice) > 0) {
		err = s.fromTarget(s.g.buffer[:4<<10])
	}
	switch {
	case err != nil:
		s.abort() // a reset stays a reset
	case s.deviceEnded && s.targetEnded:
		s.end()
		s.ep.Close()
		s.host.close()
	}
}

// fromDevice moves what has arrived from the device to the target.
func (s *splice) fromDevice(buffer []byte) error {
	for {
		var err error
		if s.toTarget, err = push(s.toTarget, s.host.write); err != nil || len(s.toTarget) > 0 {
			return err
		}
		s.g.sink = buffer
		r, terr := s.ep.Read(&s.g.sink, tcpip.ReadOptions{})
		switch terr.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			return nil
		case *tcpip.ErrClosedForReceive:
			s.deviceEnded = true // TCP announces it more than once
			return s.host.closeWrite()
		default:
			return connectionError(terr)
		}
		n, err := s.host.write(buffer[:r.Count])
		if err != nil {
			return err
		}
		s.toTarget = bytes.Clone(buffer[n:r.Count])
	}
}

// fromTarget moves what has arrived from the target to the device.
func (s *splice) fromTarget(buffer []byte) error {
	for {
		var err error
		if s.toDevice, err = push(s.toDevice, s.write); err != nil || len(s.toDevice) > 0 || !s.targetData {
			return err
		}
		n, err := s.host.read(buffer)
		switch {
		case errors.Is(err, io.EOF):
			s.targetEnded = true
			s.ep.Shutdown(tcpip.ShutdownWrite)
			return nil
		case err != nil:
			return err
		}
		s.targetData = n == len(buffer) || n > 0 && s.targetOver
		k, err := s.write(buffer[:n])
		if err != nil {
			return err
		}
		s.toDevice = bytes.Clone(buffer[k:n])
	}
}

// push writes what was left over and returns what still is.
func push(rest []byte, write func([]byte) (int, error)) ([]byte, error) {
	if len(rest) == 0 {
		return nil, nil
	}
	n, err := write(rest)
	return rest[n:], err
}

// write gives the device's side what it has room for.
func (s *splice) write(p []byte) (int, error) {
	source := &s.g.source
	sent := 0
	for sent < len(p) {
		// Only the count tells what was accepted: more may have been read.
		source.Reset(p[sent:])
		n, err := s.ep.Write(source, tcpip.WriteOptions{})
		sent += int(n)
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			return sent, nil
		default:
			return sent, connectionError(err)
		}
	}
	return sent, nil
}

// end makes the loop forget the splice.
func (s *splice) end() {
	s.gone = true
	s.queue.EventUnregister(&s.waiting)
	s.g.remove(s)
}

// abort resets both sides.
func (s *splice) abort() {
	s.end()
	s.reset()
}

func (s *splice) reset() {
	s.ep.Abort()
	s.host.reset()
}
