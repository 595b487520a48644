package load

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Scenario names what the clients do.
type Scenario string

// The scenarios, with the fields of [Spec] that they use besides Address, PID and Patience.
const (
	// Pairs is n publishers with a subscriber each: QoS, Publishers, Window, Payload, Warm, Measure.
	Pairs Scenario = "pairs"
	// FanOut is one publisher to many subscribers of one topic: QoS, Subscribers, Window, Payload, Warm, Measure.
	FanOut Scenario = "fan-out"
	// FanIn is many publishers to one subscriber with a wildcard: QoS, Publishers, Window, Payload, Warm, Measure.
	FanIn Scenario = "fan-in"
	// Connect opens and closes connections, CONNECT to the broker's end of the connection: Count, Window (connections at a time).
	Connect Scenario = "connect"
	// Retained stores retained messages and measures three clients that subscribe to all of them: Count, Window, Payload.
	Retained Scenario = "retained"
	// Match publishes to topics that two of many wildcard filters match: Count (filters), Window, Payload, Warm, Measure.
	Match Scenario = "match"
	// Offline queues messages for a client that is away, and drains them when it comes back, all of them and in order: QoS (at least 1), Publishers,
	// Window, Count (messages), Payload. Its figure counts the processor time of both.
	Offline Scenario = "offline"
	// Latency is n publishers with a subscriber each, in an open loop: QoS, Publishers, Rate, Payload, Warm, Measure. Its figure is the 99th
	// percentile of the time from when a message was to be sent, not from when it was, to its arrival, in microseconds.
	Latency Scenario = "latency"
	// Idle opens connections with one subscription each: Count. Its figure is bytes of memory per connection.
	Idle Scenario = "idle"
)

// matchClients is how many clients share the filters of Match.
const matchClients = 100

// Spec says what to measure.
type Spec struct {
	Scenario    Scenario
	Address     string // of the broker: an IPv4 address in 127.0.0.0/8 and a port
	PID         int    // of the broker's process
	QoS         byte
	Publishers  int
	Subscribers int
	Window      int           // messages of one publisher that may be on the way
	Count       int           // of what the scenario counts
	Rate        int           // messages per second of all publishers together
	Payload     int           // bytes: they begin with the publisher's number, and with a number of the message or a time where that is needed
	Durable     bool          // for Pairs: the Sessions of subscribers outlive their connections, so that acknowledged messages must be stored
	Warm        time.Duration // before Measure, the same load that is not measured
	Measure     time.Duration
	Patience    time.Duration // without progress, after which a counted phase gives up. 0: 10 s
}

// Result is what was measured.
type Result struct {
	Figure    float64 // deliveries (Connect: connections) per CPU-second of the broker; for Idle: bytes per connection; for Latency: microseconds
	Count     uint64  // deliveries, or connections
	Wall      time.Duration
	BrokerCPU time.Duration
	OwnCPU    time.Duration // the generator's; near Wall, it was the bottleneck of the rate, though not of the figure
	Lost      uint64        // messages written off after a second of standstill; for Latency: those after which nothing came for Patience
}

// endpoint checks s and returns where the broker is.
func (s *Spec) endpoint() (netip.AddrPort, error) {
	var errs []error
	at, err := netip.ParseAddrPort(s.Address)
	if err != nil {
		errs = append(errs, fmt.Errorf("address: %w", err))
	} else if !at.Addr().Is4() || !at.Addr().IsLoopback() {
		errs = append(errs, fmt.Errorf("address %s: load is sent to 127.0.0.0/8 only", s.Address))
	}
	if s.PID <= 0 {
		errs = append(errs, errors.New("the process of the broker is missing"))
	}
	if s.QoS > 2 {
		errs = append(errs, fmt.Errorf("QoS is 0, 1 or 2, not %d", s.QoS))
	}
	needs := func(name string, value, least int, scenarios ...Scenario) {
		for _, x := range scenarios {
			if s.Scenario == x && value < least {
				errs = append(errs, fmt.Errorf("%s: %s is %d, must be at least %d", x, name, value, least))
			}
		}
	}
	needs("Publishers", s.Publishers, 1, Pairs, FanIn, Offline, Latency)
	needs("Subscribers", s.Subscribers, 1, FanOut)
	needs("Window", s.Window, 1, Pairs, FanIn, FanOut, Connect, Retained, Match, Offline)
	needs("Payload", s.Payload, numberSize, Pairs, FanIn, FanOut, Retained, Match)
	needs("Payload", s.Payload, stampEnd, Offline, Latency)
	needs("Measure", int(s.Measure), 1, Pairs, FanIn, FanOut, Match, Latency)
	needs("QoS", int(s.QoS), 1, Offline)
	needs("Rate", s.Rate, 1, Latency)
	needs("Count", s.Count, 1, Connect, Retained, Idle, Offline)
	needs("Count", s.Count, 2*matchClients, Match)
	return at, errors.Join(errs...)
}
