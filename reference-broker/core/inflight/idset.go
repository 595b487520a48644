package inflight

// IDSet is a set of Packet Identifiers: those of QoS 2 messages that were received and whose PUBREL has not come. The zero value is empty.
// It takes two to four bytes per member and allocates only to grow. It is not safe for concurrent use.
type IDSet struct {
	cells []uint16 // open addressing, linear probing; 0: empty; the length is a power of two
	count int
}

// Len returns how many identifiers are in the set.
func (s *IDSet) Len() int { return s.count }

// Has reports whether id is in the set.
func (s *IDSet) Has(id uint16) bool {
	if s.count == 0 || id == 0 {
		return false
	}
	return s.cells[s.find(id)] == id
}

// Add puts id into the set and reports whether it was new. 0 is no identifier and never new.
func (s *IDSet) Add(id uint16) bool {
	if id == 0 {
		return false
	}
	if 4*(s.count+1) > 3*len(s.cells) {
		s.grow()
	}
	i := s.find(id)
	if s.cells[i] == id {
		return false
	}
	s.cells[i] = id
	s.count++
	return true
}

// Remove takes id out and reports whether it was in.
func (s *IDSet) Remove(id uint16) bool {
	if !s.Has(id) {
		return false
	}
	mask := len(s.cells) - 1
	hole := s.find(id)
	s.cells[hole] = 0
	s.count--
	// Move back what had probed past the hole, so that no tombstones are needed.
	for i := (hole + 1) & mask; s.cells[i] != 0; i = (i + 1) & mask {
		home := s.home(s.cells[i])
		if (i-home)&mask >= (i-hole)&mask {
			s.cells[hole], s.cells[i] = s.cells[i], 0
			hole = i
		}
	}
	return true
}

// home spreads identifiers by a multiplicative hash: sequential ones, the usual case, would otherwise form one long run.
func (s *IDSet) home(id uint16) int { return int((uint32(id)*40503)>>4) & (len(s.cells) - 1) }

func (s *IDSet) find(id uint16) int {
	i := s.home(id)
	for s.cells[i] != 0 && s.cells[i] != id {
		i = (i + 1) & (len(s.cells) - 1)
	}
	return i
}

func (s *IDSet) grow() {
	old := s.cells
	s.cells = make([]uint16, max(8, 2*len(old)))
	for _, id := range old {
		if id != 0 {
			s.cells[s.find(id)] = id
		}
	}
}
