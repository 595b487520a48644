package stack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// TCPProfile is the kind of TCP that a device runs. The other end of its connections
// stays that of Config.TCP, which is like Linux's.
//
// What a profile cannot have here: an initial timeout other than 1 s for SYN and first
// segment, and another growth of the congestion window than CUBIC's from 10 segments,
// which SendBytes keeps from mattering where it is small.
type TCPProfile struct {
	Name, Summary string
	// MSSBytes is the largest segment that the device sends and takes; zero: what
	// the MTU leaves.
	MSSBytes int
	// WindowBytes is the largest window that the device offers; zero: what
	// Config.TCP's receive buffer allows.
	WindowBytes int
	// SendBytes is how much the device sends without an acknowledgement, and
	// keeps; zero: Config.TCP's send buffer.
	SendBytes int
	// MinRTO is how much longer than the nominal round trip the device waits at
	// least before it sends again; zero: that of Config.TCP.
	MinRTO time.Duration
	// Plain leaves out timestamps, selective acknowledgements and window scaling.
	Plain bool
	// Sources says where the figures come from.
	Sources []string
}

// tcpProfiles is the table. It is never changed.
var tcpProfiles = []TCPProfile{
	{
		Name: "linux", Summary: "timestamps, SACK, window scaling, CUBIC",
		Sources: []string{"net.ipv4.tcp_timestamps, tcp_sack, tcp_window_scaling and tcp_congestion_control as Linux comes; TCP_RTO_MIN of include/net/tcp.h"},
	},
	{
		Name: "lwip", Summary: "lwIP as it comes: segments of 536 bytes, windows of four, two unacknowledged",
		MSSBytes: 536, WindowBytes: 4 * 536, SendBytes: 2 * 536, MinRTO: 1250 * time.Millisecond, Plain: true,
		Sources: []string{
			"lwIP 2.2 src/include/lwip/opt.h: TCP_MSS 536, TCP_WND 4·TCP_MSS, TCP_SND_BUF 2·TCP_MSS; LWIP_TCP_TIMESTAMPS, LWIP_TCP_SACK_OUT and LWIP_WND_SCALE 0",
			"shortest timeout: src/core/tcp_in.c keeps it in ticks of 500 ms (TCP_SLOW_INTERVAL of tcp_priv.h) as sa/8 + sv, whose sv stops falling at 3; " +
				"tcp_slowtmr of tcp.c sends again at the third tick, so 1 to 1.5 s after the segment",
		},
	},
	{
		Name: "single-mss", Summary: "uIP: one segment at a time, nothing kept out of order",
		MSSBytes: 536, WindowBytes: 536, SendBytes: 536, MinRTO: 1750 * time.Millisecond, Plain: true,
		Sources: []string{
			"uIP 1.0 uip.h: one unacknowledged segment per connection; uipopt.h: UIP_RECEIVE_WINDOW is UIP_TCP_MSS",
			"shortest timeout: UIP_RTO of uipopt.h is 3 ticks, commonly of 500 ms, and uip.c keeps it as lwIP does; its uip_process counts down to 0 and " +
				"sends again at the tick after that, the fourth, so 1.5 to 2 s after the segment",
			"segment: chosen, the default of RFC 9293, section 3.7.1; uIP's own follows from the size of its only packet buffer",
		},
	},
}

// TCPProfiles returns all profiles.
func TCPProfiles() []TCPProfile { return slices.Clone(tcpProfiles) }

// LookupTCP returns the profile of a name.
func LookupTCP(name string) (TCPProfile, error) {
	var names []string
	for _, p := range tcpProfiles {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return TCPProfile{}, fmt.Errorf("unknown TCP profile %q: use one of %s", name, strings.Join(names, ", "))
}

// validate returns the mistake in a profile of the user's own.
func (p TCPProfile) validate() error {
	switch {
	case p.MSSBytes != 0 && (p.MSSBytes < header.TCPMinimumMSS || p.MSSBytes > header.TCPMaximumMSS):
		return fmt.Errorf("TCP.MSSBytes is %d: must be 0 (what the MTU leaves) or %d to %d", p.MSSBytes, header.TCPMinimumMSS, header.TCPMaximumMSS)
	case p.WindowBytes < 0 || p.SendBytes < 0 || p.MinRTO < 0:
		return fmt.Errorf("TCP: WindowBytes %d, SendBytes %d and MinRTO %v must not be negative", p.WindowBytes, p.SendBytes, p.MinRTO)
	case p.WindowBytes > 0 && p.WindowBytes < p.MSSBytes, p.SendBytes > 0 && p.SendBytes < p.MSSBytes:
		return fmt.Errorf("TCP: WindowBytes %d and SendBytes %d must hold a segment of MSSBytes, %d", p.WindowBytes, p.SendBytes, p.MSSBytes)
	}
	return nil
}
