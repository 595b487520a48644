package link

import (
	"slices"
	"time"
)

// Slots are the only times at which a link sends: the connection events of
// Bluetooth LE, the slots of a TDMA schedule, or the delivery opportunities of a
// Mahimahi trace (see ParseMahimahi). A packet takes the first slot that begins
// after it is sent, and as many more as it needs; packets share a slot. What a
// slot has left when the queue is empty is lost. For a lone packet that fits into
// a slot the wait is uniform over Interval.
type Slots struct {
	// Interval is the time between two slots, or with Starts the period
	// after which they repeat. Zero means that the link may send at any time.
	Interval time.Duration
	// Starts are the beginnings of the slots within a period, each from 0 to
	// Interval, never decreasing. None means one slot per Interval, at a
	// phase that is random for each link.
	Starts []time.Duration
	// Bytes is how much a slot carries, overhead included. With
	// RateBitsPerSecond they are sent at that rate, else all at once.
	Bytes int
}

// begun returns how many slots have begun until a time, the one at that very
// time included.
func (s *Slots) begun(at, phase int64) int64 {
	if len(s.Starts) == 0 {
		if at < phase {
			return 0
		}
		return (at-phase)/int64(s.Interval) + 1
	}
	periods := at / int64(s.Interval)
	within, _ := slices.BinarySearch(s.Starts, time.Duration(at%int64(s.Interval))+1)
	return periods*int64(len(s.Starts)) + int64(within)
}

// start returns when slot number k begins.
func (s *Slots) start(k, phase int64) int64 {
	if len(s.Starts) == 0 {
		return phase + k*int64(s.Interval)
	}
	n := int64(len(s.Starts))
	return k/n*int64(s.Interval) + int64(s.Starts[k%n])
}

// planInSlots counts in bytes that slots carried since the start of the link,
// used or not: slot k carries those from k·Bytes on.
func (l *Link) planInSlots(sent int64, airBytes int) transmission {
	m := l.model
	s := &m.config.Slots
	gone := float64(s.begun(sent, l.slotPhase)) * float64(s.Bytes)
	from := max(l.position, gone)
	to := from + float64(airBytes)
	when := func(position float64, k int64) int64 {
		return s.start(k, l.slotPhase) + int64((position-float64(k)*float64(s.Bytes))*m.nanosPerByte)
	}
	first := int64(from) / int64(s.Bytes)
	last := max(first, (int64(to)-1)/int64(s.Bytes))
	end := when(to, last)
	return transmission{
		start: when(from, first), end: end, airtime: int64(float64(airBytes) * m.nanosPerByte),
		position: to, full: !m.fits(to - gone),
	}
}
