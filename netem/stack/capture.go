package stack

import (
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
)

// captureSent records a packet as it enters a link, if the device's end would see it
// there: all that goes up, and of what goes down that which never arrives. So each
// packet is recorded once, and a lost one has the reason as its comment.
func (d *Device) captureSent(dir direction, at int64, fate link.Fate, p *gvisor.PacketBuffer) {
	switch {
	case d.capture == nil || dir == down && fate.Drop == link.Delivered:
	case fate.Drop == link.Delivered:
		d.record(dir, at, p, "")
	default:
		d.record(dir, at, p, "lost: "+fate.Drop.String())
	}
}

// captureArrived records a packet that leaves a link, if the device gets it.
func (d *Device) captureArrived(dir direction, p *gvisor.PacketBuffer) {
	if d.capture != nil && dir == down {
		d.record(dir, d.n.elapsed(), p, "")
	}
}

func (d *Device) record(dir direction, at int64, p *gvisor.PacketBuffer, comment string) {
	buffer := p.ToBuffer()
	ip := buffer.Flatten()
	buffer.Release()
	sumUp(ip)
	way := pcapng.Out
	if dir == down {
		way = pcapng.In
	}
	d.capture.Packet(d.n.timeAt(at), way, ip, comment)
}

// sumUp fills in the checksum of a TCP segment, which is left out between the stacks
// and would be shown as wrong.
func sumUp(packet []byte) {
	ip := header.IPv4(packet)
	if ip.TransportProtocol() != header.TCPProtocolNumber {
		return
	}
	segment := header.TCP(ip.Payload())
	segment.SetChecksum(0)
	pseudo := header.PseudoHeaderChecksum(header.TCPProtocolNumber, ip.SourceAddress(), ip.DestinationAddress(), uint16(len(segment)))
	segment.SetChecksum(^checksum.Checksum(segment, pseudo))
}
