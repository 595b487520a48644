package client

import (
	"time"

	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/mqtt"
)

// arrival is a QoS 1 or 2 message that the application has, or had, to acknowledge.
type arrival struct {
	receipt Receipt
	id      uint16
	qos     mqtt.QoS
	acked   bool // by the application; the packet may wait for those before it
	code    mqtt.ReasonCode
}

// incoming is the receiving half of the Session.
type incoming struct {
	qos2    inflight.IDSet // Packet Identifiers from PUBLISH to PUBREL
	waiting []arrival      // on this Network Connection, in order of arrival; acknowledgements leave from its front
	acked   int            // how many at the front of waiting are acknowledged and sent
	qos1    int            // how many of those that wait have QoS 1
	adrift  []arrival      // QoS 2 messages of earlier connections: the application has them, the Server will send them again
	last    Receipt
}

// open counts the messages that the Server has under way to us, by our Receive Maximum.
func (in *incoming) open() int { return in.qos2.Len() - len(in.adrift) + in.qos1 }

// disconnected sorts what waits: a QoS 1 message comes again as a new delivery, a QoS 2 message must not.
func (in *incoming) disconnected() {
	for _, a := range in.waiting[in.acked:] {
		if a.qos == mqtt.ExactlyOnce {
			in.adrift = append(in.adrift, a)
		}
	}
	in.waiting, in.acked, in.qos1 = nil, 0, 0
}

// forget ends the receiving half with the Session. Receipts given out are unknown from now on.
func (in *incoming) forget() {
	*in = incoming{last: in.last}
}

// track notes a delivery that the application has to acknowledge.
func (in *incoming) track(p *mqtt.Publish) Receipt {
	in.last++
	if in.last == 0 {
		in.last = 1
	}
	in.wait(arrival{receipt: in.last, id: p.PacketID, qos: p.QoS})
	if p.QoS == mqtt.AtLeastOnce {
		in.qos1++
	}
	return in.last
}

// wait appends a, over the room of those that are done when they are the larger part.
func (in *incoming) wait(a arrival) {
	if in.acked > 0 && 2*in.acked >= len(in.waiting) {
		n := copy(in.waiting, in.waiting[in.acked:])
		in.waiting, in.acked = in.waiting[:n], 0
	}
	in.waiting = append(in.waiting, a)
}

// again moves the QoS 2 message id from adrift back to waiting; false if it is not adrift.
func (in *incoming) again(id uint16) bool {
	for i, a := range in.adrift {
		if a.id == id {
			in.adrift = append(in.adrift[:i], in.adrift[i+1:]...)
			in.wait(a)
			return true
		}
	}
	return false
}

// pending reports whether the application has not acknowledged the QoS 2 message id yet, so that no PUBREC is out.
func (in *incoming) pending(id uint16) bool {
	for _, a := range in.waiting[in.acked:] {
		if a.id == id && a.qos == mqtt.ExactlyOnce {
			return true
		}
	}
	return false
}

func (m *Machine) receivePublish(p *mqtt.Publish) {
	if code, detail := m.aliases.incoming(p, m.connect.TopicAliasMaximum); code != mqtt.Success {
		m.violation(code, detail)
		return
	}
	if p.QoS == mqtt.AtMostOnce {
		m.deliver(p, 0)
		return
	}
	if p.QoS == mqtt.ExactlyOnce && m.incoming.qos2.Has(p.PacketID) {
		m.receivedAgain(p.PacketID)
		return
	}
	if limit := m.connect.ReceiveMaximum; m.connect.Version == mqtt.V5 && limit > 0 && m.incoming.open() >= int(limit) { // [X5 3.3.4-7]
		m.violation(mqtt.ReceiveMaximumExceeded, "more messages under way than the Receive Maximum allows")
		return
	}
	if p.QoS == mqtt.ExactlyOnce {
		m.incoming.qos2.Add(p.PacketID)
	}
	// A Packet Identifier that was acknowledged stands for a new message. [MQTT5 4.3.2-5] [MQTT5 4.3.3-12] [MQTT311 4.3.2-2]
	// Unwanted messages are acknowledged like all others. [MQTT5 4.5.0-2] [MQTT311 4.5.0-2]
	if m.cfg.ManualAck {
		m.deliver(p, m.incoming.track(p))
		return
	}
	m.deliver(p, 0)
	m.acknowledge(p.QoS, p.PacketID, mqtt.Success)
}

// receivedAgain answers a PUBLISH of a QoS 2 message that was delivered before. [MQTT5 4.3.3-10] [MQTT311 4.3.3-2]
func (m *Machine) receivedAgain(id uint16) {
	if m.incoming.again(id) {
		m.flushAcks()
		return
	}
	if !m.incoming.pending(id) {
		m.acknowledge(mqtt.ExactlyOnce, id, mqtt.Success)
	}
}

func (m *Machine) deliver(p *mqtt.Publish, r Receipt) {
	a := m.act(Deliver)
	a.Publish, a.Receipt = p, r
}

// acknowledge answers a PUBLISH. [MQTT5 3.3.4-1] [MQTT5 4.3.2-4] [MQTT5 4.3.3-8] [MQTT311 3.3.4-1]
func (m *Machine) acknowledge(qos mqtt.QoS, id uint16, code mqtt.ReasonCode) {
	if qos == mqtt.AtLeastOnce {
		m.sendAck(mqtt.TypePuback, id, code)
		return
	}
	if code.Failed() { // [MQTT5 4.3.3-9]
		m.incoming.qos2.Remove(id)
	}
	m.sendAck(mqtt.TypePubrec, id, code)
}

// Ack acknowledges a delivered message, with Success or, in 5.0, another code that PUBACK or PUBREC may carry; others are sent as
// ImplementationSpecificError. Acknowledgements leave in the order in which the messages came, so one may wait for others. A QoS 1 Receipt of an
// earlier connection and unknown ones are ignored: the Server sends such a message again, or its Session is over.
func (m *Machine) Ack(now time.Time, r Receipt, code mqtt.ReasonCode) {
	m.tick(now)
	if !mayRefuse(code) { // [MQTT5 3.4.2-1] [MQTT5 3.5.2-1]
		code = mqtt.ImplementationSpecificError
	}
	if m.connect == nil || m.connect.Version != mqtt.V5 { // no way to refuse
		code = mqtt.Success
	}
	waiting := m.incoming.waiting[m.incoming.acked:]
	for i := range waiting {
		if a := &waiting[i]; a.receipt == r && !a.acked {
			a.acked, a.code = true, code
			m.flushAcks()
			return
		}
	}
	for i := range m.incoming.adrift {
		if a := &m.incoming.adrift[i]; a.receipt == r {
			a.acked, a.code = true, code
			return
		}
	}
}

// mayRefuse reports whether a client's PUBACK or PUBREC may carry the code.
func mayRefuse(code mqtt.ReasonCode) bool {
	switch code {
	case mqtt.Success, mqtt.UnspecifiedError, mqtt.ImplementationSpecificError, mqtt.NotAuthorized, mqtt.TopicNameInvalid,
		mqtt.PacketIdentifierInUse, mqtt.QuotaExceeded, mqtt.PayloadFormatInvalid:
		return true
	}
	return false
}

// flushAcks sends the acknowledgements that wait for none before them. [MQTT5 4.6.0-2] [MQTT5 4.6.0-3] [MQTT311 4.6.0-2] [MQTT311 4.6.0-3]
func (m *Machine) flushAcks() {
	in := &m.incoming
	for ; in.acked < len(in.waiting) && in.waiting[in.acked].acked; in.acked++ {
		a := &in.waiting[in.acked]
		if a.qos == mqtt.AtLeastOnce {
			in.qos1--
		}
		m.acknowledge(a.qos, a.id, a.code)
	}
}

// receivePubrel ends an incoming QoS 2 exchange, however old its message. [MQTT5 4.3.3-11] [MQTT5 4.3.3-13] [MQTT311 4.3.3-2]
func (m *Machine) receivePubrel(p *mqtt.Pubrel) {
	if m.incoming.pending(p.PacketID) {
		m.violation(mqtt.ProtocolError, "PUBREL for a message that was not acknowledged with PUBREC")
		return
	}
	code := mqtt.Success
	if !m.incoming.qos2.Remove(p.PacketID) {
		code = mqtt.PacketIdentifierNotFound // [X5 3.7.2.1-1]
	}
	m.sendAck(mqtt.TypePubcomp, p.PacketID, code)
}
