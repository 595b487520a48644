// Package pcapng writes IP packets to a capture file that Wireshark and tcpdump
// open: pcapng, with the time in nanoseconds, the direction of each packet, and a
// comment where there is something to say of it, such as that it was lost.
//
// A file has one section and one interface of raw IP packets. The format is that of
// draft-ietf-opsawg-pcapng; the older pcap knows neither directions nor comments.
package pcapng

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// The blocks and options used, as numbered by the format.
const (
	blockSection   = 0x0A0D0D0A
	blockInterface = 1
	blockPacket    = 6

	byteOrder = 0x1A2B3C4D
	linkRaw   = 101 // LINKTYPE_RAW: begins with the IP header

	optionEnd        = 0
	optionComment    = 1
	optionName       = 2 // of an interface
	optionPacketFlag = 2 // of a packet
	optionResolution = 9 // of an interface's times, as a negative power of ten
)

// Direction is that of a packet, as seen by the captured host.
type Direction uint32

// The directions, as numbered by the format.
const (
	In  Direction = 1
	Out Direction = 2
)

// Writer writes one capture file. Any number of goroutines may use it. What it was
// given reaches the file at the latest with Flush.
type Writer struct {
	mu      sync.Mutex
	w       *bufio.Writer
	err     error // the first that occurred
	scratch []byte
}

// NewWriter begins a file. The name is that of the interface, for people. An error of
// w is reported by Flush.
func NewWriter(w io.Writer, name string) *Writer {
	p := &Writer{w: bufio.NewWriterSize(w, 64<<10)}
	section := binary.LittleEndian.AppendUint32(nil, byteOrder)
	section = append(section, 1, 0, 0, 0)                           // version 1.0
	section = binary.LittleEndian.AppendUint64(section, ^uint64(0)) // length not told
	p.block(blockSection, section)
	device := binary.LittleEndian.AppendUint32(nil, linkRaw)
	device = append(device, 0, 0, 0, 0) // packets are not cut
	device = appendOption(device, optionName, []byte(name))
	device = appendOption(device, optionResolution, []byte{9})
	p.block(blockInterface, appendOption(device, optionEnd, nil))
	return p
}

// Packet adds one IP packet. The comment may be empty.
func (p *Writer) Packet(at time.Time, d Direction, ip []byte, comment string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	nanos := uint64(at.UnixNano())
	b := binary.LittleEndian.AppendUint32(p.scratch[:0], 0) // interface
	b = binary.LittleEndian.AppendUint32(b, uint32(nanos>>32))
	b = binary.LittleEndian.AppendUint32(b, uint32(nanos))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(ip))) // captured
	b = binary.LittleEndian.AppendUint32(b, uint32(len(ip))) // sent
	b = pad(append(b, ip...))
	b = appendOption(b, optionPacketFlag, binary.LittleEndian.AppendUint32(nil, uint32(d)))
	if comment != "" {
		b = appendOption(b, optionComment, []byte(comment))
	}
	p.scratch = appendOption(b, optionEnd, nil)
	p.block(blockPacket, p.scratch)
}

// Flush writes what is kept back, and returns the first error of the file so far.
func (p *Writer) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = p.w.Flush()
	}
	return p.err
}

// block writes one block, whose length stands before and behind it.
func (p *Writer) block(kind uint32, body []byte) {
	if p.err != nil {
		return
	}
	length := uint32(len(body) + 12)
	head := binary.LittleEndian.AppendUint32(make([]byte, 0, 8), kind)
	head = binary.LittleEndian.AppendUint32(head, length)
	for _, part := range [][]byte{head, body, head[4:]} {
		if _, p.err = p.w.Write(part); p.err != nil {
			return
		}
	}
}

func appendOption(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return pad(append(b, value...))
}

// pad fills up to the next multiple of four bytes, as blocks and options have to.
func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
