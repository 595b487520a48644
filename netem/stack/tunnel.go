package stack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/header/parse"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// The host knows the devices by addresses of the block for benchmarks (RFC 2544), all
// of which it reaches through the tunnel; itself it has the last one.
var (
	tunnelBlock = [4]byte{198, 18, 0, 0} // /15
	tunnelHost  = [4]byte{198, 19, 255, 254}
	tunnelMask  = [4]byte{255, 254, 0, 0}
)

// maxTunnelDevices is how many devices have an address in the block.
const maxTunnelDevices = 1<<17 - 4

// tunnel is a TUN device of the host in the place of the gateway: what comes off an
// uplink is handed to the host's own TCP/IP, and what that sends to a device goes onto
// the device's downlink. So the target sees the losses itself.
type tunnel struct {
	n    *Network
	file *os.File
	work sync.WaitGroup

	mu   sync.Mutex          // a leaf
	real map[[4]byte][4]byte // of a target, by its address among the devices
	fake map[[4]byte][4]byte // the other way round
}

// ErrNoTunnel is wrapped by the error of New where the system has no TUN device for us.
var ErrNoTunnel = errors.New("no TUN device: it takes Linux, /dev/net/tun and the capability NET_ADMIN")

func newTunnel(n *Network, name string) (*tunnel, error) {
	file, err := openTUN(name, n.config.MTUBytes)
	if err != nil {
		return nil, fmt.Errorf("stack: TUN %q: %w", name, err)
	}
	t := &tunnel{n: n, file: file, real: make(map[[4]byte][4]byte), fake: make(map[[4]byte][4]byte)}
	t.work.Add(1)
	go t.read()
	return t, nil
}

// announce makes a target known by its address among the devices.
func (t *tunnel) announce(host string, a tcpip.Address) error {
	resolved, err := net.ResolveIPAddr("ip4", host)
	if err != nil {
		return err
	}
	ip, _ := netip.AddrFromSlice(resolved.IP.To4())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.real[a.As4()] = ip.As4()
	t.fake[ip.As4()] = a.As4()
	return nil
}

// send hands a packet of a device to the host. It changes the packet's addresses.
func (t *tunnel) send(d *Device, p *gvisor.PacketBuffer) {
	b := p.ToBuffer()
	defer b.Release()
	ip := header.IPv4(b.Flatten())
	t.mu.Lock()
	target, known := t.real[ip.DestinationAddress().As4()]
	t.mu.Unlock()
	if !known {
		return
	}
	ip.SetDestinationAddress(tcpip.AddrFrom4(target))
	ip.SetSourceAddress(tcpip.AddrFrom4(tunnelAddress(d.number)))
	sumUp(ip)
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	// What the host does not take is lost, as at any full queue.
	_, _ = t.file.Write(ip)
}

// tunnelAddress is what the host knows a device by.
func tunnelAddress(number uint32) (a [4]byte) {
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(tunnelBlock[:])+number+1)
	return a
}

// read puts what the host sends onto the downlinks, until the tunnel is closed.
func (t *tunnel) read() {
	defer t.work.Done()
	b := make([]byte, t.n.config.MTUBytes)
	for {
		k, err := t.file.Read(b)
		if err != nil {
			return
		}
		t.receive(b[:k])
	}
}

func (t *tunnel) receive(b []byte) {
	ip := header.IPv4(b)
	if !ip.IsValid(len(b)) || ip.TransportProtocol() != header.TCPProtocolNumber {
		return // the host says more than it is asked, such as router solicitations
	}
	t.mu.Lock()
	target, known := t.fake[ip.SourceAddress().As4()]
	t.mu.Unlock()
	to := ip.DestinationAddress().As4()
	number := binary.BigEndian.Uint32(to[:]) - binary.BigEndian.Uint32(tunnelBlock[:]) - 1
	n := t.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if !known || int(number) >= len(n.byAddress) {
		return
	}
	d := n.byAddress[number]
	ip.SetSourceAddress(tcpip.AddrFrom4(target))
	ip.SetDestinationAddress(d.address)
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	p := gvisor.NewPacketBuffer(gvisor.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
	defer p.DecRef()
	if parse.IPv4(p) && parse.TCP(p) {
		d.admitLocked(down, time.Duration(n.elapsed()), p)
	}
}

// close gives the device back to the host, which forgets it.
func (t *tunnel) close() {
	t.file.Close()
	t.work.Wait()
}
