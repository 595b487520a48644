package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// handshake counts the SYNs of a device's latest connection, until it stands.
//
// gVisor keeps the timestamp of the first SYN in those that it sends again, and
// measures the round trip from the one that is echoed. So after a lost SYN or
// SYN-ACK the sample is a second too long or more, and the timeout, which starts
// at three times the first sample, lets the first lost message wait for six
// seconds. Karn's algorithm (RFC 6298, section 3) takes no sample from what was
// sent more than once; here the stack gets none because it does not see the echo.
type handshake struct {
	port uint16   // of the device
	syns [2]uint8 // sent by device and peer
}

// sentLocked takes note of a packet that enters a link.
func (h *handshake) sentLocked(dir direction, p *gvisor.PacketBuffer) {
	segment := header.TCP(p.TransportHeader().Slice())
	if len(segment) < header.TCPMinimumSize || !segment.Flags().Contains(header.TCPFlagSyn) {
		return
	}
	port := segment.SourcePort()
	if dir == down {
		port = segment.DestinationPort()
	}
	if h.port != port {
		*h = handshake{port: port}
	}
	h.syns[dir] = min(h.syns[dir]+1, 2)
}

// receiveLocked returns an arriving packet as the stack may see it. It takes over p.
func (h *handshake) receiveLocked(dir direction, p *gvisor.PacketBuffer) *gvisor.PacketBuffer {
	if h.port == 0 {
		return p
	}
	ip, ok := p.Data().PullUp(min(p.Data().Size(), header.IPv4MinimumSize+header.TCPHeaderMaximumSize))
	if !ok || len(ip) < header.IPv4MinimumSize+header.TCPMinimumSize {
		return p
	}
	segment := header.TCP(ip[header.IPv4MinimumSize:])
	port, syn := segment.DestinationPort(), segment.Flags().Contains(header.TCPFlagSyn)
	if dir == up {
		port = segment.SourcePort()
	}
	if port != h.port || syn != (dir == down) {
		return p
	}
	again := h.syns[1-dir] > 1
	if dir == up {
		*h = handshake{} // it stands
	}
	if !again {
		return p
	}
	defer p.DecRef()
	return withoutEcho(p)
}

// withoutEcho returns a copy of a TCP/IPv4 packet that echoes no timestamp.
func withoutEcho(p *gvisor.PacketBuffer) *gvisor.PacketBuffer {
	b := p.ToBuffer()
	defer b.Release()
	ip := b.Flatten()
	segment := header.TCP(ip[header.IPv4MinimumSize:])
	if offset := int(segment.DataOffset()); offset >= header.TCPMinimumSize && offset <= len(segment) {
		clearEcho(segment[header.TCPMinimumSize:offset])
	}
	return gvisor.NewPacketBuffer(gvisor.PacketBufferOptions{Payload: buffer.MakeWithData(ip)})
}

// clearEcho sets the echo of the timestamp option to zero, which says that there is none.
func clearEcho(options []byte) {
	for len(options) > 1 && options[0] != header.TCPOptionEOL {
		size := 1
		if options[0] != header.TCPOptionNOP {
			size = int(options[1])
		}
		if size < 1 || size > len(options) {
			return
		}
		if options[0] == header.TCPOptionTS && size == header.TCPOptionTSLength {
			binary.BigEndian.PutUint32(options[6:], 0)
			return
		}
		options = options[size:]
	}
}
