package ledger

import (
	"fmt"
	"sync"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// Config describes a group to its Book.
type Config struct {
	Run         uint32
	FirstDevice uint32 // number within the fleet of the group's first device
	Devices     int
	QoS         int
	// LateAfter is the bound between delivered and late, from the intended time. Zero: nothing is late.
	LateAfter time.Duration
	// Interval is the width of a step in the series over time. Above zero.
	Interval time.Duration
	// Commands makes it a book of commands to the devices, where Acknowledged enters their answers.
	Commands bool
}

// Book is the ledger of one group.
type Book struct {
	cfg Config

	mu       sync.Mutex // a leaf; guards all below
	devices  []account
	states   [stateCount]int64
	series   series
	sent     int64
	reached  int64
	acked    int64
	gaveUp   int64
	open     int64 // neither arrived nor given up
	held     int64 // in the hands of a device
	foreign  int64
	notMade  int64
	reasons  [reasonCount]int64
	storms   storms
	terms    terms
	copies   int64
	reversed int64

	ackIntended, ackService             *latency.Recorder
	deliveredIntended, deliveredService *latency.Recorder
	heat                                *latency.Heat // of deliveredIntended
}

// account is one device's part: a byte per message, and the latest sequence that arrived.
type account struct {
	fates   []fate
	arrived int64 // highest sequence that has arrived; -1: none
	away    bool  // without a connection against its will
}

// fate is what has become of one message so far.
type fate uint8

const (
	released     fate = 1 << iota // out of the device's hands without an acknowledgement
	acknowledged                  // QoS 1, 2
	arrivedOnce
	arrivedAgain
	arrivedLate
	givenUp
	excused // may arrive twice: the session in which it was sent first has ended
)

// outOfHands reports whether the device has nothing more to do for the message.
func (f fate) outOfHands() bool { return f&(released|acknowledged) != 0 }

// New returns the book of a group whose devices are all Off.
func New(cfg Config) *Book {
	b := &Book{
		cfg:               cfg,
		devices:           make([]account, cfg.Devices),
		ackIntended:       latency.NewRecorder(cfg.Devices),
		ackService:        latency.NewRecorder(cfg.Devices),
		deliveredIntended: latency.NewRecorder(cfg.Devices),
		deliveredService:  latency.NewRecorder(cfg.Devices),
		heat:              latency.NewHeat(cfg.Interval),
	}
	for i := range b.devices {
		b.devices[i].arrived = -1
	}
	b.states[Off] = int64(cfg.Devices)
	b.storms.devices = int64(cfg.Devices)
	return b
}

// Sent enters a message that was due. The sequences of a device must be entered in order, from 0; anything else is a mistake of the caller and panics.
func (b *Book) Sent(at time.Duration, h Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &b.devices[h.Device-b.cfg.FirstDevice]
	if int(h.Sequence) != len(a.fates) {
		panic(fmt.Sprintf("ledger: device %d sent message %d after %d messages", h.Device, h.Sequence, len(a.fates)))
	}
	a.fates = append(a.fates, 0)
	b.sent++
	b.open++
	b.held++
	b.series.now(at, b.cfg.Interval).sent++
}

// Released enters that the device has nothing more to do for a message that nobody acknowledged: QoS 0 handed to a connection, or a Session that ended.
func (b *Book) Released(h Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(b.fate(h), released)
}

// settle enters that a message is out of the device's hands.
func (b *Book) settle(f *fate, how fate) {
	if *f&(released|acknowledged|givenUp) == 0 {
		b.held--
	}
	*f |= how
}

// Reason says why a device gave a message up.
type Reason uint8

// The reasons, as in model.GivenUp.
const (
	QueueFull Reason = iota
	Offline
	TooOld
	NoPower
	Refused
	reasonCount
)

// GaveUp enters that a device gave a message up.
func (b *Book) GaveUp(h Header, why Reason) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.fate(h)
	if *f&givenUp != 0 {
		return
	}
	if *f&arrivedOnce == 0 {
		b.open--
	}
	b.settle(f, givenUp)
	b.gaveUp++
	b.reasons[why]++
}

// NotMade enters a message that would have been due, had the device had power. It is none of those sent.
func (b *Book) NotMade() {
	b.mu.Lock()
	b.notMade++
	b.mu.Unlock()
}

// Acknowledged enters that the flow of a QoS 1 or 2 message completed.
func (b *Book) Acknowledged(at time.Duration, h Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.fate(h)
	if *f&acknowledged != 0 {
		return
	}
	b.settle(f, acknowledged)
	b.acked++
	b.series.now(at, b.cfg.Interval).acknowledged++
	device := int(h.Device - b.cfg.FirstDevice)
	b.ackIntended.Record(device, at-h.Intended)
	b.ackService.Record(device, at-h.Sent)
}

// Stray enters that something without a Header reached the sink, a Will Message for one. It counts as foreign.
func (b *Book) Stray() {
	b.mu.Lock()
	b.foreign++
	b.mu.Unlock()
}

// Delivered enters a copy that reached the sink. A header of another run, of another group's device or of a message that was never sent counts as foreign and
// changes nothing else.
func (b *Book) Delivered(at time.Duration, h Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	device := int64(h.Device) - int64(b.cfg.FirstDevice)
	if h.Run != b.cfg.Run || device < 0 || device >= int64(len(b.devices)) || int(h.Sequence) >= len(b.devices[device].fates) {
		b.foreign++
		return
	}
	a := &b.devices[device]
	f := &a.fates[h.Sequence]
	if *f&arrivedOnce != 0 {
		*f |= arrivedAgain
		b.copies++
		return
	}
	*f |= arrivedOnce
	b.reached++
	if *f&givenUp == 0 {
		b.open--
	}
	if b.cfg.LateAfter > 0 && at-h.Intended > b.cfg.LateAfter {
		*f |= arrivedLate
	}
	if int64(h.Sequence) < a.arrived {
		b.reversed++
	}
	a.arrived = max(a.arrived, int64(h.Sequence))
	b.series.now(at, b.cfg.Interval).delivered++
	b.heat.Record(at, at-h.Intended)
	b.deliveredIntended.Record(int(device), at-h.Intended)
	b.deliveredService.Record(int(device), at-h.Sent)
}

// Knows reports whether a header that came from outside is of a message that was sent.
func (b *Book) Knows(h Header) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	device := int64(h.Device) - int64(b.cfg.FirstDevice)
	return h.Run == b.cfg.Run && device >= 0 && device < int64(len(b.devices)) && int(h.Sequence) < len(b.devices[device].fates)
}

func (b *Book) fate(h Header) *fate {
	return &b.devices[h.Device-b.cfg.FirstDevice].fates[h.Sequence]
}

// Progress is a glance at a Book while the run goes on.
type Progress struct {
	Sent, Reached, Acknowledged, GaveUp int64
	// Open messages have neither arrived nor been given up.
	Open int64
	// Held messages are in the hands of a device: due, and not yet acknowledged, released or given up.
	Held int64
	// Foreign copies reached a sink of the group but belong to no message of it.
	Foreign int64
	// States counts the devices by State.
	States [stateCount]int64
}

// Progress returns how things stand.
func (b *Book) Progress() Progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Progress{
		Sent: b.sent, Reached: b.reached, Acknowledged: b.acked, GaveUp: b.gaveUp,
		Open: b.open, Held: b.held, Foreign: b.foreign, States: b.states,
	}
}

// Ledger puts every message into its column, as the run stands now.
func (b *Book) Ledger() model.Ledger {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := model.Ledger{
		QoS: b.cfg.QoS, Sent: b.sent, Acknowledged: b.acked,
		OutOfOrder: b.reversed, Copies: b.copies, NotMade: b.notMade, LateAfterMS: model.Millis(b.cfg.LateAfter),
		GivenUp: model.GivenUp{
			QueueFull: b.reasons[QueueFull], Offline: b.reasons[Offline], TooOld: b.reasons[TooOld],
			NoPower: b.reasons[NoPower], Refused: b.reasons[Refused],
		},
	}
	for i := range b.devices {
		for _, f := range b.devices[i].fates {
			*column(&l, f)++
		}
	}
	return l
}

// column says where a message belongs. The order of the cases is the rule of the package comment.
func column(l *model.Ledger, f fate) *int64 {
	switch {
	case f&arrivedAgain != 0:
		return &l.Duplicated
	case f&arrivedLate != 0:
		return &l.Late
	case f&arrivedOnce != 0:
		return &l.Delivered
	case f&givenUp != 0:
		return &l.Expired
	case f.outOfHands():
		return &l.Lost
	}
	return &l.Pending
}

// Latency returns the distributions: to the acknowledgement (QoS 1 and 2 only) and to delivery, from intended and actual sending.
func (b *Book) Latency() ([]model.Latency, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	toAck, toDelivery := model.ToAck, model.ToDelivery
	if b.cfg.Commands {
		toAck, toDelivery = model.ToAnswer, model.ToDevice
	}
	var out []model.Latency
	for _, r := range []struct {
		recorder *latency.Recorder
		measure  model.Measure
		path     model.Path
	}{
		{b.ackIntended, model.Intended, toAck},
		{b.ackService, model.Service, toAck},
		{b.deliveredIntended, model.Intended, toDelivery},
		{b.deliveredService, model.Service, toDelivery},
	} {
		if b.cfg.QoS == 0 && r.path == model.ToAck {
			continue
		}
		l, err := r.recorder.Latency(r.measure, r.path)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.path, r.measure, err)
		}
		if r.recorder == b.deliveredIntended {
			l.Heat = b.heat.Model()
		}
		out = append(out, l)
	}
	return out, nil
}
