package stack

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// targets gives every target host an address that exists only between devices
// and gateway, out of the block for benchmarks (RFC 2544).
type targets struct {
	mu        sync.Mutex // guards the rest, and comes before any lock of TCP/IP
	byHost    map[string]tcpip.Address
	byAddress map[tcpip.Address]string
	list      []tcpip.Address // in the order of their first use
}

// announceTo makes all targets so far known to a path, which add makes visible
// to later ones.
func (t *targets) announceTo(p *path, add func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	add()
	for _, a := range t.list {
		if err := p.announce(a); err != nil {
			return err
		}
	}
	return nil
}

// announce makes a target known. The devices' interface has its address as an
// alias, see the package's Design.
func (p *path) announce(a tcpip.Address) error {
	if err := p.gateway.addAddress(a); err != nil {
		return err
	}
	return p.devices.addAddress(a)
}

// target returns the emulated address of a target given as host:port.
func (n *Network) target(hostPort string) (tcpip.FullAddress, error) {
	name, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return tcpip.FullAddress{}, fmt.Errorf("target %q: want host:port: %w", hostPort, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return tcpip.FullAddress{}, fmt.Errorf("target %q: the port must be a number from 1 to 65535", hostPort)
	}
	t := &n.targets
	t.mu.Lock()
	defer t.mu.Unlock()
	address, known := t.byHost[name]
	if !known {
		if t.byHost == nil {
			t.byHost, t.byAddress = make(map[string]tcpip.Address), make(map[tcpip.Address]string)
		}
		i := len(t.byHost) + 1
		if i >= 1<<17 {
			return tcpip.FullAddress{}, fmt.Errorf("target %q: more than %d target hosts in one network", hostPort, i-1)
		}
		address = tcpip.AddrFrom4([4]byte{198, 18 + byte(i>>16), byte(i >> 8), byte(i)})
		for _, p := range n.snapshotPaths() {
			if err := p.announce(address); err != nil {
				return tcpip.FullAddress{}, fmt.Errorf("target %q: %w", hostPort, err)
			}
		}
		if n.tunnel != nil {
			if err := n.tunnel.announce(name, address); err != nil {
				return tcpip.FullAddress{}, fmt.Errorf("target %q: %w", hostPort, err)
			}
		}
		t.byHost[name], t.byAddress[address] = address, name
		t.list = append(t.list, address)
	}
	return tcpip.FullAddress{NIC: nicID, Addr: address, Port: uint16(port)}, nil
}

// name returns the host name of a target's address.
func (t *targets) name(a tcpip.Address) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byAddress[a]
}

// backlog is that of Listen: larger than any network, because a full one would
// fall back to SYN cookies, which carry no window scale.
const backlog = 1 << 20

// Listen makes target, given as host:port, a server inside the network, in place
// of any host of that name. For each connection accept is called with the open
// socket and returns its Handler; a nil Handler resets the connection. The
// devices' links lie between: this end has none of its own.
func (n *Network) Listen(target string, accept func(*Socket) Handler) error {
	address, err := n.target(target)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	l := listening{target: target, address: address, accept: accept}
	for _, p := range n.paths {
		if err := n.listenOn(p, l); err != nil {
			return err
		}
	}
	n.listeners = append(n.listeners, l)
	return nil
}

// listening is a call of Listen, kept for paths to come.
type listening struct {
	target  string
	address tcpip.FullAddress
	accept  func(*Socket) Handler
}

func (n *Network) listenOn(p *path, l listening) error {
	s := &Socket{n: n, accept: l.accept}
	s.queue = &s.own
	var terr tcpip.Error
	if s.ep, terr = p.gateway.stack.NewEndpoint(tcp.ProtocolNumber, header.IPv4ProtocolNumber, s.queue); terr != nil {
		return fmt.Errorf("listen %s: %w", l.target, connectionError(terr))
	}
	s.watch()
	if terr = s.ep.Bind(l.address); terr == nil {
		terr = s.ep.Listen(backlog)
	}
	if terr != nil {
		s.ep.Close()
		return fmt.Errorf("listen %s: %w", l.target, connectionError(terr))
	}
	return nil
}

// acceptAll takes all waiting connections of a listener. Those of one instant may
// have come in any order, so they are put into that of the devices.
func (s *Socket) acceptAll() {
	s.pending.Store(0)
	type connection struct {
		ep    tcpip.Endpoint
		queue *waiter.Queue
		from  tcpip.FullAddress
	}
	var arrived []connection
	for {
		var c connection
		var err tcpip.Error
		if c.ep, c.queue, err = s.ep.Accept(&c.from); err != nil {
			break
		}
		arrived = append(arrived, c)
	}
	slices.SortFunc(arrived, func(a, b connection) int {
		return cmp.Or(bytes.Compare(a.from.Addr.AsSlice(), b.from.Addr.AsSlice()), cmp.Compare(a.from.Port, b.from.Port))
	})
	for _, c := range arrived {
		server := &Socket{n: s.n, ep: c.ep, queue: c.queue, opened: true}
		server.watch()
		if server.handler = s.accept(server); server.handler == nil {
			server.Abort()
			continue
		}
		// What arrived before watch was not announced.
		server.notify(c.ep.Readiness(waiter.ReadableEvents))
	}
}
