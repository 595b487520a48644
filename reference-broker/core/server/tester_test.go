package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mqttlab/reference-broker/mqtt"
)

// tester drives a Machine and sorts what it does by connection.
type tester struct {
	t      testing.TB
	m      *Machine
	now    time.Time
	last   ConnID
	peers  map[ConnID]*peer
	notes  []Event
	trace  strings.Builder // what was done, if wanted
	traced bool
	disk   *disk // with Config.Persist
}

// peer is the client's end of a Network Connection.
type peer struct {
	*tester
	id     ConnID
	inbox  []mqtt.Packet
	asks   []mqtt.Packet // Authenticate actions
	closed bool
}

func start(t testing.TB, cfg Config) *tester {
	t.Helper()
	if r, ok := t.(*red); ok {
		cfg.Deviations = r.deviations
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return &tester{t: t, m: New(cfg), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), peers: map[ConnID]*peer{}, disk: newDisk(t)}
}

// drain takes the actions over into the peers' inboxes. It checks that nothing follows a Close.
func (s *tester) drain() {
	s.t.Helper()
	s.m.Drain(func(a *Action) {
		if s.traced {
			fmt.Fprintf(&s.trace, "%d %d %+v %v %+v %+v %+v\n", a.Kind, a.Conn, a.Note, a.AckType, a.Ack, a.Publish, a.Delivery)
			if a.Kind == SendPacket {
				fmt.Fprintf(&s.trace, "%+v\n", a.Packet)
			}
		}
		if a.Kind == Note {
			s.notes = append(s.notes, a.Note)
			return
		}
		if a.Kind == Store {
			s.disk.write(a.Record)
			return
		}
		p := s.peers[a.Conn]
		if p.closed {
			s.t.Fatalf("action of kind %d for a connection after its Close", a.Kind)
		}
		switch a.Kind {
		case SendPacket:
			p.inbox = append(p.inbox, a.Packet)
		case SendAck:
			p.inbox = append(p.inbox, ackPacket(a.AckType, a.Ack))
		case SendPublish:
			p.inbox = append(p.inbox, deliver(a.Publish, a.Delivery))
		case Authenticate:
			p.asks = append(p.asks, a.Packet)
		case Close:
			p.closed = true
		}
	})
}

func ackPacket(t mqtt.Type, a mqtt.Ack) mqtt.Packet {
	switch t {
	case mqtt.TypePuback:
		return (*mqtt.Puback)(&a)
	case mqtt.TypePubrec:
		return (*mqtt.Pubrec)(&a)
	case mqtt.TypePubrel:
		return (*mqtt.Pubrel)(&a)
	}
	return (*mqtt.Pubcomp)(&a)
}

// deliver makes the PUBLISH that a codec would write.
func deliver(p *mqtt.Publish, d Delivery) *mqtt.Publish {
	c := p.Clone()
	c.PacketID, c.QoS, c.Retain, c.Dup = d.PacketID, d.QoS, d.Retain, d.Dup
	c.MessageExpiryInterval, c.TopicAlias = d.MessageExpiryInterval, d.TopicAlias
	c.SubscriptionIdentifiers = append([]uint32(nil), d.SubscriptionIdentifiers...)
	if d.OmitTopic {
		c.Topic = ""
	}
	return c
}

// open opens a connection without CONNECT.
func (s *tester) open() *peer {
	s.t.Helper()
	s.last++
	p := &peer{tester: s, id: s.last}
	s.peers[p.id] = p
	s.m.Open(s.now, p.id, Transport{})
	s.drain()
	return p
}

// connect opens a connection with a CONNECT and wants it accepted. Further arguments change the CONNECT.
func (s *tester) connect(client string, changes ...func(*mqtt.Connect)) *peer {
	s.t.Helper()
	p, k := s.connectFor(client, changes...)
	if k.ReasonCode != mqtt.Success {
		s.t.Fatalf("CONNECT of %q refused: %v", client, k.ReasonCode)
	}
	return p
}

// connectFor is connect that returns CONNACK and accepts a refusal.
func (s *tester) connectFor(client string, changes ...func(*mqtt.Connect)) (*peer, *mqtt.Connack) {
	s.t.Helper()
	p := s.open()
	c := &mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: client}
	for _, change := range changes {
		change(c)
	}
	p.send(c)
	k, ok := p.next("CONNACK").(*mqtt.Connack)
	if !ok {
		s.t.Fatal("no CONNACK")
	}
	return p, k
}

func v311(c *mqtt.Connect)    { c.Version = mqtt.V311 }
func v31(c *mqtt.Connect)     { c.Version = mqtt.V31 }
func unclean(c *mqtt.Connect) { c.CleanStart = false }

// kept wants a Session that lasts an hour, and the one that is there.
func kept(c *mqtt.Connect) { c.CleanStart, c.SessionExpiryInterval = false, 3600 }

func expiry(seconds uint32) func(*mqtt.Connect) {
	return func(c *mqtt.Connect) { c.SessionExpiryInterval = seconds }
}

func with(w mqtt.Will) func(*mqtt.Connect) {
	return func(c *mqtt.Connect) { c.Will = &w }
}

// advance lets time pass and calls Advance as often as Deadline says.
func (s *tester) advance(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	for {
		at, ok := s.m.Deadline()
		if !ok || at.After(end) {
			break
		}
		s.now = at
		s.m.Advance(s.now)
		s.drain()
	}
	s.now = end
}

func (p *peer) send(packets ...mqtt.Packet) {
	p.t.Helper()
	for _, x := range packets {
		p.m.Receive(p.now, p.id, x)
		p.drain()
	}
}

// lose breaks the Network Connection.
func (p *peer) lose() {
	p.t.Helper()
	p.m.Lost(p.now, p.id)
	p.closed = true
	p.drain()
}

func (p *peer) next(why string) mqtt.Packet {
	p.t.Helper()
	if len(p.inbox) == 0 {
		p.t.Fatalf("%s: nothing came (closed: %v)", why, p.closed)
	}
	x := p.inbox[0]
	p.inbox = p.inbox[1:]
	return x
}

// want wants these packets next, in this order.
func (p *peer) want(why string, packets ...mqtt.Packet) {
	p.t.Helper()
	for _, want := range packets {
		got := p.next(why)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			p.t.Fatalf("%s (-want +got):\n%s", why, diff)
		}
	}
}

func (p *peer) silence(why string) {
	p.t.Helper()
	if len(p.inbox) > 0 {
		p.t.Fatalf("%s: want silence, got %s", why, show(p.inbox[0]))
	}
	if p.closed {
		p.t.Fatalf("%s: closed", why)
	}
}

// wantClose wants DISCONNECT with that code and nothing else, or a bare close for 0xFF.
func (p *peer) wantClose(why string, code mqtt.ReasonCode) {
	p.t.Helper()
	if code != bare {
		p.want(why, &mqtt.Disconnect{ReasonCode: code})
	}
	if len(p.inbox) > 0 {
		p.t.Fatalf("%s: want close, got %s", why, show(p.inbox[0]))
	}
	if !p.closed {
		p.t.Fatalf("%s: still open", why)
	}
}

// bare is a close without a packet.
const bare mqtt.ReasonCode = 0xFF

func show(p mqtt.Packet) string { return fmt.Sprintf("%v %+v", p.Type(), p) }

// subscribe subscribes to filters at a QoS and takes the SUBACK.
func (p *peer) subscribe(qos mqtt.QoS, filters ...string) {
	p.t.Helper()
	subs := make([]mqtt.Subscription, len(filters))
	for i, f := range filters {
		subs[i] = mqtt.Subscription{TopicFilter: f, QoS: qos}
	}
	p.subscribeTo(0, subs...)
}

// subscribeTo subscribes with all options and wants all granted.
func (p *peer) subscribeTo(identifier uint32, subs ...mqtt.Subscription) {
	p.t.Helper()
	p.send(&mqtt.Subscribe{PacketID: 900, Subscriptions: subs, SubscriptionIdentifier: identifier})
	want := &mqtt.Suback{PacketID: 900}
	for _, x := range subs {
		want.ReasonCodes = append(want.ReasonCodes, mqtt.ReasonCode(x.QoS))
	}
	p.want("SUBACK grants all", want)
}

// publish sends a message and completes its exchange.
func (p *peer) publish(m mqtt.Publish) {
	p.t.Helper()
	if m.QoS > 0 && m.PacketID == 0 {
		m.PacketID = 77
	}
	p.send(&m)
	id := m.PacketID
	switch m.QoS {
	case 1:
		p.wantAck(mqtt.TypePuback, id)
	case 2:
		p.wantAck(mqtt.TypePubrec, id)
		p.send(&mqtt.Pubrel{PacketID: id})
		p.want("PUBREL is answered", &mqtt.Pubcomp{PacketID: id})
	}
}

// wantAck wants an acknowledgement that is no failure.
func (p *peer) wantAck(t mqtt.Type, id uint16) {
	p.t.Helper()
	got := p.next(t.String())
	var a mqtt.Ack
	switch x := got.(type) {
	case *mqtt.Puback:
		a = mqtt.Ack(*x)
	case *mqtt.Pubrec:
		a = mqtt.Ack(*x)
	}
	if got.Type() != t || a.PacketID != id || a.ReasonCode.Failed() {
		p.t.Fatalf("want %v %d, got %s", t, id, show(got))
	}
}

// text is a message as most tests send it.
func text(topic, payload string, qos mqtt.QoS) mqtt.Publish {
	return mqtt.Publish{Topic: topic, Payload: []byte(payload), QoS: qos}
}

// message is text as it arrives.
func arrived(topic, payload string, qos mqtt.QoS, id uint16) *mqtt.Publish {
	p := text(topic, payload, qos)
	p.PacketID = id
	return &p
}

func again(p *mqtt.Publish) *mqtt.Publish {
	p.Dup = true
	return p
}

func retainedText(p *mqtt.Publish) *mqtt.Publish {
	p.Retain = true
	return p
}
