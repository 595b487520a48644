package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// shape is what a TCPProfile does to a device's packets on their way to and from the
// shared stack, whose own settings hold for all devices: what is not in a SYN is not
// negotiated, so rewriting SYNs is enough to take options away.
type shape struct {
	mss, window uint16 // zero: as they are
	plain       bool
}

func (p TCPProfile) shape() shape {
	return shape{mss: uint16(p.MSSBytes), window: uint16(min(p.WindowBytes, 1<<16-1)), plain: p.Plain}
}

// apply returns a packet as it goes over the link. The result shares nothing with p, or
// is p, changed in place, which the sending stack never looks at again.
func (s shape) apply(dir direction, p *gvisor.PacketBuffer) *gvisor.PacketBuffer {
	segment := header.TCP(p.TransportHeader().Slice())
	if s == (shape{}) || len(segment) < header.TCPMinimumSize {
		return p
	}
	// A window that is scaled holds less than this only where it is full.
	if dir == up && s.window > 0 && segment.WindowSize() > s.window {
		segment.SetWindowSize(s.window)
	}
	if !segment.Flags().Contains(header.TCPFlagSyn) {
		return p
	}
	return s.rewriteSYN(p)
}

// rewriteSYN makes a new packet of a SYN, with the options that the shape leaves.
func (s shape) rewriteSYN(p *gvisor.PacketBuffer) *gvisor.PacketBuffer {
	b := p.ToBuffer()
	defer b.Release()
	ip := header.IPv4(b.Flatten())
	segment := header.TCP(ip.Payload())
	options := s.options(segment.Options())
	length := int(ip.HeaderLength()) + header.TCPMinimumSize
	ip = append(ip[:length:length], options...) // a SYN has no payload
	segment = header.TCP(ip[ip.HeaderLength():])
	segment.SetDataOffset(uint8(header.TCPMinimumSize + len(options)))
	ip.SetTotalLength(uint16(len(ip)))
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	return gvisor.NewPacketBuffer(gvisor.PacketBufferOptions{Payload: buffer.MakeWithData(ip)})
}

// options filters the options of a SYN.
func (s shape) options(all []byte) []byte {
	var kept []byte
	for len(all) > 0 && all[0] != header.TCPOptionEOL {
		size := 1
		if all[0] != header.TCPOptionNOP && len(all) > 1 {
			size = max(1, min(int(all[1]), len(all)))
		}
		option := all[:size:size]
		all = all[size:]
		switch {
		case option[0] == header.TCPOptionMSS && size == header.TCPOptionMSSLength:
			mss := binary.BigEndian.Uint16(option[2:])
			if s.mss > 0 {
				mss = min(mss, s.mss)
			}
			kept = binary.BigEndian.AppendUint16(append(kept, option[:2]...), mss)
		case !s.plain:
			kept = append(kept, option...)
		}
	}
	for len(kept)%4 != 0 {
		kept = append(kept, header.TCPOptionNOP)
	}
	return kept
}
