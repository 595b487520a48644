package server

import (
	"fmt"
	"slices"
	"time"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// maxClientID31 is the longest Client Identifier of MQTT 3.1, bytes.
const maxClientID31 = 23

// connect takes the CONNECT of a new connection. What is wrong with it is told in CONNACK, never in DISCONNECT. [X5 3.1.0-1] [X5 4.13.1-2]
func (m *Machine) connect(c *conn, p *mqtt.Connect) {
	c.version = p.Version
	if r := m.checkConnect(c, p); r.code != mqtt.Success {
		m.refuse(c, r)
		return
	}
	if p.ClientID == "" {
		p.ClientID = m.assignClientID()
		c.handshake.assigned = true
	}
	if !m.cfg.Authenticate {
		m.admit(c, p, Admission{Username: p.Username.Or("")})
		return
	}
	c.state = authenticating
	c.handshake.connect = cloneConnect(p)
	if p.AuthenticationMethod.Set {
		c.auth = &exchange{method: p.AuthenticationMethod.Value, running: true}
	}
	m.out.packet(Authenticate, c.id, p)
}

// checkConnect returns why a CONNECT can't be accepted, whoever sent it.
func (m *Machine) checkConnect(c *conn, p *mqtt.Connect) refusal {
	switch {
	case p.Version != mqtt.V31 && p.Version != mqtt.V311 && p.Version != mqtt.V5:
		// [MQTT5 3.1.2-2] [MQTT311 3.1.2-2]
		return refusal{code: mqtt.UnsupportedProtocolVersion, why: "protocol version is not 3, 4 or 5"}
	case m.cfg.Redirect.Reference != "":
		code := mqtt.UseAnotherServer // [X5 3.2.2.3.16-1]
		if m.cfg.Redirect.Permanent {
			code = mqtt.ServerMoved
		}
		return refusal{code: code, reference: m.cfg.Redirect.Reference}
	case p.AuthenticationData != nil && !p.AuthenticationMethod.Set: // [X5 3.1.2.11.10-1]
		return refusal{code: mqtt.ProtocolError, why: "Authentication Data without Authentication Method"}
	case p.AuthenticationMethod.Set && !m.cfg.Authenticate: // [MQTT5 4.12.0-1]
		return refusal{code: mqtt.BadAuthenticationMethod, why: "no Authentication Method is supported"}
	}
	if why := m.checkClientID(p); why != "" {
		// [MQTT5 3.1.3-8] [MQTT311 3.1.3-8] [MQTT311 3.1.3-9]
		return refusal{code: mqtt.ClientIdentifierNotValid, why: why}
	}
	if p.Will != nil {
		return m.checkWill(p.Will)
	}
	return refusal{}
}

// checkClientID returns what is wrong with the Client Identifier, or nothing.
func (m *Machine) checkClientID(p *mqtt.Connect) string {
	switch {
	case p.ClientID == "" && m.cfg.RequireClientID:
		return "empty Client Identifier"
	case p.ClientID == "" && p.Version == mqtt.V31:
		return "empty Client Identifier in MQTT 3.1"
	case p.ClientID == "" && p.Version == mqtt.V311 && !p.CleanStart: // [MQTT311 3.1.3-7] [MQTT311 3.1.3-8]
		return "empty Client Identifier without Clean Session"
	case len(p.ClientID) > m.cfg.MaximumClientID: // refused, never cut: [X5 3.1.3.1-1]
		return "Client Identifier too long"
	case len(p.ClientID) > maxClientID31 && p.Version == mqtt.V31 && !m.cfg.LongClientIDs31:
		return "Client Identifier over 23 bytes in MQTT 3.1"
	}
	return ""
}

// checkWill returns why a Will Message can't be accepted.
func (m *Machine) checkWill(w *mqtt.Will) refusal {
	switch {
	case topic.CheckName(w.Topic) != nil, topic.Levels(w.Topic) > m.cfg.TopicLevels, w.Topic[0] == '$' && !m.cfg.DollarTopics:
		return refusal{code: mqtt.TopicNameInvalid, why: "Will Topic is not a Topic Name that clients may publish to"}
	case w.QoS > m.cfg.MaximumQoS.Or(mqtt.ExactlyOnce): // [MQTT5 3.2.2-12]
		return refusal{code: mqtt.QoSNotSupported, why: "Will QoS above Maximum QoS"}
	case w.Retain && m.cfg.NoRetain: // [MQTT5 3.2.2-13]
		return refusal{code: mqtt.RetainNotSupported, why: "Will Retain without retained messages"}
	case w.ResponseTopic != "" && topic.CheckName(w.ResponseTopic) != nil:
		return refusal{code: mqtt.ProtocolError, why: "Response Topic of the Will is not a Topic Name"}
	case m.cfg.CheckPayloadFormat && !validPayload(w.PayloadFormat, w.Payload): // [X5 3.1.3.2.3-2]
		return refusal{code: mqtt.PayloadFormatInvalid, why: "Will Payload is not UTF-8"}
	}
	return refusal{}
}

// assignClientID makes an identifier that no Session has; from here on it is like any other. [MQTT5 3.1.3-6] [MQTT5 3.1.3-7] [MQTT311 3.1.3-6]
func (m *Machine) assignClientID() string {
	for {
		id := fmt.Sprintf("auto%016x", m.rng.Uint64())
		if m.cfg.Deviations.Has(AssignedClientIDRepeated) {
			return "auto"
		}
		if m.sessions[id] == nil {
			return id
		}
	}
}

// cloneConnect copies what outlives the call. The credentials are the owner's business, which has seen them in the Authenticate action.
func cloneConnect(p *mqtt.Connect) *mqtt.Connect {
	c := *p
	c.Password, c.AuthenticationData, c.UserProperties = mqtt.Opt[[]byte]{}, nil, nil
	if p.Will != nil {
		w := *p.Will
		w.Payload = slices.Clone(w.Payload)
		w.CorrelationData = slices.Clone(w.CorrelationData)
		w.UserProperties = slices.Clone(w.UserProperties)
		c.Will = &w
	}
	return &c
}

// admit accepts a CONNECT: it finds or makes the Session and answers with CONNACK.
func (m *Machine) admit(c *conn, p *mqtt.Connect, a Admission) {
	if w := p.Will; w != nil && !m.allowed(Access{LeaveWill, p.ClientID, a.Username, w.Topic, w.QoS, w.Retain}) {
		m.fail(c, mqtt.NotAuthorized, "Will Topic not authorized")
		return
	}
	s, present := m.openSession(p)
	if s == nil {
		m.note(Event{Kind: LimitReached, Conn: c.id, Client: p.ClientID, Detail: "MaximumSessions"})
		m.fail(c, mqtt.QuotaExceeded, "too many Sessions")
		return
	}
	s.username = a.Username
	m.settle(c, p)
	c.state = connected
	c.session, s.conn = s, c
	if p.Will != nil {
		c.will = m.newWill(p.Will)
	}
	if c.auth != nil {
		c.auth.running = false
	}
	m.putSession(s)
	held := c.handshake.held
	m.connack(c, p, a, present)
	c.handshake = nil
	if c.session == nil { // the client takes no packet as large as CONNACK
		return
	}
	m.note(Event{Kind: ClientConnected, Conn: c.id, Client: s.id, Resumed: present})
	m.resume(s)
	for _, packet := range held {
		if c.session == nil {
			return // closed by one of them
		}
		m.dispatch(c, packet)
	}
}

// settle notes what holds for this Network Connection only. [X5 3.1.2.11.3-3] [X5 4.9-2]
func (m *Machine) settle(c *conn, p *mqtt.Connect) {
	c.noProblemInfo = !p.RequestProblemInformation.Or(true)
	c.maxPacket = p.MaximumPacketSize
	c.window = m.cfg.MaximumInflight
	if p.ReceiveMaximum > 0 && !m.cfg.Deviations.Has(ReceiveMaximumIgnored) { // [MQTT5 3.3.4-9] [MQTT5 4.9.0-1]
		c.window = min(c.window, p.ReceiveMaximum)
	}
	if p.Version == mqtt.V5 {
		c.aliases = newAliases(m.cfg.TopicAliasMaximum, min(m.cfg.MaximumOutboundAliases, int(p.TopicAliasMaximum)))
		if c.aliases != nil && m.cfg.Deviations.Has(AliasesNotReset) {
			c.aliases.in = m.staleAliases[p.ClientID]
		}
	}
	seconds := p.KeepAlive
	if p.Version == mqtt.V5 && !m.cfg.Deviations.Has(ServerKeepAliveIgnored) { // [MQTT5 3.2.2-22] [X5 3.2.2.3.14-1]
		seconds = m.cfg.ServerKeepAlive.Or(seconds)
	}
	m.timers.stop(&c.timer)
	c.lastSeen = m.now
	// [X5 3.1.2.10-1]
	if c.patience = time.Duration(seconds) * 3 * time.Second / 2; c.patience > 0 {
		m.timers.set(&c.timer, m.now+c.patience)
	}
}

// connack answers an accepted CONNECT, before anything else is sent. [MQTT5 3.1.4-5] [MQTT5 3.2.0-1] [MQTT5 3.2.0-2] [MQTT311 3.1.4-4]
// [MQTT311 3.2.0-1]
func (m *Machine) connack(c *conn, p *mqtt.Connect, a Admission, present bool) {
	k := &mqtt.Connack{SessionPresent: present && p.Version != mqtt.V31}
	switch {
	case m.cfg.Deviations.Has(SessionPresentAlways):
		k.SessionPresent = true
	case m.cfg.Deviations.Has(SessionPresentNever):
		k.SessionPresent = false
	}
	if p.Version == mqtt.V5 {
		m.describe(k, p, a)
		if c.handshake.assigned { // [MQTT5 3.2.2-16] [X5 3.2.2.3.7-1]
			k.AssignedClientID = p.ClientID
		}
		if c.auth != nil { // [MQTT5 4.12.0-5] [MQTT5 4.12.0-6]
			k.AuthenticationMethod = mqtt.Some(c.auth.method)
			k.AuthenticationData = a.AuthenticationData
		}
		if !m.fitConnack(c, k) {
			m.close(c, mqtt.PacketTooLarge, "CONNACK above Maximum Packet Size")
			return
		}
	}
	m.send(c, k)
}

// describe tells a 5.0 client what this Server does and does not do.
func (m *Machine) describe(k *mqtt.Connack, p *mqtt.Connect, a Admission) {
	if p.SessionExpiryInterval > m.cfg.MaximumSessionExpiry { // [X5 3.2.2.3.2-1]
		k.SessionExpiryInterval = mqtt.Some(m.cfg.MaximumSessionExpiry)
	}
	if m.cfg.ReceiveMaximum != mqtt.DefaultReceiveMaximum {
		k.ReceiveMaximum = m.cfg.ReceiveMaximum
	}
	if m.cfg.MaximumQoS.Or(mqtt.ExactlyOnce) < mqtt.ExactlyOnce { // [MQTT5 3.2.2-9]
		k.MaximumQoS = m.cfg.MaximumQoS
	}
	unavailable := func(o *mqtt.Opt[bool], lacks bool) {
		if lacks {
			*o = mqtt.Some(false)
		}
	}
	unavailable(&k.RetainAvailable, m.cfg.NoRetain)
	unavailable(&k.WildcardSubscriptionAvailable, m.cfg.NoWildcardSubscriptions)
	unavailable(&k.SubscriptionIdentifierAvailable, m.cfg.NoSubscriptionIdentifiers)
	unavailable(&k.SharedSubscriptionAvailable, m.cfg.NoSharedSubscriptions)
	k.MaximumPacketSize = m.cfg.MaximumPacketSize
	k.TopicAliasMaximum = uint16(m.cfg.TopicAliasMaximum)
	k.ServerKeepAlive = m.cfg.ServerKeepAlive
	k.UserProperties = a.UserProperties
	asked := p.RequestResponseInformation || m.cfg.Deviations.Has(ResponseInformationUnasked)
	if asked && m.cfg.ResponseInformation != "" { // [MQTT5 3.1.2-28] [X5 3.2.2.3.15-1]
		k.ResponseInformation = mqtt.Some(m.cfg.ResponseInformation + p.ClientID)
	}
}

// refuseConnect closes a connection that is not accepted, with CONNACK if the client's version has a code for the reason.
func (m *Machine) refuseConnect(c *conn, r refusal) {
	m.note(Event{Kind: ClientRefused, Conn: c.id, Client: c.clientID(), Code: r.code, Detail: r.why})
	if c.version != 0 && (c.version == mqtt.V5 || hasReturnCode(r.code)) {
		// [MQTT5 3.2.2-6] [MQTT311 3.2.2-4]: Session Present is 0.
		k := &mqtt.Connack{ReasonCode: r.code, ServerReference: r.reference, UserProperties: r.properties}
		if m.cfg.ReasonStrings {
			k.ReasonString = r.why
		}
		if m.fitConnack(c, k) {
			m.send(c, k)
		}
	}
	// [MQTT5 3.1.4-1] [MQTT5 3.1.4-2] [MQTT5 3.2.2-7] [MQTT311 3.1.4-1] [MQTT311 3.2.2-5] [MQTT311 3.2.2-6]; what was held or comes later has no
	// effect. [MQTT5 3.1.4-6] [MQTT311 3.1.4-5]
	m.out.close(c.id)
	m.forget(c)
}

// hasReturnCode reports whether CONNACK of 3.1 and 3.1.1 can tell the reason; otherwise the connection is closed without one. [MQTT311 3.2.2-6]
func hasReturnCode(code mqtt.ReasonCode) bool {
	switch code {
	case mqtt.UnsupportedProtocolVersion, mqtt.ClientIdentifierNotValid, mqtt.BadUserNameOrPassword, mqtt.NotAuthorized, mqtt.Banned,
		mqtt.ServerUnavailable, mqtt.ServerBusy, mqtt.ServerShuttingDown, mqtt.QuotaExceeded, mqtt.UseAnotherServer, mqtt.ServerMoved,
		mqtt.ConnectionRateExceeded:
		return true
	}
	return false
}
