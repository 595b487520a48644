package device

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// Reconnect is what a device does when its connection ends.
type Reconnect struct {
	// Never makes a lost connection the end of the device. The zero value tries again, by Backoff.
	Never   bool
	Backoff core.Backoff
}

// Common is what a group of devices has in common. It is shared by all of them, on several event loops, and not modified.
type Common struct {
	// Start is the beginning of the run; all times of headers and ledgers count from it.
	Start time.Time
	// Connect is what every CONNECT says, without the Client Identifier.
	Connect *mqtt.Connect
	// Client tunes the client machine.
	Client core.Config
	// Reconnect is the reconnect policy.
	Reconnect Reconnect
	// Logger is told of refused and broken connections. Required.
	Logger *slog.Logger
	// Traffic counts what passes; nil: nobody asks.
	Traffic *Traffic
}

// Traffic counts bytes by layer, of both directions: Control Packets, and the payloads in them.
type Traffic struct{ Packets, Payload atomic.Int64 }

func (t *Traffic) packets(n int) {
	if t != nil {
		t.Packets.Add(int64(n))
	}
}

func (t *Traffic) payload(n int) {
	if t != nil {
		t.Payload.Add(int64(n))
	}
}

// role is what differs between a Sensor and a Sink.
type role interface {
	// connected and disconnected follow the client machine. They must not call it.
	connected(now time.Time, ack *mqtt.Connack)
	disconnected(now time.Time, err error)
	sending(now time.Time, p *mqtt.Publish)
	delivered(now time.Time, p *mqtt.Publish)
	done(now time.Time, token core.Token, a *core.Action)
	// work does what is due at now, and may call the machine. It returns when it wants to be called again; the zero time: when something happens.
	work(now time.Time) time.Time
	// moved tells of a new state.
	moved(now time.Time, from, to ledger.State)
}

// endpoint is a client machine on a host.
type endpoint struct {
	role    role
	common  *Common
	host    Host
	scratch *Scratch
	machine *core.Machine
	conn    Conn // nil: none, or not open yet
	attempt *attempt
	timer   Timer
	retryAt time.Time // zero: no attempt to connect is planned
	unread  []byte    // the beginning of a packet whose rest has not come
	unsent  []byte    // what conn did not take
	pcg     rand.PCG
	tried   int // attempts since the last CONNACK of Success
	state   ledger.State
	// connectPacket is what this device's CONNECT says; its version is that of common.Connect.
	connectPacket *mqtt.Connect
	clock         clock

	down    lack // what it takes to be on the network and is not there
	reborn  bool // has lost its memory, and with it the session
	sleeps  bool // has no connection on purpose at times
	resting bool // the end of the connection that comes is the beginning of a sleep
	retired bool // does not connect any more
	ending  bool // the machine asked for the connection to be closed
}

func (e *endpoint) init(r role, c *Common, h Host, s *Scratch, id Identity) {
	*e = endpoint{role: r, common: c, host: h, scratch: s, machine: core.New(&c.Client, id.ClientID), connectPacket: c.Connect, clock: clock{id.Drift}}
	if id.Connect != nil {
		e.connectPacket = id.Connect
	}
	if id.Drift != 0 {
		e.host = &drifting{Host: h, start: c.Start, clock: e.clock}
	}
	e.pcg.Seed(id.Seed, 0)
	e.timer = e.host.NewTimer(e.tick)
}

// random returns the device's own source. It is made on the spot: a rand.Rand per device would cost memory for two calls an hour.
func (e *endpoint) random() *rand.Rand { return rand.New(&e.pcg) }

// since returns the time since the start of the run, when the device's clock says now.
func (e *endpoint) since(now time.Time) time.Duration { return e.clock.truth(now.Sub(e.common.Start)) }

// StartAt makes the device connect at a time.
func (e *endpoint) StartAt(at time.Time) {
	e.retryAt = at
	e.timer.Set(at)
}

// Finish disconnects in order, and the device does not connect again.
func (e *endpoint) Finish(d *mqtt.Disconnect) {
	now := e.host.Now()
	e.retired, e.retryAt = true, time.Time{}
	if err := e.machine.Disconnect(now, d); err != nil {
		e.machine.Lost(now, err)
		e.hangUp(Conn.Abort)
	}
	e.flush(now)
	e.move(now, ledger.Off)
}

// attempt is the Handler of one connection. What a connection says after the device has given it up is not heard.
type attempt struct{ e *endpoint }

func (a *attempt) Opened(c Conn) {
	if a.e == nil {
		c.Abort()
		return
	}
	a.e.opened(c)
}

func (a *attempt) Received(p []byte) {
	if a.e != nil {
		a.e.received(p)
	}
}

func (a *attempt) Writable() {
	if a.e != nil {
		a.e.writable()
	}
}

func (a *attempt) Closed(err error) {
	if a.e != nil {
		a.e.closed(err)
	}
}

// connect starts an attempt.
func (e *endpoint) connect(now time.Time) {
	e.retryAt = time.Time{}
	e.move(now, ledger.Connecting)
	e.attempt = &attempt{e}
	if err := e.host.Open(e.attempt); err != nil {
		e.attempt = nil
		e.lost(now, err)
	}
}

func (e *endpoint) opened(c Conn) {
	now := e.host.Now()
	e.conn = c
	e.machine.Opened(now, e.connects())
	e.flush(now)
}

// connects returns what CONNECT says: without the memory of a session none may be resumed. [MQTT5 3.2.2-4]
func (e *endpoint) connects() *mqtt.Connect {
	if !e.reborn || e.connectPacket.CleanStart {
		return e.connectPacket
	}
	anew := *e.connectPacket
	anew.CleanStart = true
	return &anew
}

func (e *endpoint) closed(err error) {
	now := e.host.Now()
	e.attempt, e.conn = nil, nil
	e.unread, e.unsent = nil, nil
	if e.machine.State() == core.Disconnected {
		e.lost(now, err)
	} else {
		e.machine.Lost(now, err)
	}
	e.flush(now)
}

// hangUp ends the connection from this side.
func (e *endpoint) hangUp(how func(Conn)) {
	if e.attempt != nil {
		e.attempt.e = nil
		e.attempt = nil
	}
	if e.conn != nil {
		how(e.conn)
		e.conn = nil
	}
	e.unread, e.unsent = nil, nil
}

// lost plans what comes after a connection that ended or never was.
func (e *endpoint) lost(now time.Time, err error) {
	e.role.disconnected(now, err)
	switch {
	case e.down != 0:
		e.move(now, ledger.Down)
		return
	case e.resting || e.sleeps && e.common.Reconnect.Never && !e.retired:
		e.resting = false
		e.move(now, ledger.Asleep)
		return
	case e.retired || e.common.Reconnect.Never:
		e.move(now, ledger.Off)
		return
	}
	e.tried++
	e.retryAt = now.Add(e.common.Reconnect.Backoff.Wait(e.tried, e.random()))
	e.move(now, ledger.Waiting)
}

func (e *endpoint) move(now time.Time, to ledger.State) {
	if e.state != to {
		e.role.moved(now, e.state, to)
		e.state = to
	}
}

// received hands bytes to the machine, packet by packet.
func (e *endpoint) received(p []byte) {
	now := e.host.Now()
	e.common.Traffic.packets(len(p))
	if len(e.unread) > 0 {
		e.unread = append(e.unread, p...)
		p = e.unread
	}
	s := e.scratch
	s.decoder.Version = e.common.Connect.Version
	packets, used, err := s.decoder.All(s.packets[:0], p)
	for _, packet := range packets {
		e.machine.Receive(now, packet)
	}
	if err != nil {
		code := mqtt.MalformedPacket
		if bad := (*wire.Error)(nil); errors.As(err, &bad) {
			code = bad.Code
		}
		e.machine.Malformed(now, code, err.Error())
	}
	e.flush(now)
	clear(packets)
	s.packets = packets
	e.keep(p[used:])
}

// keep holds on to the beginning of a packet.
func (e *endpoint) keep(rest []byte) {
	switch {
	case len(rest) == 0 || e.conn == nil:
		e.unread = nil
	default:
		e.unread = append(e.unread[:0], rest...)
	}
}

// tick does what the timer was set for.
func (e *endpoint) tick() {
	now := e.host.Now()
	if at, ok := e.machine.Deadline(); ok && !now.Before(at) {
		e.machine.Advance(now)
	}
	if !e.retryAt.IsZero() && !now.Before(e.retryAt) {
		e.connect(now)
	}
	e.flush(now)
}

// flush carries out the machine's actions, gives the role its turn, and sets the timer for whatever comes next. Every entry into the device ends here.
func (e *endpoint) flush(now time.Time) {
	e.carryOut(now)
	next := e.role.work(now)
	e.carryOut(now)
	if at, ok := e.machine.Deadline(); ok {
		next = earlier(next, at)
	}
	next = earlier(next, e.retryAt)
	if next.IsZero() {
		e.timer.Stop()
		return
	}
	e.timer.Set(next)
}

// earlier returns the earlier of two times; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// carryOut drains the machine and writes what it had to say with one Send.
func (e *endpoint) carryOut(now time.Time) {
	s := e.scratch
	s.out, s.current, s.now = s.out[:0], e, now
	e.machine.Drain(s.drain)
	e.write(s.out)
	if e.ending {
		e.ending = false
		e.hangUp(Conn.Close)
	}
}

// act carries out one action.
func (e *endpoint) act(now time.Time, a *core.Action) {
	s, version := e.scratch, e.common.Connect.Version
	var err error
	switch a.Kind {
	case core.SendPacket:
		s.out, err = wire.Append(s.out, version, a.Packet)
	case core.SendAck:
		s.ack = mqtt.Ack{PacketID: a.AckID, ReasonCode: a.Code}
		s.out, err = wire.AppendAck(s.out, version, a.AckType, &s.ack)
	case core.SendPublish:
		e.role.sending(now, a.Publish)
		e.common.Traffic.payload(len(a.Publish.Payload))
		s.out, _, err = wire.AppendPublish(s.out, version, a.Publish, delivery(a))
	case core.Deliver:
		e.common.Traffic.payload(len(a.Publish.Payload))
		e.role.delivered(now, a.Publish)
	case core.Done:
		e.role.done(now, a.Token, a)
	case core.Close:
		e.ending = true
	case core.StateChange:
		e.stateChanged(now, a)
	}
	if err != nil {
		// The scenario was checked, so this is a mistake of ours; the ledger shows the message as pending.
		e.common.Logger.Error("packet could not be encoded", "client", e.machine.ClientID(), "error", err)
	}
}

// delivery is what one transmission adds to a message.
func delivery(a *core.Action) wire.Delivery {
	return wire.Delivery{
		PacketID: a.Sending.PacketID, QoS: a.Publish.QoS, Retain: a.Publish.Retain, Dup: a.Sending.Dup,
		TopicAlias: a.Sending.TopicAlias, OmitTopic: a.Sending.OmitTopic, MessageExpiryInterval: a.Publish.MessageExpiryInterval,
	}
}

func (e *endpoint) stateChanged(now time.Time, a *core.Action) {
	switch a.State {
	case core.Connected:
		e.tried, e.reborn = 0, false
		e.move(now, ledger.Connected)
		e.role.connected(now, a.Packet.(*mqtt.Connack))
	case core.Disconnected:
		if a.Err != nil && !errors.Is(a.Err, io.EOF) {
			e.common.Logger.Debug("connection lost", "client", e.machine.ClientID(), "error", a.Err)
		}
		e.lost(now, a.Err)
	}
}

// write sends bytes behind what still waits.
func (e *endpoint) write(p []byte) {
	if len(p) == 0 || e.conn == nil {
		return
	}
	e.common.Traffic.packets(len(p))
	if len(e.unsent) == 0 {
		p = p[e.conn.Send(p):]
	}
	e.unsent = append(e.unsent, p...)
}

func (e *endpoint) writable() {
	if e.conn == nil || len(e.unsent) == 0 {
		return
	}
	n := e.conn.Send(e.unsent)
	if n == len(e.unsent) {
		e.unsent = nil
		return
	}
	e.unsent = append(e.unsent[:0], e.unsent[n:]...)
}
