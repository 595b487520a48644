package stack

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	gvisor "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// nicID is the only interface of each TCP/IP stack.
const nicID = 1

// host is one TCP/IP stack: that of the devices of a path, or that of the gateway.
type host struct {
	stack *gvisor.Stack
	tcp   gvisor.TransportProtocol
	wire  *wire
	queue segmentQueue // of tcp

	// Owned by the loop, in virtual time: packets were delivered since the
	// last quiesce, a SYN among them.
	dirty, sawSYN bool
}

func newHost(n *Network, sends direction, t TCP, minRTO time.Duration, stream uint64) (*host, error) {
	random := newRandom(n.config.Seed, stream)
	options := gvisor.Options{
		NetworkProtocols:   []gvisor.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []gvisor.TransportProtocolFactory{tcp.NewProtocol},
		SecureRNG:          random,
		RandSource:         random,
		Clock:              clock{n},
	}
	h := &host{stack: gvisor.New(options), wire: &wire{n: n, sends: sends, mtu: uint32(n.config.MTUBytes)}}
	h.tcp = h.stack.TransportProtocolInstance(tcp.ProtocolNumber)
	h.queue = h.tcp.(segmentQueue)
	if err := h.setup(t, minRTO); err != nil {
		h.close()
		return nil, fmt.Errorf("stack: %s", err)
	}
	return h, nil
}

// setup applies the TCP options and attaches the links.
func (h *host) setup(c TCP, minRTO time.Duration) tcpip.Error {
	sack, rack := tcpip.TCPSACKEnabled(!c.NoSACK), tcpip.TCPRecovery(0)
	if c.RACK {
		rack = tcpip.TCPRACKLossDetection
	}
	cubic, moderate := tcpip.CongestionControlOption("cubic"), tcpip.TCPModerateReceiveBufferOption(false)
	rto := tcpip.TCPMinRTOOption(minRTO)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 1, Default: c.SendBufferBytes, Max: c.SendBufferBytes}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 1, Default: c.ReceiveBufferBytes, Max: c.ReceiveBufferBytes}
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &rack, &cubic, &moderate, &rto, &send, &receive} {
		if err := h.stack.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return err
		}
	}
	if err := h.stack.CreateNIC(nicID, h.wire); err != nil {
		return err
	}
	h.stack.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nicID}})
	return nil
}

// addAddress gives the interface an address.
func (h *host) addAddress(a tcpip.Address) error {
	err := h.stack.AddProtocolAddress(nicID, tcpip.ProtocolAddress{
		Protocol:          header.IPv4ProtocolNumber,
		AddressWithPrefix: a.WithPrefix(),
	}, gvisor.AddressProperties{})
	if err != nil {
		return fmt.Errorf("add address %s: %s", a, err)
	}
	return nil
}

// close ends the stack's goroutines. Stack.Wait is not used: it waits for
// connections in TIME-WAIT, which on a virtual clock takes forever.
func (h *host) close() {
	for _, e := range h.stack.RegisteredEndpoints() {
		e.Abort()
	}
	h.tcp.Close()
	h.tcp.Wait()
	h.stack.RemoveNIC(nicID)
}

// random is the seeded source of a stack's sequence numbers, identifiers and
// hashes. TCP's goroutines share it.
type random struct {
	mu     sync.Mutex
	chacha *rand.ChaCha8
}

func newRandom(seed, stream uint64) *random {
	var key [32]byte
	pcg := rand.NewPCG(seed, stream)
	for i := range key {
		key[i] = byte(pcg.Uint64())
	}
	return &random{chacha: rand.NewChaCha8(key)}
}

// Read implements io.Reader and never fails.
func (r *random) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.chacha.Read(p)
}

// Int63 and Seed make it the math/rand source that gVisor asks for.
func (r *random) Int63() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(r.chacha.Uint64() >> 1)
}

// Seed does nothing: the seed is given once.
func (r *random) Seed(int64) {}
