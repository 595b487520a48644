package client

import (
	"fmt"
	"time"

	"mqttlab/reference-broker/core/inflight"
	"mqttlab/reference-broker/mqtt"
)

// Kept is a QoS 1 or 2 message of an earlier process that is not acknowledged.
type Kept struct {
	Publish  *mqtt.Publish // kept, as with Publish; after PUBREC its topic and payload are of no more use
	Token    Token         // for Done
	Taken    time.Time     // when Publish was called
	PacketID uint16        // 0: not sent yet
	Released bool          // PUBREC has come
}

// Restore gives a new machine the Session State of an earlier process: its messages in the order of Publish, but those that are released in
// the order of their PUBRECs, and the Packet Identifiers of incoming QoS 2 messages from PUBREC to PUBREL. Whether the Server has its half
// shows at the next CONNACK.
//
// An owner that wants its messages to outlive the process keeps what the actions say: a message when Publish takes it; SendPublish, its Packet
// Identifier; SendAck of PUBREL with a Token, that it is released; Done, that it is over; SendAck of PUBREC that is no failure and of PUBCOMP,
// the beginning and the end of an incoming exchange; and StateChange to Connected without Session Present, that there are none of these.
func (m *Machine) Restore(now time.Time, messages []Kept, received []uint16) error {
	m.tick(now)
	for _, k := range messages {
		msg := message{Publish: k.Publish, token: k.Token, taken: m.now - now.Sub(k.Taken)}
		if k.PacketID == 0 {
			m.queue.push(msg)
			continue
		}
		phase := inflight.AwaitPuback
		switch {
		case k.Released:
			phase = inflight.AwaitPubcomp
		case k.Publish.QoS == mqtt.ExactlyOnce:
			phase = inflight.AwaitPubrec
		}
		if !m.outgoing.Restore(k.PacketID, msg, phase) {
			return fmt.Errorf("two messages have the Packet Identifier %d", k.PacketID)
		}
	}
	for _, id := range received {
		m.incoming.qos2.Add(id)
	}
	m.begun, m.held = true, true
	return nil
}
