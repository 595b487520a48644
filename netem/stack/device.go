package stack

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/ports"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
)

// direction is that of a packet, as seen by the device.
type direction uint8

const (
	up direction = iota
	down
)

// MaxDevices is how many devices one network can address.
const MaxDevices = 1<<24 - 2

// Device is one emulated host behind its own pair of links.
type Device struct {
	// UserData belongs to the user.
	UserData any

	n       *Network
	path    *path
	number  uint32
	address tcpip.Address
	shape   shape
	capture *pcapng.Writer
	port    atomic.Uint32 // last local port used

	// Owned by the loop.
	ending    [2]uint16 // port of the connection whose FIN or RST came last, see leaveToTCP
	sockets   []*Socket
	endpoints [2]*tcp.Endpoint // of the latest packets, see handInline
	rounds    [2]uint32        // see markRound
	closed    uint64           // retransmissions of sockets that are gone

	// Guarded by n.mu.
	links [2]link.Link
	seq   [2]uint32
	syns  handshake
	off   bool
	conns map[*conn]struct{} // of Dial
}

// AddDevice adds a device to the network; it is powered on.
func (n *Network) AddDevice(c DeviceConfig) (*Device, error) {
	most := MaxDevices
	if n.tunnel != nil {
		most = maxTunnelDevices
	}
	if len(n.list) >= most {
		return nil, fmt.Errorf("stack: a network has at most %d devices: use several", most)
	}
	if err := c.TCP.validate(); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	d := &Device{n: n, number: uint32(len(n.list)), shape: c.TCP.shape(), capture: c.Capture}
	a := 10<<24 | (d.number + 1)
	d.address = tcpip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
	d.port.Store(firstPort + d.number%1000)
	seed := c.Seed
	if seed == 0 {
		seed = n.config.Seed ^ (uint64(d.number)+1)*0x9e3779b97f4a7c15
	}
	models := [2]*link.Model{cmp.Or(c.Up, perfect), cmp.Or(c.Down, perfect)}
	for dir, m := range models {
		d.links[dir].Init(m, seed, uint64(dir))
	}
	var err error
	if d.path, err = n.pathFor(n.pathClass(models[up], models[down], c.TCP)); err != nil {
		return nil, err
	}
	if err := d.path.devices.addAddress(d.address); err != nil {
		return nil, fmt.Errorf("stack: device %d: %w", d.number, err)
	}
	n.list = append(n.list, d)
	n.mu.Lock()
	n.byAddress = n.list
	n.mu.Unlock()
	return d, nil
}

// perfect is the link of a device that has none. It is never changed.
var perfect = func() *link.Model {
	m, err := link.Compile(link.Config{})
	if err != nil {
		panic(err)
	}
	return m
}()

// Number returns the number of the device in its network, counted from 0.
func (d *Device) Number() int { return int(d.number) }

// ErrPoweredOff is returned by Open and Dial for a device without power.
var ErrPoweredOff = errors.New("the device is powered off")

// Open starts a connection to a target, given as host:port. Opened or Closed of
// the handler follows, never before Open has returned.
func (d *Device) Open(target string, h Handler) (*Socket, error) {
	if d.Off() {
		return nil, ErrPoweredOff
	}
	remote, err := d.n.target(target)
	if err != nil {
		return nil, err
	}
	s := &Socket{n: d.n, device: d, handler: h}
	s.queue = &s.own
	var terr tcpip.Error
	if s.ep, terr = d.path.devices.stack.NewEndpoint(tcp.ProtocolNumber, header.IPv4ProtocolNumber, s.queue); terr != nil {
		return nil, fmt.Errorf("open %s: %w", target, connectionError(terr))
	}
	s.watch()
	terr = d.connect(s.ep, remote)
	if _, started := terr.(*tcpip.ErrConnectStarted); terr != nil && !started {
		s.dead = true
		s.ep.Close()
		return nil, fmt.Errorf("open %s: %w", target, connectionError(terr))
	}
	d.sockets = append(d.sockets, s)
	return s, nil
}

// Local ports of devices. Counting them up instead of drawing them keeps a new
// connection clear of the one before, which may be in TIME-WAIT or unknown to
// have died.
const firstPort, lastPort = 20000, 65535

// connect starts a connection from the device's next local port. The reservation of
// the port is given back at once: it would take a kilobyte for as long as the
// connection lasts, and counting up is reservation enough.
func (d *Device) connect(ep tcpip.Endpoint, remote tcpip.FullAddress) tcpip.Error {
	port := uint16(firstPort + (d.port.Add(1)-firstPort)%(lastPort-firstPort+1))
	if err := ep.Bind(tcpip.FullAddress{NIC: nicID, Addr: d.address, Port: port}); err != nil {
		return err
	}
	defer d.path.devices.stack.ReleasePort(ports.Reservation{
		Networks: ipv4Only, Transport: tcp.ProtocolNumber, Addr: d.address, Port: port,
	})
	return ep.Connect(remote)
}

var ipv4Only = []tcpip.NetworkProtocolNumber{header.IPv4ProtocolNumber}

// SetLinks changes how packets sent from now on are treated; nil leaves a
// direction as it is. The device's shortest retransmission timeout stays that of
// the links it was made with. Any goroutine may call it.
func (d *Device) SetLinks(upModel, downModel *link.Model) {
	d.n.mu.Lock()
	defer d.n.mu.Unlock()
	if upModel != nil {
		d.links[up].SetModel(upModel)
	}
	if downModel != nil {
		d.links[down].SetModel(downModel)
	}
}

// PowerOff takes the device's power away: its connections are gone without a word
// to the peer, and no Handler is called. A packet already on the uplink still
// arrives; one on the downlink does not.
func (d *Device) PowerOff() {
	d.n.mu.Lock()
	d.off = true
	conns := d.conns
	d.conns = nil
	d.n.mu.Unlock()
	for c := range conns {
		c.ep.Abort()
	}
	for _, s := range slices.Clone(d.sockets) {
		// The reset that this sends does not pass the dead link.
		s.Abort()
	}
}

// PowerOn gives the power back. Packets for connections from before are answered
// with a reset, as by any host that knows nothing of them.
func (d *Device) PowerOn() {
	d.n.mu.Lock()
	d.off = false
	d.n.mu.Unlock()
}

// Off reports whether the device is without power.
func (d *Device) Off() bool {
	d.n.mu.Lock()
	defer d.n.mu.Unlock()
	return d.off
}

// Counters returns what the links of the device have carried and lost. Any
// goroutine may call it.
func (d *Device) Counters() (upCount, downCount link.Counters) {
	d.n.mu.Lock()
	defer d.n.mu.Unlock()
	return d.links[up].Counters(), d.links[down].Counters()
}

// Retransmissions returns how often the device itself has sent a segment again,
// over all its sockets so far.
func (d *Device) Retransmissions() uint64 {
	sum := d.closed
	for _, s := range d.sockets {
		sum += s.retransmissions()
	}
	return sum
}

func (d *Device) forget(s *Socket) {
	d.closed += s.retransmissions()
	d.endpoints = [2]*tcp.Endpoint{}
	if i := slices.Index(d.sockets, s); i >= 0 {
		d.sockets = slices.Delete(d.sockets, i, i+1)
	}
}
