package stack

import (
	"encoding/binary"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"

	"mqttlab/netem/link"
)

// wire is what a TCP/IP stack is plugged into: all links in one direction. It
// asks each packet's link for its fate and puts the packet on the event heap.
type wire struct {
	n          *Network
	sends      direction // of the packets its stack writes
	mtu        uint32
	dispatcher gvisor.NetworkDispatcher
}

// WritePackets sends packets. TCP's goroutines call it, with locks held.
func (w *wire) WritePackets(packets gvisor.PacketBufferList) (int, tcpip.Error) {
	n := w.n
	n.mu.Lock()
	now := time.Duration(n.elapsed())
	for _, p := range packets.AsSlice() {
		ip := header.IPv4(p.NetworkHeader().Slice())
		address := ip[12:16] // source
		if w.sends == down {
			address = ip[16:20]
		}
		i := binary.BigEndian.Uint32(address)&(1<<24-1) - 1
		if int(i) >= len(n.byAddress) || address[0] != 10 {
			continue // to nobody
		}
		n.byAddress[i].admitLocked(w.sends, now, p)
	}
	n.mu.Unlock()
	return packets.Len(), nil
}

// admitLocked sends one packet over one of the device's links.
func (d *Device) admitLocked(dir direction, now time.Duration, p *gvisor.PacketBuffer) {
	if d.off && dir == up {
		return
	}
	d.syns.sentLocked(dir, p)
	if shaped := d.shape.apply(dir, p); shaped != p {
		defer shaped.DecRef()
		p = shaped
	}
	fate := d.links[dir].Admit(now, p.Size())
	if due, released, ok := d.links[1-dir].Touch(now); ok {
		d.n.events.hasten(d, 1-dir, int64(due), int64(released))
		d.n.wakeLocked(int64(released))
	}
	d.captureSent(dir, int64(now), fate, p)
	if fate.Drop != link.Delivered {
		return
	}
	d.pushLocked(dir, int64(fate.At), p)
	if fate.Duplicated {
		d.pushLocked(dir, int64(fate.At), p)
	}
}

func (d *Device) pushLocked(dir direction, at int64, p *gvisor.PacketBuffer) {
	d.seq[dir]++
	d.n.events.push(entry{
		at:     at,
		order:  packetOrder(d.number, dir, d.seq[dir]),
		packet: gvisor.NewPacketBuffer(gvisor.PacketBufferOptions{Payload: p.ToBuffer()}),
		device: d,
	})
	d.n.wakeLocked(at)
}

// deliver hands an arriving packet to the stack at the end of its link.
func (n *Network) deliver(e *entry) {
	d, h := e.device, e.device.path.gateway
	if e.direction() == down {
		h = d.path.devices
	}
	defer func() { e.packet.DecRef() }()
	n.mu.Lock()
	if e.direction() == down && d.off {
		n.mu.Unlock()
		return
	}
	d.captureArrived(e.direction(), e.packet)
	e.packet = d.syns.receiveLocked(e.direction(), e.packet)
	n.mu.Unlock()
	if e.direction() == up && n.tunnel != nil {
		n.tunnel.send(d, e.packet)
		return
	}
	if h.handInline(d, e.direction(), e.packet) {
		return
	}
	n.markRound(e)
	h.dirty, n.dirty = true, true
	h.sawSYN = h.sawSYN || n.config.Virtual && isSYN(e.packet)
	h.wire.dispatcher.DeliverNetworkPacket(header.IPv4ProtocolNumber, e.packet)
}

// isSYN reports whether a packet starts a connection.
func isSYN(p *gvisor.PacketBuffer) bool {
	b, ok := p.Data().PullUp(header.IPv4MinimumSize + header.TCPMinimumSize)
	return ok && header.TCP(b[header.IPv4MinimumSize:]).Flags().Contains(header.TCPFlagSyn)
}

// The rest implements gVisor's idea of a link device. Checksums are left out:
// nothing damages a packet here, and they would cost a fifth of the processor.

// Capabilities says that nobody needs to compute or check checksums.
func (*wire) Capabilities() gvisor.LinkEndpointCapabilities {
	return gvisor.CapabilityTXChecksumOffload | gvisor.CapabilityRXChecksumOffload
}

// Attach connects the stack, or disconnects it with nil.
func (w *wire) Attach(d gvisor.NetworkDispatcher) { w.dispatcher = d }

// IsAttached reports whether a stack is connected.
func (w *wire) IsAttached() bool { return w.dispatcher != nil }

// MTU returns the largest IP packet.
func (w *wire) MTU() uint32 { return w.mtu }

// SetMTU is not used: the MTU is that of the Config.
func (*wire) SetMTU(uint32) {}

// MaxHeaderLength is zero: IP packets go without a frame.
func (*wire) MaxHeaderLength() uint16 { return 0 }

// LinkAddress is empty, as on any point-to-point link.
func (*wire) LinkAddress() tcpip.LinkAddress { return "" }

// SetLinkAddress is not used.
func (*wire) SetLinkAddress(tcpip.LinkAddress) {}

// Wait returns at once: the wire has no goroutines.
func (*wire) Wait() {}

// ARPHardwareType says that there is no address resolution.
func (*wire) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }

// AddHeader adds nothing.
func (*wire) AddHeader(*gvisor.PacketBuffer) {}

// ParseHeader has nothing to parse.
func (*wire) ParseHeader(*gvisor.PacketBuffer) bool { return true }

// Close has nothing to close.
func (*wire) Close() {}

// SetOnCloseAction is not used.
func (*wire) SetOnCloseAction(func()) {}
