package server

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// RecordKind says what a [Record] changes, and which of its fields count.
type RecordKind uint8

// The kinds of records. A Put replaces what was put under the same key before; the key is named first.
const (
	// PutMessage: Message; Publish, Time of arrival. It comes before the first record that refers to it.
	PutMessage RecordKind = iota + 1
	// RemoveMessage: Message. No record refers to it any more.
	RemoveMessage
	// PutSession: Session; Client, Username, Expiry. With Offline: Time is when the Session ends, zero for never. A Message that is not 0 is
	// the Will Message, to be published at WillTime if Offline, else Delay after the connection ends.
	PutSession
	// EndSession: Session. All that was put for it is void.
	EndSession
	// PutSubscription: Session, Name (Topic Filter as the client wrote it); Shared, QoS, NoLocal, RetainAsPublished, Identifiers.
	PutSubscription
	// RemoveSubscription: Session, Name.
	RemoveSubscription
	// PutReceived: Session, PacketID of a QoS 2 message from the client whose PUBREL has not come.
	PutReceived
	// RemoveReceived: Session, PacketID.
	RemoveReceived
	// PutDelivery: Session, Place; QoS, Retain, Free, Identifiers, and with Shared the Share Name in Share and its filter in Name. Message is
	// what is to be delivered; PacketID is 0 until it is sent. With Released, PUBREL was sent for PacketID and there is no Message. Places
	// order the deliveries of a Session: what is under way in order of sending (Released: of the PUBRECs) before what waits in the queue.
	PutDelivery
	// RemoveDelivery: Session, Place.
	RemoveDelivery
	// PutRetained: Name (Topic Name); Message.
	PutRetained
	// RemoveRetained: Name.
	RemoveRetained
)

// Record is one change of what a Server must remember beyond its process. What [Machine.Restore] gets is the Puts that were neither replaced
// nor removed, and nothing of Sessions that ended.
type Record struct {
	Kind RecordKind

	// Lazy: no acknowledgement promises the change. It must become durable in its place among the others, but actions need not wait for it.
	Lazy bool

	Session uint64 // a number used once
	Message uint64 // a number used once; 0: none
	Place   uint64 // a number used once

	Client, Username  string
	Name, Share       string
	Publish           *mqtt.Publish // valid like the Action
	Time, WillTime    time.Time
	Delay             time.Duration
	Expiry            uint32 // Session Expiry Interval, seconds
	Identifiers       []uint32
	PacketID          uint16
	QoS               mqtt.QoS
	Offline           bool
	Shared            bool
	NoLocal           bool
	RetainAsPublished bool
	Retain            bool
	Free              bool // not counted against the limits of the queue
	Released          bool
}

// record adds a Store action and returns its Record to be filled. The pointer is valid until the next call of record.
func (m *Machine) record(kind RecordKind) *Record {
	o := &m.out
	o.add(output{kind: Store, side: int32(len(o.records))})
	o.records = append(o.records, Record{Kind: kind})
	return &o.records[len(o.records)-1]
}

// serial returns a number that was never used before.
func (m *Machine) serial() uint64 {
	m.lastSerial++
	return m.lastSerial
}

// wall returns the time of day of a point of the machine's clock.
func (m *Machine) wall(at time.Duration) time.Time {
	if at == forever {
		return time.Time{}
	}
	return m.base.Add(at)
}

// durable reports whether the deliveries and exchanges of a Session are stored. One that ends with its connection has nothing to store but a
// Will Message.
func (s *session) durable() bool { return s.number != 0 && s.resumable() }

// putSession stores a Session that can outlive its connection or has a Will Message, and each change of it.
func (m *Machine) putSession(s *session) {
	w := s.will
	if s.conn != nil {
		w = s.conn.will
	}
	if s.number == 0 {
		if !m.cfg.Persist || !s.resumable() && w == nil {
			return
		}
		s.number = m.serial()
	}
	message := uint64(0)
	if w != nil {
		message = m.putMessage(w.message)
	}
	r := m.record(PutSession)
	r.Session, r.Client, r.Username, r.Expiry, r.Message = s.number, s.id, s.username, s.expiry, message
	if r.Offline = s.conn == nil; r.Offline {
		r.Time = m.wall(s.ends)
	}
	if w != nil {
		r.Delay, r.WillTime = w.delay, m.wall(s.willDue)
	}
}

// putEnd makes the store forget a Session.
func (m *Machine) putEnd(s *session) {
	if s.number != 0 {
		m.record(EndSession).Session = s.number
		s.number = 0
	}
}

// putMessage stores a message unless it is stored, and returns its number.
func (m *Machine) putMessage(x *message) uint64 {
	if x.serial == 0 {
		x.serial = m.serial()
		r := m.record(PutMessage)
		r.Message, r.Publish, r.Time, r.Lazy = x.serial, &x.publish, m.wall(x.arrived), x.publish.QoS == mqtt.AtMostOnce
	}
	return x.serial
}

// release lets go of a message; the last holder's removes it from the store.
func (m *Machine) release(x *message) {
	if m.messages.release(x) {
		m.removeMessage(x)
	}
}

func (m *Machine) removeMessage(x *message) {
	if x.serial != 0 {
		r := m.record(RemoveMessage)
		r.Message, r.Lazy = x.serial, true
		x.serial = 0
	}
}

// putSubscription stores a Subscription with its options.
func (m *Machine) putSubscription(sub *subscription) {
	if !sub.session.durable() {
		return
	}
	r := m.record(PutSubscription)
	r.Session, r.Name, r.Shared = sub.session.number, sub.filter, sub.group != nil
	r.QoS, r.NoLocal, r.RetainAsPublished, r.Identifiers = sub.qos, sub.noLocal, sub.retainAsPublished, sub.ids
}

func (m *Machine) putSubscriptionRemoved(sub *subscription) {
	if sub.session.durable() {
		r := m.record(RemoveSubscription)
		r.Session, r.Name = sub.session.number, sub.filter
	}
}

// received notes a QoS 2 message that was received and is not released.
func (m *Machine) received(s *session, id uint16) {
	m.flows(s).in.Add(id)
	if s.durable() {
		r := m.record(PutReceived)
		r.Session, r.PacketID = s.number, id
	}
}

// released forgets a QoS 2 message that was received, and reports whether it was known.
func (m *Machine) released(s *session, id uint16) bool {
	if s.flow == nil || !s.flow.in.Remove(id) {
		return false
	}
	if s.durable() { // before PUBCOMP, for after it the client may use the identifier anew
		r := m.record(RemoveReceived)
		r.Session, r.PacketID = s.number, id
	}
	return true
}

// placed gives a message that is kept for a Session a place in the store, which putDelivery fills.
func (m *Machine) placed(s *session, x *pending) {
	if s.durable() && x.message != nil {
		x.place = m.serial()
	}
}

// putDelivery stores how far a message for a Session has come: id is 0 while it waits in the queue.
func (m *Machine) putDelivery(s *session, x *pending, id uint16) {
	if x.place == 0 {
		return
	}
	message := m.putMessage(x.message)
	r := m.record(PutDelivery)
	r.Session, r.Place, r.Message, r.PacketID, r.Lazy = s.number, x.place, message, id, x.qos == mqtt.AtMostOnce
	r.QoS, r.Retain, r.Free, r.Identifiers = x.qos, x.retain, x.free, x.ids
	if g := x.group; g != nil {
		r.Shared, r.Share, r.Name = true, g.key.share, g.key.path
	}
}

// putReleased stores that PUBREL is sent for a message, in the order of PUBRECs, and that the message is not wanted any more.
func (m *Machine) putReleased(s *session, old *pending, id uint16) {
	if old.place == 0 {
		return
	}
	m.removeDelivery(s, old)
	place := m.serial()
	s.flow.out.Message(id).place = place
	r := m.record(PutDelivery)
	r.Session, r.Place, r.PacketID, r.QoS, r.Released = s.number, place, id, mqtt.ExactlyOnce, true
}

// removeDelivery makes the store forget a delivery that came to its end. If that is lost, the client gets the message again under the same Packet
// Identifier with DUP, as after any loss of the connection.
func (m *Machine) removeDelivery(s *session, x *pending) {
	if x.place != 0 && s.number != 0 {
		r := m.record(RemoveDelivery)
		r.Session, r.Place, r.Lazy = s.number, x.place, true
	}
	x.place = 0
}

// putRetained stores that x is the retained message of its Topic Name, unless it is the Server's own, and reports whether it did. p is the
// same message.
func (m *Machine) putRetained(p *mqtt.Publish, x *message) bool {
	if !m.cfg.Persist || m.own {
		return false
	}
	message := m.putMessage(x)
	r := m.record(PutRetained)
	r.Name, r.Message, r.Lazy = p.Topic, message, p.QoS == mqtt.AtMostOnce
	return true
}

func (m *Machine) putRetainedRemoved(name string, lazy bool) {
	r := m.record(RemoveRetained)
	r.Name, r.Lazy = name, lazy
}
