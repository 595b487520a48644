package broker

import "sync"

// pool keeps the buffers in which bytes wait for their socket, and the lists of connections to flush: most live for microseconds. It is
// bounded, so that a burst does not keep its memory for ever. mu is a leaf. (A sync.Pool allocates for each slice it takes back.)
type pool struct {
	mu      sync.Mutex
	buffers [][]byte
	lists   [][]*conn
}

const (
	smallestBuffer = 2 << 10
	largestKept    = 64 << 10 // bytes; larger buffers are left to the garbage collector
	fullBuffer     = 48 << 10 // bytes from which nothing is added to a buffer, so that most messages fit without growing it
	mostKept       = 64       // buffers, 4 MiB in all, and as many lists
)

func (p *pool) takeBuffer() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.buffers)
	if n == 0 {
		return make([]byte, 0, smallestBuffer)
	}
	b := p.buffers[n-1]
	p.buffers = p.buffers[:n-1]
	return b
}

// takeLarge returns a buffer for somebody who has filled one already.
func (p *pool) takeLarge() []byte {
	if b := p.takeBuffer(); cap(b) == largestKept {
		return b
	}
	return make([]byte, 0, largestKept)
}

func (p *pool) giveBuffer(b []byte) {
	if cap(b) == 0 || cap(b) > largestKept {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.buffers) < mostKept {
		p.buffers = append(p.buffers, b[:0])
	}
}

func (p *pool) takeList() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.lists)
	if n == 0 {
		return nil
	}
	l := p.lists[n-1]
	p.lists = p.lists[:n-1]
	return l
}

func (p *pool) giveList(l []*conn) {
	clear(l)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lists) < mostKept {
		p.lists = append(p.lists, l[:0])
	}
}
