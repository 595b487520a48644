package wire

import (
	"fmt"

	"mqttlab/reference-broker/mqtt"
)

// connectFlags is the Connect Flags byte (MQTT 5.0 section 3.1.2.3).
type connectFlags byte

const (
	flagReserved   connectFlags = 1 << 0
	flagCleanStart connectFlags = 1 << 1
	flagWill       connectFlags = 1 << 2
	flagWillRetain connectFlags = 1 << 5
	flagPassword   connectFlags = 1 << 6
	flagUsername   connectFlags = 1 << 7
)

func (f connectFlags) has(flag connectFlags) bool { return f&flag != 0 }
func (f connectFlags) willQoS() mqtt.QoS          { return mqtt.QoS(f >> 3 & 3) }

func (d *Decoder) connect(r *reader) *mqtt.Connect {
	version := r.protocol()
	if r.err != nil {
		return nil
	}
	if d.Version == 0 {
		d.Version = version
	}
	c := &mqtt.Connect{Version: version}
	flags := r.connectFlags(version)
	c.CleanStart = flags.has(flagCleanStart)
	c.KeepAlive = r.uint16("Keep Alive")
	if version == mqtt.V5 {
		r.connectProperties(c)
	}
	// [MQTT5 3.1.3-1] [MQTT5 3.1.3-3] [MQTT5 3.1.3-4] [MQTT311 3.1.3-1] [MQTT311 3.1.3-3] [MQTT311 3.1.3-4]
	c.ClientID = r.text("Client Identifier")
	// [MQTT5 3.1.2-9] [MQTT311 3.1.2-9]
	if flags.has(flagWill) {
		c.Will = r.will(version, flags)
	}
	// [MQTT5 3.1.2-16] [MQTT5 3.1.2-17] [MQTT5 3.1.3-12] [MQTT311 3.1.2-18] [MQTT311 3.1.2-19] [MQTT311 3.1.3-11]
	// 3.1 lets the Remaining Length win over the flags: a CONNECT may end before the fields they announce.
	if flags.has(flagUsername) && (version != mqtt.V31 || r.more()) {
		c.Username = mqtt.Some(r.text("User Name"))
	}
	// [MQTT5 3.1.2-18] [MQTT5 3.1.2-19] [MQTT311 3.1.2-20] [MQTT311 3.1.2-21]
	if flags.has(flagPassword) && (version != mqtt.V31 || r.more()) {
		c.Password = mqtt.Some(r.copied("Password"))
	}
	return c
}

// protocol reads Protocol Name and Protocol Version and returns the version if this package speaks it.
func (r *reader) protocol() mqtt.Version {
	at := r.at
	name := string(r.binary("Protocol Name"))
	levelAt := r.at
	level := r.byte("Protocol Version")
	version := mqtt.Version(level)
	switch {
	case r.err != nil:
	case name == "MQTT" && (version == mqtt.V311 || version == mqtt.V5), name == "MQIsdp" && version == mqtt.V31:
		return version
	case name == "MQTT" || name == "MQIsdp":
		// [MQTT5 3.1.2-2] [MQTT311 3.1.2-2] The oldest layout is the one that a peer of unknown version most likely understands; bit 7 marks
		// a bridge of some brokers, which otherwise speaks the version it says.
		r.fail(mqtt.UnsupportedProtocolVersion, "Protocol Version", levelAt, "%d of %s is not supported", level, name)
		r.err.Version = mqtt.V311
		if version&^0x80 == mqtt.V5 {
			r.err.Version = mqtt.V5
		}
	default:
		// [MQTT5 3.1.2-1] [MQTT311 3.1.2-1] 3.1.1 knows no answer to another protocol.
		r.fail(mqtt.UnsupportedProtocolVersion, "Protocol Name", at, "is %.20q", name)
		if version == mqtt.V5 {
			r.err.Version = mqtt.V5
		}
	}
	return 0
}

func (r *reader) connectFlags(version mqtt.Version) connectFlags {
	at := r.at
	f := connectFlags(r.byte("Connect Flags"))
	fail := func(problem string) { r.fail(mqtt.MalformedPacket, "Connect Flags", at, "%s", problem) }
	if f.has(flagWill) && f.willQoS() > mqtt.ExactlyOnce { // [MQTT5 3.1.2-12] [MQTT311 3.1.2-14]
		fail("have a Will QoS of 3")
	}
	if version == mqtt.V31 {
		return f // 3.1 leaves the other combinations open
	}
	switch {
	case f.has(flagReserved): // [MQTT5 3.1.2-3] [MQTT311 3.1.2-3]
		fail("have the reserved bit set")
	case !f.has(flagWill) && f.willQoS() != 0: // [MQTT5 3.1.2-11] [MQTT311 3.1.2-13]
		fail("have a Will QoS without a Will")
	case !f.has(flagWill) && f.has(flagWillRetain): // [MQTT5 3.1.2-13] [MQTT311 3.1.2-15]
		fail("have Will Retain without a Will")
	case version == mqtt.V311 && f.has(flagPassword) && !f.has(flagUsername): // [MQTT311 3.1.2-22] [X5 3.1.2.9-1]
		fail("have a Password without a User Name")
	}
	return f
}

func (r *reader) connectProperties(c *mqtt.Connect) {
	p := r.properties()
	for p.next() {
		switch p.id {
		case sessionExpiryInterval:
			c.SessionExpiryInterval = p.uint32()
		case receiveMaximum:
			c.ReceiveMaximum = p.nonZero16()
		case maximumPacketSize:
			c.MaximumPacketSize = p.nonZero32()
		case topicAliasMaximum:
			c.TopicAliasMaximum = p.uint16()
		case requestResponseInformation:
			c.RequestResponseInformation = p.bool()
		case requestProblemInformation:
			c.RequestProblemInformation = mqtt.Some(p.bool())
		case authenticationMethod:
			c.AuthenticationMethod = mqtt.Some(p.text())
		case authenticationData:
			c.AuthenticationData = p.copied()
		case userProperty:
			c.UserProperties = append(c.UserProperties, p.pair())
		}
	}
	if p.has(authenticationData) && !p.has(authenticationMethod) { // [X5 3.1.2.11.10-1]
		r.fail(mqtt.ProtocolError, "Authentication Data", p.at, "comes without an Authentication Method")
	}
}

func appendConnect(dst []byte, c *mqtt.Connect) ([]byte, error) {
	w := begin(dst, mqtt.TypeConnect, 0)
	switch c.Version {
	case mqtt.V31:
		w.text("Protocol Name", "MQIsdp")
	case mqtt.V311, mqtt.V5:
		w.text("Protocol Name", "MQTT")
	default:
		return dst, fmt.Errorf("CONNECT: Version %d is not one of 3, 4 and 5", byte(c.Version))
	}
	flags := bit(c.CleanStart, 1) | bit(c.Password.Set, 6) | bit(c.Username.Set, 7)
	if c.Will != nil {
		flags |= byte(flagWill) | byte(c.Will.QoS&3)<<3 | bit(c.Will.Retain, 5)
	}
	w.b = append(w.b, byte(c.Version), flags)
	w.uint16(c.KeepAlive)
	if c.Version == mqtt.V5 {
		w.connectProperties(c)
	}
	w.text("Client Identifier", c.ClientID)
	if c.Will != nil {
		w.will(c.Version, c.Will)
	}
	if c.Username.Set {
		w.text("User Name", c.Username.Value)
	}
	if c.Password.Set {
		w.binary("Password", c.Password.Value)
	}
	return w.end(0)
}

func (w *writer) connectProperties(c *mqtt.Connect) {
	at := w.open()
	w.someUint32(sessionExpiryInterval, c.SessionExpiryInterval)
	w.someUint16(receiveMaximum, c.ReceiveMaximum)
	w.someUint32(maximumPacketSize, c.MaximumPacketSize)
	w.someUint16(topicAliasMaximum, c.TopicAliasMaximum)
	if c.RequestResponseInformation {
		w.optBool(requestResponseInformation, mqtt.Some(true))
	}
	w.optBool(requestProblemInformation, c.RequestProblemInformation)
	w.optText(authenticationMethod, c.AuthenticationMethod)
	w.someBinary(authenticationData, c.AuthenticationData)
	w.userProperties(c.UserProperties)
	w.close(at)
}
