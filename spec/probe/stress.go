package probe

import (
	"math/rand/v2"
	"net"
	"time"
)

// Stress wraps a connection so that the stream of bytes arrives cut: what is written in
// one piece, be it one packet or several, goes out in several. The seed decides for the
// whole connection how: byte by byte, at places drawn over all that is left, or in pieces
// of a few bytes; and whether the reader takes its time. None of it may matter: TCP
// promises an order of bytes, not their grouping (section 4.2 of both standards).
//
// A piece is handed to the network before the next is written, and Go turns Nagle's
// algorithm off, so that most pieces become segments of their own.
func Stress(conn net.Conn, seed uint64) net.Conn {
	r := rand.New(rand.NewPCG(seed, 0x73747265))
	s := &stressed{Conn: conn, cut: cuts[r.IntN(len(cuts))], rand: r}
	if r.IntN(4) == 0 {
		s.pauses = mostPauses
	}
	return s
}

// The limits of a connection under stress. More pieces per write, or more and longer pauses,
// would make checks slow without showing anything new.
const (
	mostPieces = 256
	readPause  = time.Millisecond
	mostPauses = 256
	readChunk  = 7 // bytes; odd, so that chunks never fall in step with packets
)

// cut says how long the next piece is when left bytes, at least 1, are to be written.
type cut func(r *rand.Rand, left int) int

var cuts = []cut{
	func(*rand.Rand, int) int { return 1 },
	func(r *rand.Rand, left int) int { return 1 + r.IntN(left) },
	func(r *rand.Rand, _ int) int { return 1 + r.IntN(5) },
}

// stressed is a connection under stress. Write belongs to the goroutine of the check and
// Read to that of the reader, as everywhere in a Peer; they share nothing that changes.
type stressed struct {
	net.Conn
	cut    cut
	rand   *rand.Rand // Write's alone
	pauses int        // left for Read, which a large packet would otherwise take too long for
}

func (s *stressed) Write(b []byte) (n int, err error) {
	for pieces := 0; n < len(b); pieces++ {
		size := len(b) - n
		if pieces < mostPieces {
			size = min(size, s.cut(s.rand, size))
		}
		m, err := s.Conn.Write(b[n : n+size])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (s *stressed) Read(b []byte) (int, error) {
	if s.pauses > 0 {
		s.pauses--
		time.Sleep(readPause)
		b = b[:min(len(b), readChunk)]
	}
	return s.Conn.Read(b)
}
