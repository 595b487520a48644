package model

import "fmt"

// Mode says what stood between the devices and the target.
type Mode string

// The modes of a fleet run.
const (
	Live     Mode = "live"     // plain sockets, wall clock
	Emulated Mode = "emulated" // real TCP over emulated links, wall clock
	Virtual  Mode = "virtual"  // the same on a virtual clock, broker in process
)

// MaxBlocks is the most blocks a Latency holds. 64 is enough for a bootstrap over
// blocks to settle, and keeps a group's part of the record in the hundreds of kilobytes.
const MaxBlocks = 64

// Fleet is the body of a fleet record.
type Fleet struct {
	Scenario Scenario `json:"scenario"`
	Mode     Mode     `json:"mode"`
	Validity Validity `json:"validity"`

	// IntervalMS is the width of one step in every Rates and StateSeries. Zero means
	// that the run recorded nothing over time; all series are then empty.
	IntervalMS Millis  `json:"interval_ms"`
	Groups     []Group `json:"groups"` // in the order of the scenario

	// CutShort says that the run was interrupted: no further messages became due, and what was under way was drained.
	CutShort bool `json:"cut_short,omitempty"`

	// TargetCPUMS is the processor time (user and system) that the target's
	// process used. Nil: not known, because the target is not on this machine.
	TargetCPUMS *Millis `json:"target_cpu_ms,omitempty"`
	// TargetPeakBytes is the most memory that its process had resident, as sampled about once a second. 0: not known.
	TargetPeakBytes int64 `json:"target_peak_bytes,omitempty"`
}

// Scenario is what was run.
type Scenario struct {
	Name string `json:"name"`
	Text string `json:"text"` // YAML as resolved: every default written out, flags applied; running it again repeats the run
}

// Validity says whether the numbers may be believed. A run is invalid when the
// generator could not keep its own schedule: its latencies are then partly ours.
type Validity struct {
	Valid           bool   `json:"valid"`
	Reason          string `json:"reason,omitempty"`  // why not; empty when valid
	LatenessP99MS   Millis `json:"lateness_p99_ms"`   // 99th percentile of actual minus intended time of our own timers
	LatenessLimitMS Millis `json:"lateness_limit_ms"` // above it the run is invalid; zero: no limit (virtual time is never late)
}

// Group is one group of like devices.
type Group struct {
	Name    string        `json:"name"`
	Devices int           `json:"devices"`
	Link    string        `json:"link,omitempty"` // name of the link profile; empty in live mode
	Ledger  []Ledger      `json:"ledger"`         // one per QoS that the group used, ascending
	Latency []Latency     `json:"latency"`
	Rates   Rates         `json:"rates"`
	States  []StateSeries `json:"states,omitempty"`  // stacked in this order
	Wire    *Wire         `json:"wire,omitempty"`    // nil: not measured
	Foreign int64         `json:"foreign,omitempty"` // messages at the sink that are none of the group's in this run: Will Messages, another publisher's
	Power   *Power        `json:"power,omitempty"`   // nil: the group has no power profile, or no emulated link

	Commands  *Commands  `json:"commands,omitempty"`  // nil: the group is told nothing
	Downloads *Downloads `json:"downloads,omitempty"` // nil: it fetches no image

	// Breaches are promises of the standard that the target broke with sessions that did not end. Unjudged says why that could not be told; empty: it could.
	Breaches []Breach `json:"breaches,omitempty"`
	Unjudged string   `json:"unjudged,omitempty"`

	Faults []Fault `json:"faults,omitempty"` // that the scenario did to the group's devices
	Storms []Storm `json:"storms,omitempty"` // in order of time; the worst ones where there were many
}

// Breach is a promise of the standard that the target broke.
type Breach struct {
	Statement string `json:"statement"` // its id
	Text      string `json:"text"`      // what happened, without a subject
	Messages  int64  `json:"messages"`  // how often
}

// Commands is what became of what a group's devices were told. In its ledger Delivered and its kin mean the device, and Acknowledged the answers that
// came back.
type Commands struct {
	Ledger  Ledger    `json:"ledger"`
	Latency []Latency `json:"latency"`
}

// Downloads is what became of an image, such as a firmware, that a group's devices fetched chunk by chunk.
type Downloads struct {
	Bytes         int64     `json:"bytes"`          // of the image
	Chunks        int       `json:"chunks"`         // messages it is cut into
	Began         int64     `json:"began"`          // devices that began
	Completed     int64     `json:"completed"`      // devices that have all of it
	ReceivedBytes int64     `json:"received_bytes"` // payloads, over all devices
	Copies        int64     `json:"copies"`         // chunks that a device had already
	Damaged       int64     `json:"damaged"`        // chunks with other bytes than were published
	Times         Histogram `json:"times"`          // from a device's turn in the rollout until it had all of it
}

// Fault is what a scenario did to devices of a group.
type Fault struct {
	Kind       string `json:"kind"`        // "battery-pull", "cable-unplug", "outage", "clock-drift", "duplicate-client-id"
	Devices    int    `json:"devices"`     // how many it struck
	StartMS    Millis `json:"start_ms"`    // when it struck the first of them, since the start of the run
	DurationMS Millis `json:"duration_ms"` // how long it lasted for each; zero: to the end
}

// Storm is a time in which more than a twentieth of a group's devices had lost their connection against their will.
type Storm struct {
	StartMS  Millis `json:"start_ms"`  // when the twentieth was passed, since the start of the run
	Away     int64  `json:"away"`      // most devices without a connection at once
	Attempts int64  `json:"attempts"`  // to connect, over the whole storm
	HerdPeak int64  `json:"herd_peak"` // most attempts that began within one second
	PeakMS   Millis `json:"peak_ms"`   // the beginning of that second
	// BackMS is the time from the last moment with most devices away until 95 % were back. Nil: they were not back when the run ended.
	BackMS *Millis `json:"back_ms,omitempty"`
}

// Ledger accounts for the messages of one group and QoS. See the package comment:
// the columns add up to Sent, the counters stand beside them.
type Ledger struct {
	QoS  int   `json:"qos"`
	Sent int64 `json:"sent"` // Application Messages that devices were due to publish and handed to their client

	// Columns: each message is in exactly one.

	Delivered  int64 `json:"delivered"`  // reached the sink exactly once, in time
	Late       int64 `json:"late"`       // reached the sink exactly once, after LateAfterMS
	Duplicated int64 `json:"duplicated"` // reached the sink more than once (right at QoS 1, a failure at QoS 0 and 2)
	Lost       int64 `json:"lost"`       // never reached the sink although the run waited out its drain time
	Expired    int64 `json:"expired"`    // given up on purpose: Message Expiry, or a device's full queue that drops by policy
	Pending    int64 `json:"pending"`    // still held by a device or in flight when the run was cut short

	// Counters: independent of the columns.

	Acknowledged int64 `json:"acknowledged"` // the sender's flow completed (PUBACK, PUBCOMP); zero at QoS 0
	OutOfOrder   int64 `json:"out_of_order"` // arrived after a later message of its device and topic
	Copies       int64 `json:"copies"`       // deliveries beyond the first, over all duplicated messages

	GivenUp GivenUp `json:"given_up,omitzero"`  // why devices gave messages up
	NotMade int64   `json:"not_made,omitempty"` // messages that would have been due while the device had no power

	LateAfterMS Millis `json:"late_after_ms"` // bound between Delivered and Late; zero: nothing is late
}

// GivenUp counts the messages that devices gave up, by the reason. What was given up and arrived all the same is in the column where it
// arrived, so the sum may exceed Expired.
type GivenUp struct {
	QueueFull int64 `json:"queue_full,omitempty"` // the queue's policy dropped it
	Offline   int64 `json:"offline,omitempty"`    // QoS 0 without a connection
	TooOld    int64 `json:"too_old,omitempty"`    // its Message Expiry Interval passed in the device
	NoPower   int64 `json:"no_power,omitempty"`   // the device lost its memory
	Refused   int64 `json:"refused,omitempty"`    // the target does not allow it
}

// Reached is the number of messages that arrived at least once.
func (l Ledger) Reached() int64 { return l.Delivered + l.Late + l.Duplicated }

// Reached is the number of messages of all these ledgers that arrived at least once.
func Reached(ledgers []Ledger) (n int64) {
	for _, l := range ledgers {
		n += l.Reached()
	}
	return n
}

// Trouble counts the messages for which the target broke a promise of their QoS, and those that were lost at QoS 1 or 2.
func (f *Fleet) Trouble() (broken, lost int64) {
	for _, g := range f.Groups {
		for _, b := range g.Breaches {
			broken += b.Messages
		}
		for _, l := range g.Ledger {
			if l.QoS > 0 {
				lost += l.Lost
			}
		}
	}
	return broken, lost
}

// Validate reports a ledger whose columns do not add up to Sent.
func (l Ledger) Validate() error {
	sum := l.Reached() + l.Lost + l.Expired + l.Pending
	if sum != l.Sent {
		return fmt.Errorf("ledger of QoS %d: the columns add up to %d, but %d messages were sent", l.QoS, sum, l.Sent)
	}
	if l.Copies < l.Duplicated {
		return fmt.Errorf("ledger of QoS %d: %d messages duplicated by only %d copies", l.QoS, l.Duplicated, l.Copies)
	}
	return nil
}

// Measure says from when a latency counts.
type Measure string

// Intended counts from the time at which the message was due; a device that could
// not send in time does not hide its wait. Service counts from the actual send.
const (
	Intended Measure = "intended"
	Service  Measure = "service"
)

// Path says up to what a latency counts.
type Path string

// The two ends of a latency.
const (
	ToAck      Path = "publish-to-ack"      // until the sender has the acknowledgement; QoS 1 and 2
	ToDelivery Path = "publish-to-delivery" // until the first copy reaches the sink

	ToDevice Path = "command-to-device" // until the first copy of a command reaches its device
	ToAnswer Path = "command-to-answer" // until the device's answer is back
)

// Latency is one distribution of one group.
type Latency struct {
	Measure   Measure     `json:"measure"`
	Path      Path        `json:"path"`
	Histogram Histogram   `json:"histogram"`        // all messages
	Blocks    []Histogram `json:"blocks,omitempty"` // device i of the group is in block i modulo len; at most MaxBlocks
	Heat      *Heat       `json:"heat,omitempty"`   // the same over time; nil: not recorded
}

// Histogram is an encoded HdrHistogram. Package latency makes and reads it.
type Histogram struct {
	Unit  string `json:"unit"`  // "us": microseconds
	Count int64  `json:"count"` // values in it
	HDR   string `json:"hdr"`   // HdrHistogram V2, compressed, in base64; empty when Count is zero
}

// Rates holds what a group did in each interval. Every non-nil slice has the same length.
type Rates struct {
	Sent            []int64 `json:"sent,omitempty"`
	Acknowledged    []int64 `json:"acknowledged,omitempty"`
	Delivered       []int64 `json:"delivered,omitempty"` // first copies at the sink
	UpBytes         []int64 `json:"up_bytes,omitempty"`  // nil: not measured
	DownBytes       []int64 `json:"down_bytes,omitempty"`
	Retransmissions []int64 `json:"retransmissions,omitempty"` // nil: not measured
}

// StateSeries counts the devices in one state at the end of each interval.
type StateSeries struct {
	State  string  `json:"state"` // "connected", "connecting", "waiting", "asleep", ...
	Counts []int64 `json:"counts"`
}

// Wire is what a group put on its links. Up is from device to target.
type Wire struct {
	Layer           string `json:"layer"` // what is counted: "ip" (emulated, virtual) or "tcp-payload" (live)
	UpBytes         int64  `json:"up_bytes"`
	DownBytes       int64  `json:"down_bytes"`
	UpPackets       int64  `json:"up_packets,omitempty"` // this and the next three: layer "ip" only
	DownPackets     int64  `json:"down_packets,omitempty"`
	LostPackets     int64  `json:"lost_packets,omitempty"`    // dropped by the links, both directions
	Retransmissions int64  `json:"retransmissions,omitempty"` // TCP segments sent again, both ends

	Layers *Layers `json:"layers,omitempty"` // nil: not measured
}

// CountsPackets reports whether the packets were counted. Those of the kernel nobody counts, and a zero of them says nothing. A nil w counts none.
func (w *Wire) CountsPackets() bool { return w != nil && w.Layer == "ip" }

// Layers says what the bytes of a Wire are, of both directions.
type Layers struct {
	HeaderBytes  int64 `json:"header_bytes,omitempty"` // IP and TCP, with acknowledgements and what was sent again; layer "ip" only
	TLSBytes     int64 `json:"tls_bytes,omitempty"`    // handshakes and what records add
	MQTTBytes    int64 `json:"mqtt_bytes"`             // Control Packets without the payloads
	PayloadBytes int64 `json:"payload_bytes"`          // payloads, each transmission counted
}

func (f *Fleet) validate() []error {
	var errs []error
	for _, g := range f.Groups {
		add := func(err error) {
			errs = append(errs, fmt.Errorf("group %q: %w", g.Name, err))
		}
		for _, l := range g.Ledger {
			if err := l.Validate(); err != nil {
				add(err)
			}
		}
		for _, l := range g.Latency {
			if len(l.Blocks) > MaxBlocks {
				add(fmt.Errorf("%s %s: %d blocks, at most %d are allowed", l.Path, l.Measure, len(l.Blocks), MaxBlocks))
			}
			if err := l.Heat.validate(); err != nil {
				add(fmt.Errorf("%s %s: %w", l.Path, l.Measure, err))
			}
		}
		if err := g.sameLength(); err != nil {
			add(err)
		}
	}
	return errs
}

// sameLength reports a group whose series over time do not cover the same intervals.
func (g *Group) sameLength() error {
	want := -1
	check := func(name string, s []int64) error {
		if s == nil {
			return nil
		}
		if want < 0 {
			want = len(s)
		}
		if len(s) != want {
			return fmt.Errorf("series %q has %d intervals, others have %d", name, len(s), want)
		}
		return nil
	}
	r := &g.Rates
	for _, s := range []struct {
		name   string
		values []int64
	}{
		{"sent", r.Sent},
		{"acknowledged", r.Acknowledged},
		{"delivered", r.Delivered},
		{"up_bytes", r.UpBytes},
		{"down_bytes", r.DownBytes},
		{"retransmissions", r.Retransmissions},
	} {
		if err := check(s.name, s.values); err != nil {
			return err
		}
	}
	for _, s := range g.States {
		if err := check("state "+s.State, s.Counts); err != nil {
			return err
		}
	}
	return nil
}
