// Package stack gives thousands of emulated devices a real TCP each, behind a
// lossy link each, on the wall clock or on a virtual one.
//
// The mental model is a small radio network in one process. A Network has
// devices; every device has an address of its own and one link per direction
// (netem/link); behind all links sits one gateway. A device opens sockets to
// targets. On the way its segments pass its links as IP packets, so what a
// target sees after loss is what TCP makes of loss: retransmissions, back-off,
// silence.
//
//	device (sockets) -> TCP/IP of the devices -> uplink   -> TCP/IP of the gateway -> target
//	                                          <- downlink <-
//
// A Network is an event loop. Run executes it, and every callback (a socket's
// Handler, a timer's function, a function given to Post) is called by Run, one
// at a time; methods of Network, Device, Socket and Timer are called from
// there, or before Run starts. Post, Stats, Dial and Close are the exceptions:
// any goroutine may call them. There is no goroutine per device, which is what
// makes a device cheap. To use several cores, make several Networks and spread the
// devices.
//
//	n, err := stack.New(stack.Config{Seed: 1})
//	d, err := n.AddDevice(stack.DeviceConfig{Up: up, Down: down})
//	s, err := d.Open("127.0.0.1:1883", handler) // handler.Opened(s) follows
//	err = n.Run(ctx, time.Time{})
//
// The target is one of these:
//
//   - on the wall clock, a host address: the gateway dials it once a device has
//     connected, and splices the two connections;
//   - there too, with Config.TUN, an address of this host: its own TCP is the other
//     end, without a gateway, and sees what the links do;
//   - in either mode, a Listen of the same Network: its sockets are driven by
//     events too, so that a server without goroutines can be the other end;
//   - for code that wants a net.Conn, Device.Dial wraps a socket of the wall
//     clock, so that crypto/tls works over it.
//
// With Config.Virtual the clock jumps from event to event. Links, TCP timers and
// user timers share one heap, and one seed gives one history: same events in
// the same order, whatever GOMAXPROCS is.
//
// # Design
//
// One shared TCP/IP stack with an address per device costs a third of the memory
// of a stack per device. The address of each target is an alias of the
// device interface, because the stack looks up the interface that knows the
// source of a packet first and would otherwise walk all the devices.
//
// TCP is gVisor's, with SACK and CUBIC, the default of Linux; its goodput under
// loss follows the published formulas (see the tests). Its Reno was tried and
// lost: in congestion avoidance it takes the count of acknowledged packets modulo
// the window it has just grown, so that with one acknowledgement per packet the
// window grows by one per packet instead of one per round trip, and goodput is
// six times what theory says. RACK is off by default: its timers assume links
// that keep the order, and with it goodput under 3 % loss falls by a quarter.
//
// A device can have the TCP of a small system instead, see TCPProfile. Its options are
// taken out of SYNs on the way, so that one stack serves devices of all kinds.
//
// There is one such shared pair of stacks per class of round trip, see path: the
// shortest retransmission timeout of a stack is one number.
//
// The gateway's sockets are file descriptors in an epoll instance of our own, on which
// the loop sleeps and which the runtime's poller watches. A goroutine per connection
// that waits for the target was tried and lost: its stack and the runtime's share of
// the connection took half of the memory of a device. Elsewhere than on Linux, and for
// what Config.Dial makes other than TCP connections, there still is one.
//
// TCP works on the loop too, for all but the packets that open and end a connection,
// see handInline. With goroutines for TCP, for the gateway's bytes and for its sockets
// a message and its acknowledgement woke ten of them up. That was a fifth of its price
// at 5,000 messages a second, and still an eighth at 12,500.
//
// A split connection lies in three ways. The target's own TCP sees no loss, the
// gateway acknowledges bytes before the target has read them, and a reset has to
// be carried over by hand. A target that stops listening shows as a reset once,
// and from then on as refusing. Against a Listen target and over a TUN device none
// of this applies.
//
// No round trip is measured by a handshake in which a SYN went twice, see
// handshake: gVisor would, and a first message that is lost too would then wait six
// seconds for its retransmission.
//
// Virtual time without TCP was considered and lost: it could not show
// retransmission. testing/synctest does not work with gVisor's goroutines; where the
// loop needs them it waits for them to fall silent itself, see quiesce.
package stack
