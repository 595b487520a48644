package stack

import gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"

// entry is one thing that happens at a time: a packet arrives, or a timer fires.
// Exactly one of packet and timer is set.
type entry struct {
	at     int64  // nanoseconds since the network's epoch
	order  uint64 // among entries of one instant, see the classes below
	packet *gvisor.PacketBuffer
	device *Device // whose packet
	timer  *Timer
}

// Entries of one instant run in this order, which makes a virtual run
// independent of how goroutines were scheduled: packets by device and direction,
// then TCP's timers, then the user's. Two TCP timers of one instant belong to
// different connections, or were set by one goroutine in order; the counter tells
// them apart without mattering across connections.
const (
	classPacket   = uint64(0) << 62
	classTCPTimer = uint64(1) << 62
	classTimer    = uint64(2) << 62
)

// packetOrder is the order of a device's packet number seq in one direction.
func packetOrder(device uint32, dir direction, seq uint32) uint64 {
	return classPacket | uint64(device)<<33 | uint64(dir)<<32 | uint64(seq)
}

// direction returns that of a packet.
func (e *entry) direction() direction { return direction(e.order >> 32 & 1) }

func (e *entry) before(f *entry) bool {
	return e.at < f.at || e.at == f.at && e.order < f.order
}

// eventHeap is a 4-ary heap of values: shallower than a binary one, and without
// an allocation per packet.
type eventHeap []entry

func (h *eventHeap) push(e entry) {
	*h = append(*h, e)
	h.up(len(*h) - 1)
}

// up moves an entry to its place towards the top.
func (h *eventHeap) up(i int) {
	s := *h
	e := s[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = e
}

// hasten makes the packets of a device in one direction that are due at a time or
// later arrive at an earlier one, in the same order. It looks at every entry: for
// events as rare as a device that wakes up.
func (h *eventHeap) hasten(d *Device, dir direction, due, now int64) {
	for i := range *h {
		if e := &(*h)[i]; e.packet != nil && e.device == d && e.direction() == dir && e.at >= due {
			e.at = now
			h.up(i) // what it changes places with has been looked at
		}
	}
}

func (h *eventHeap) pop() entry {
	s := *h
	first := s[0]
	last := s[len(s)-1]
	s[len(s)-1] = entry{}
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(s) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(s)); c++ {
			if s[c].before(&s[least]) {
				least = c
			}
		}
		if !s[least].before(&last) {
			break
		}
		s[i] = s[least]
		i = least
	}
	s[i] = last
	return first
}
