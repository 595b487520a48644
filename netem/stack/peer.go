package stack

// Peer returns the device at the other end of a listener's socket, nil for a
// socket that a device opened. It must be called before the socket has ended.
func (s *Socket) Peer() *Device {
	if s.device != nil {
		return nil
	}
	from, err := s.ep.GetRemoteAddress()
	if err != nil {
		return nil
	}
	a := from.Addr.As4()
	number := int(a[1])<<16 | int(a[2])<<8 | int(a[3])
	if number < 1 || number > len(s.n.list) {
		return nil
	}
	return s.n.list[number-1]
}

// Retransmissions returns how often this end has sent a segment again. It
// stays readable after the socket has ended.
func (s *Socket) Retransmissions() uint64 { return s.retransmissions() }
