package client

import (
	"time"

	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// request is a SUBSCRIBE or UNSUBSCRIBE that waits for its answer.
type request struct {
	token   Token
	id      uint16
	answer  mqtt.Type
	filters int // how many Reason Codes the answer must have
}

// Subscribe sends s, with a Packet Identifier of the machine's. s may be reused once Drain has returned. It needs a connection: an error
// (ErrNotConnected, *InvalidError, ErrQueueFull for want of Packet Identifiers) means that nothing was sent and no Done will follow.
// A Done without error may still hold failures of single Topic Filters in its SUBACK.
func (m *Machine) Subscribe(now time.Time, token Token, s *mqtt.Subscribe) error {
	m.tick(now)
	if m.state != Connected {
		return ErrNotConnected
	}
	if err := m.limits.admitsFilters(m.connect.Version, s); err != nil {
		return err
	}
	if err := m.admitsSize("SUBSCRIBE", size.Subscribe(m.connect.Version, s)); err != nil {
		return err
	}
	id, err := m.request(token, mqtt.TypeSuback, len(s.Subscriptions))
	if err != nil {
		return err
	}
	out := *s
	out.PacketID = id
	m.send(&out)
	return nil
}

// Unsubscribe sends u as Subscribe does.
func (m *Machine) Unsubscribe(now time.Time, token Token, u *mqtt.Unsubscribe) error {
	m.tick(now)
	if m.state != Connected {
		return ErrNotConnected
	}
	if len(u.TopicFilters) == 0 { // [MQTT5 3.10.3-2] [MQTT311 3.10.3-2]
		return invalid(mqtt.ProtocolError, "UNSUBSCRIBE without a topic filter")
	}
	for _, f := range u.TopicFilters {
		if _, err := checkFilter(m.connect.Version, f); err != nil {
			return err
		}
	}
	if err := checkUser(u.UserProperties); err != nil {
		return err
	}
	if err := m.admitsSize("UNSUBSCRIBE", size.Unsubscribe(m.connect.Version, u)); err != nil {
		return err
	}
	id, err := m.request(token, mqtt.TypeUnsuback, len(u.TopicFilters))
	if err != nil {
		return err
	}
	out := *u
	out.PacketID = id
	m.send(&out)
	return nil
}

func (m *Machine) admitsSize(packet string, size int) error {
	limit := mqtt.MaxRemainingLength
	if m.limits.MaximumPacketSize > 0 { // [MQTT5 3.2.2-15]
		limit = int(m.limits.MaximumPacketSize)
	}
	if size > limit {
		return invalid(mqtt.PacketTooLarge, "%s of %d bytes; the server takes packets of up to %d: use fewer topic filters at once", packet, size, limit)
	}
	return nil
}

func (m *Machine) request(token Token, answer mqtt.Type, filters int) (id uint16, err error) {
	id, ok := m.outgoing.Reserve() // [MQTT5 2.2.1-3] [MQTT311 2.3.1-2]
	if !ok {
		return 0, ErrQueueFull
	}
	m.requests = append(m.requests, request{token: token, id: id, answer: answer, filters: filters})
	return id, nil
}

func (m *Machine) receiveSuback(p *mqtt.Suback) {
	m.answered(p, p.PacketID, len(p.ReasonCodes))
}

func (m *Machine) receiveUnsuback(p *mqtt.Unsuback) {
	n := len(p.ReasonCodes)
	if m.connect.Version != mqtt.V5 {
		n = -1 // has none
	}
	m.answered(p, p.PacketID, n)
}

// answered ends the request that p answers; codes is the number of Reason Codes, -1 where the packet has none.
func (m *Machine) answered(p mqtt.Packet, id uint16, codes int) {
	for i, r := range m.requests {
		if r.id != id || r.answer != p.Type() {
			continue
		}
		if codes >= 0 && codes != r.filters {
			m.violation(mqtt.ProtocolError, p.Type().String()+" with another number of Reason Codes than topic filters were sent")
			return
		}
		m.requests = append(m.requests[:i], m.requests[i+1:]...)
		m.outgoing.Release(id)
		m.done(r.token, mqtt.Success, nil).Packet = p
		return
	}
	m.violation(mqtt.ProtocolError, p.Type().String()+" for a Packet Identifier that was not asked")
}

// dropRequests ends what waits for an answer: SUBSCRIBE and UNSUBSCRIBE are not part of the Session State.
func (m *Machine) dropRequests() {
	for _, r := range m.requests {
		m.outgoing.Release(r.id)
		m.done(r.token, mqtt.Success, ErrConnectionLost)
	}
	m.requests = nil
}
