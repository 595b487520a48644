package stack

import (
	_ "unsafe" // for go:linkname

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/header/parse"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// handleSegments makes an endpoint work off the segments that were queued for it. It
// must be locked by LockUser.
//
// gVisor exports no way to do this on the calling goroutine, see the package's Design.
// A version of it that has no such method any more does not link. It can be done without:
// BenchmarkTrip and BenchmarkHold of the fleet tell what is lost then.
//
//go:linkname handleSegments gvisor.dev/gvisor/pkg/tcpip/transport/tcp.(*Endpoint).handleSegmentsLocked
func handleSegments(*tcp.Endpoint) tcpip.Error

// segmentQueue is what a gVisor protocol is for the layer below it.
type segmentQueue interface {
	QueuePacket(gvisor.TransportEndpoint, gvisor.TransportEndpointID, *gvisor.PacketBuffer)
}

// handInline makes TCP work on an arriving packet at once, on the loop, and reports
// whether it did: for data and acknowledgements on established connections, which
// are all but a few. What opens or ends a connection is left to TCP's goroutines, as
// it has more consequences than handleSegments draws, and so is what comes after, which
// would be worked on together with it.
func (h *host) handInline(d *Device, dir direction, p *gvisor.PacketBuffer) bool {
	b, ok := p.Data().PullUp(header.IPv4MinimumSize + header.TCPMinimumSize)
	if !ok {
		return false
	}
	ip, segment := header.IPv4(b), header.TCP(b[header.IPv4MinimumSize:])
	if d.leaveToTCP(dir, segment) {
		return false
	}
	ep := h.endpoint(&d.endpoints[dir], gvisor.TransportEndpointID{
		LocalAddress: ip.DestinationAddress(), LocalPort: segment.DestinationPort(),
		RemoteAddress: ip.SourceAddress(), RemotePort: segment.SourcePort(),
	})
	if ep == nil || ep.EndpointState() != tcp.StateEstablished {
		return false
	}
	ep.LockUser()
	if ep.EndpointState() != tcp.StateEstablished {
		ep.UnlockUser()
		return false
	}
	var err tcpip.Error
	if parse.IPv4(p) && parse.TCP(p) {
		p.RXChecksumValidated = true
		h.queue.QueuePacket(ep, ep.ID, p) // wakes nobody up while the endpoint is locked
		err = handleSegments(ep)
	}
	ep.UnlockUser()
	if err != nil { // by a reset that overtook the packet, and another connection's since
		ep.Abort()
	}
	return true
}

// leaveToTCP reports whether a segment opens or ends a connection, or comes after one
// that does.
func (d *Device) leaveToTCP(dir direction, segment header.TCP) bool {
	port, flags := segment.DestinationPort(), segment.Flags()
	if dir == up {
		port = segment.SourcePort()
	}
	switch {
	case flags&(header.TCPFlagFin|header.TCPFlagRst) != 0:
		d.ending[dir] = port
	case flags&^header.TCPFlagPsh == header.TCPFlagAck:
		return d.ending[dir] == port
	case d.ending[dir] == port: // it is used again
		d.ending[dir] = 0
	}
	return true
}

// endpoint returns the endpoint of a connection, nil if there is none. latest is where
// the packet before went: most likely where this one goes.
func (h *host) endpoint(latest **tcp.Endpoint, id gvisor.TransportEndpointID) *tcp.Endpoint {
	if ep := *latest; ep != nil && ep.ID == id {
		return ep
	}
	ep, _ := h.stack.FindTransportEndpoint(header.IPv4ProtocolNumber, header.TCPProtocolNumber, id, nicID).(*tcp.Endpoint)
	*latest = ep
	return ep
}
