package stack

import (
	"mqttlab/netem/link"
)

// Stats is what has happened in a Network so far.
type Stats struct {
	// Devices is how many devices there are.
	Devices int
	// Up and Down sum the links of all devices. Bytes are those of IP packets.
	Up, Down link.Counters
	// RetransmissionsUp and RetransmissionsDown are segments sent again by the
	// devices and by the other end; TimeoutsUp and TimeoutsDown are expiries
	// of the retransmission timer. Over a TUN device the other end is the
	// host's, and those of it are not counted.
	RetransmissionsUp, RetransmissionsDown uint64
	TimeoutsUp, TimeoutsDown               uint64
	// Opened counts connections that devices started, Established those that
	// the other end accepted.
	Opened, Established uint64
	// Gateway counts connections to host targets.
	Gateway GatewayStats
	// Lateness tells whether the machine kept up. Look at Lateness.Invalid.
	Lateness Lateness
}

// GatewayStats counts the gateway's connections to host targets.
type GatewayStats struct {
	// Dialed targets, those that could not be reached, and connections open
	// now.
	Dialed, Failed, Open uint64
}

// Stats returns a snapshot. Any goroutine may call it; the devices' counters are
// summed up, so once a second is reasonable and a thousand times is not.
func (n *Network) Stats() Stats {
	var s Stats
	n.mu.Lock()
	s.Devices = len(n.byAddress)
	for _, d := range n.byAddress {
		s.Up.Add(d.links[up].Counters())
		s.Down.Add(d.links[down].Counters())
	}
	s.Lateness = n.lateness.snapshot(n.config.TCP.MinRTO)
	paths := n.paths
	n.mu.Unlock()
	for _, p := range paths {
		devices, gateway := p.devices.stack.Stats().TCP, p.gateway.stack.Stats().TCP
		s.RetransmissionsUp += devices.Retransmits.Value()
		s.RetransmissionsDown += gateway.Retransmits.Value()
		s.TimeoutsUp += devices.Timeouts.Value()
		s.TimeoutsDown += gateway.Timeouts.Value()
		s.Opened += devices.ActiveConnectionOpenings.Value()
		s.Established += gateway.PassiveConnectionOpenings.Value()
	}
	if n.splices != nil {
		s.Gateway = n.splices.stats()
	}
	return s
}
