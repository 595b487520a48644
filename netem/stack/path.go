package stack

import (
	"cmp"
	"time"

	"mqttlab/netem/link"
)

// path is a pair of TCP/IP stacks for all devices whose links have about the same
// round trip. TCP on Linux waits for a retransmission at least 200 ms longer than
// the smoothed round trip; gVisor has one lower limit for a whole stack, without
// the round trip, and on a steady satellite link would take every loss for a
// timeout. With a pair per round trip its limit can be that of Linux.
type path struct {
	pathClass
	devices, gateway *host
}

// pathClass is what the devices of a path have in common.
type pathClass struct {
	minRTO        time.Duration // of the gateway
	deviceMinRTO  time.Duration
	deviceSending int // bytes
}

// rtoStep is how finely paths are told apart.
const rtoStep = 50 * time.Millisecond

// pathClass returns that of a device with a pair of links.
func (n *Network) pathClass(upModel, downModel *link.Model, p TCPProfile) pathClass {
	rtt := (upModel.Delay() + downModel.Delay()).Round(rtoStep)
	t := n.config.TCP
	return pathClass{
		minRTO:        t.MinRTO + rtt,
		deviceMinRTO:  cmp.Or(p.MinRTO, t.MinRTO) + rtt,
		deviceSending: cmp.Or(p.SendBytes, t.SendBufferBytes),
	}
}

// pathFor returns the path for devices of a class, and makes it if there is none yet.
func (n *Network) pathFor(class pathClass) (*path, error) {
	for _, p := range n.paths {
		if p.pathClass == class {
			return p, nil
		}
	}
	p := &path{pathClass: class}
	var err error
	stream := uint64(2 * len(n.paths))
	tuned := n.config.TCP
	if p.gateway, err = newHost(n, down, tuned, class.minRTO, stream+1); err != nil {
		return nil, err
	}
	tuned.SendBufferBytes = class.deviceSending
	if p.devices, err = newHost(n, up, tuned, class.deviceMinRTO, stream); err != nil {
		p.gateway.close()
		return nil, err
	}
	if n.splices != nil {
		n.splices.attach(p.gateway)
	}
	if err := n.adopt(p); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// adopt makes all targets and listeners known to a new path.
func (n *Network) adopt(p *path) error {
	err := n.targets.announceTo(p, func() {
		n.mu.Lock()
		n.paths = append(n.paths, p)
		n.mu.Unlock()
	})
	if err != nil {
		return err
	}
	for _, l := range n.listeners {
		if err := n.listenOn(p, l); err != nil {
			return err
		}
	}
	return nil
}

// snapshotPaths returns the paths so far, on any goroutine.
func (n *Network) snapshotPaths() []*path {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.paths
}

func (p *path) close() {
	p.devices.close()
	p.gateway.close()
}

// hosts calls f with every TCP/IP stack.
func (n *Network) hosts(f func(*host)) {
	for _, p := range n.paths {
		f(p.devices)
		f(p.gateway)
	}
}
