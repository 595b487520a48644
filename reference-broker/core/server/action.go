package server

import (
	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// ActionKind says which fields of an [Action] count.
type ActionKind uint8

// The kinds of actions.
const (
	// SendPacket: write Packet to Conn.
	SendPacket ActionKind = iota + 1
	// SendAck: write PUBACK, PUBREC, PUBREL or PUBCOMP (AckType) with Ack to Conn. Apart from SendPacket so that no acknowledgement allocates.
	SendAck
	// SendPublish: write Publish to Conn with the per-receiver fields of Delivery in place of its own. Publish is shared by all receivers.
	SendPublish
	// Close: write out what was sent to Conn before, then close it. No action names Conn afterwards; Lost need not be called.
	Close
	// Authenticate: decide on Packet, the CONNECT and later each AUTH, and answer with Machine.Admit. Only with Config.Authenticate set. Packets that
	// arrive before the answer to a CONNECT are held.
	Authenticate
	// Note: something an operator may want to know happened; see Event.
	Note
	// Store: make Record durable, together with all others of the same call or of none, before any of the actions that follow is carried out, unless the
	// Record is Lazy. Only with Config.Persist.
	Store
)

// Action is one thing the owner has to do. It is handed out by pointer to spare copies and is valid during the callback only.
type Action struct {
	Kind     ActionKind
	Conn     ConnID
	Packet   mqtt.Packet   // SendPacket, Authenticate
	AckType  mqtt.Type     // SendAck
	Ack      mqtt.Ack      // SendAck
	Publish  *mqtt.Publish // SendPublish
	Delivery Delivery      // SendPublish
	Note     Event         // Note
	Record   *Record       // Store
}

// Delivery is what differs between the receivers of one PUBLISH.
type Delivery struct {
	PacketID                uint16 // 0 for QoS 0
	QoS                     mqtt.QoS
	Retain, Dup             bool
	TopicAlias              uint16           // 0: none
	OmitTopic               bool             // the alias alone is sent
	MessageExpiryInterval   mqtt.Opt[uint32] // what is left of it, seconds
	SubscriptionIdentifiers []uint32
}

// output is an Action as the machine collects it: small, for a message to many receivers makes many. What is rare lies beside, at index side.
type output struct {
	conn     ConnID
	publish  *mqtt.Publish
	delivery Delivery // of an acknowledgement: PacketID
	side     int32
	kind     ActionKind
	ackType  mqtt.Type
	ackCode  mqtt.ReasonCode
}

// Outputs are collected in blocks, so that a SUBSCRIBE that brings 100,000 messages moves none of them; so many blocks are kept for the next batch.
const (
	blockSize  = 256
	keepBlocks = 64
)

// outbox collects actions until Drain. Its slices are used again.
type outbox struct {
	blocks  [][]output // all but the last are full
	packets []mqtt.Packet
	notes   []Event
	records []Record
	reasons []string // of acknowledgements; side is 1 more than the index
	ids     []uint32 // arena of Subscription Identifiers that belong to this batch only
	action  Action
}

// Drain hands out the actions since the last Drain, in order, and forgets them. do must not call the machine.
func (m *Machine) Drain(do func(*Action)) {
	o := &m.out
	for _, block := range o.blocks {
		for i := range block {
			do(o.fill(&block[i]))
		}
	}
	o.action = Action{}
	o.reset()
	m.messages.recycle()
}

// fill makes the Action of x in place.
func (o *outbox) fill(x *output) *Action {
	a := &o.action
	a.Kind, a.Conn = x.kind, x.conn
	switch x.kind {
	case SendPublish:
		a.Publish, a.Delivery = x.publish, x.delivery
	case SendAck:
		a.AckType = x.ackType
		a.Ack = mqtt.Ack{PacketID: x.delivery.PacketID, ReasonCode: x.ackCode}
		if x.side > 0 {
			a.Ack.ReasonString = o.reasons[x.side-1]
		}
	case SendPacket, Authenticate:
		a.Packet = o.packets[x.side]
	case Note:
		a.Note = o.notes[x.side]
	case Store:
		a.Record = &o.records[x.side]
	}
	return a
}

func (o *outbox) reset() {
	if len(o.blocks) > keepBlocks {
		*o = outbox{}
		return
	}
	for i, block := range o.blocks {
		clear(block)
		o.blocks[i] = block[:0]
	}
	clear(o.packets)
	clear(o.notes)
	clear(o.reasons)
	clear(o.records)
	o.blocks, o.packets, o.notes, o.reasons, o.ids, o.records = o.blocks[:0], o.packets[:0], o.notes[:0], o.reasons[:0], o.ids[:0], o.records[:0]
}

// next makes room for an output at the end and returns it, zeroed.
func (o *outbox) next() *output {
	n := len(o.blocks)
	if n == 0 || len(o.blocks[n-1]) == blockSize {
		if n < cap(o.blocks) && o.blocks[:n+1][n] != nil {
			o.blocks = o.blocks[:n+1]
		} else {
			o.blocks = append(o.blocks, make([]output, 0, blockSize))
		}
		n++
	}
	block := &o.blocks[n-1]
	*block = (*block)[:len(*block)+1]
	return &(*block)[len(*block)-1]
}

func (o *outbox) add(x output) { *o.next() = x }

func (o *outbox) packet(kind ActionKind, id ConnID, p mqtt.Packet) {
	o.add(output{kind: kind, conn: id, side: int32(len(o.packets))})
	o.packets = append(o.packets, p)
}

func (o *outbox) close(id ConnID) {
	o.add(output{kind: Close, conn: id})
}

// send writes a packet that is small or rare enough to be allocated.
func (m *Machine) send(c *conn, p mqtt.Packet) { m.out.packet(SendPacket, c.id, p) }

// ack writes PUBACK, PUBREC, PUBREL or PUBCOMP with the Packet Identifier that it answers [MQTT5 2.2.1-5] [MQTT311 2.3.1-6], at once, whatever
// the send quota is [MQTT5 3.3.4-10] [MQTT5 4.9.0-3]. why becomes the Reason String of a failure if the operator wants those. No User Properties
// are sent with acknowledgements [MQTT5 3.4.2-3] [MQTT5 3.5.2-3] [MQTT5 3.6.2-3] [MQTT5 3.7.2-3], and PUBREL has no Reason String to be too long
// but with 0x92 [MQTT5 3.6.2-2].
func (m *Machine) ack(c *conn, t mqtt.Type, id uint16, code mqtt.ReasonCode, why string) {
	x := output{kind: SendAck, conn: c.id, ackType: t}
	x.delivery.PacketID = id
	if c.version == mqtt.V5 {
		x.ackCode = code
		if code.Failed() && m.explains(c, size.Ack(why), why) {
			m.out.reasons = append(m.out.reasons, why)
			x.side = int32(len(m.out.reasons))
		}
	}
	m.out.add(x)
}

func (m *Machine) note(e Event) {
	m.out.add(output{kind: Note, conn: e.Conn, side: int32(len(m.out.notes))})
	m.out.notes = append(m.out.notes, e)
}
