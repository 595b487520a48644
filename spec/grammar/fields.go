package grammar

import (
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// flagBreach says which rule Connect Flags break, nil if none, in this version.
func flagBreach(s *Site, flags byte) []statement.ID {
	will, qos := flags&willFlag != 0, flags>>3&3
	switch {
	case flags&1 != 0:
		return s.ids(statement.V311("3.1.2-3"), statement.V5("3.1.2-3"))
	case !will && qos != 0:
		return s.ids(statement.V311("3.1.2-11", "3.1.2-13"), statement.V5("3.1.2-11"))
	case !will && flags&0x20 != 0:
		return s.ids(statement.V311("3.1.2-11", "3.1.2-15"), statement.V5("3.1.2-13"))
	case qos == 3:
		return s.ids(statement.V311("3.1.2-14"), statement.V5("3.1.2-12"))
	case !s.v5() && flags&userFlag == 0 && flags&passwordFlag != 0:
		return statement.V311("3.1.2-22")
	}
	return nil
}

// connectFlagged is a CONNECT with these flags and the fields that they announce.
func (s *Site) connectFlagged(flags byte) *packet {
	fields := []part{texts("Client Identifier", s.ClientID())}
	if flags&willFlag != 0 {
		fields = append(fields, s.bag(inWill)...)
		fields = append(fields, topics("Will Topic", s.Topic("w")), part{name: "Will Payload", kind: binary, data: []byte("w")})
	}
	if flags&userFlag != 0 {
		name := "user"
		if s.UserName != nil {
			name = *s.UserName
		}
		fields = append(fields, texts("User Name", name))
	}
	if flags&passwordFlag != 0 {
		password := "password"
		if s.Password != nil {
			password = *s.Password
		}
		fields = append(fields, part{name: "Password", kind: binary, data: []byte(password)})
	}
	return s.connecting("CONNECT", flags, s.bag(inConnect), fields)
}

var connectFlags = Rule{
	Name:  "ConnectFlags",
	Title: "does not accept a CONNECT with any illegal value of the Connect Flags",
	Covers: statement.IDs(
		statement.V311("3.1.2-3", "3.1.2-11", "3.1.2-13", "3.1.2-15", "3.1.2-14", "3.1.2-22"),
		statement.V5("3.1.2-3", "3.1.2-11", "3.1.2-13", "3.1.2-12")),
	Cases: func(s *Site) []Case {
		var all []Case
		for flags := range 256 {
			about := flagBreach(s, byte(flags))
			if about == nil {
				continue
			}
			p := s.connectFlagged(byte(flags))
			like := s.connectFlagged(byte(flags) &^ 1)
			if flagBreach(s, byte(flags)&^1) != nil {
				like = s.connectFlagged(cleanFlag | byte(flags)&(willFlag|userFlag))
			}
			c := like.mutant(p, "Connect Flags %08b", flags)
			c.About = about
			all = append(all, c)
		}
		return all
	},
}

var protocolVersions = Rule{
	Name:   "ProtocolNames",
	Title:  "does not accept a CONNECT with another Protocol Name, nor with a Protocol Version that does not exist",
	Covers: statement.IDs(statement.V311("3.1.2-1", "3.1.2-2"), statement.V5("3.1.2-1", "3.1.2-2")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, name := range []string{
			"", "M", "MQ", "MQT", "mqtt", "MqTT", "MQTt", "MQTTX", " MQTT", "MQTT ", "MQTT\x00", "\x00MQTT", "QTTM", "MQTU", "MQIsdq", "mqisdp",
			"HTTP", "MQTT\xff", "\xff\xff\xff\xff", "MQTTMQTT",
		} {
			p := s.connect()
			c := p.mutant(p.withData(0, []byte(name)), "Protocol Name %q", name)
			c.Codes, c.About = []byte{0x84, 0x81, 0x82}, s.ids(statement.V311("3.1.2-1"), statement.V5("3.1.2-1"))
			all = append(all, c)
		}
		// The top bit marks bridges of some brokers, and 3 is MQTT 3.1, which has another name.
		for _, version := range []byte{0, 1, 2, 6, 7, 8, 9, 15, 16, 31, 32, 63, 64, 126, 127} {
			p := s.connect()
			c := p.mutant(p.withData(1, []byte{version}), "Protocol Version %d", version)
			c.Codes, c.About = []byte{0x84, 0x01, 0x81, 0x82}, s.ids(statement.V311("3.1.2-2"), statement.V5("3.1.2-2"))
			all = append(all, c)
		}
		return all
	},
}

var packetIdentifierZero = Rule{
	Name:   "PacketIdentifierZero",
	Title:  "closes the Network Connection on Packet Identifier 0",
	Covers: statement.IDs(statement.V311("2.3.1-1"), statement.X5("2.2.1-1")),
	Cases: func(s *Site) []Case {
		var all []Case
		for _, p := range s.packets() {
			i := p.find("Packet Identifier")
			if i < 0 {
				continue
			}
			f := p.parts[i]
			f.data = []byte{0, 0}
			c := p.mutant(p.with(i, f), "Packet Identifier 0")
			c.About = s.ids(statement.V311("2.3.1-1"), statement.X5("2.2.1-1"))
			if p.stage != Connected {
				c.Outcome = Open // an acknowledgement of nothing
			}
			all = append(all, c)
		}
		return all
	},
}

var subscriptionOptions = Rule{
	Name:  "SubscriptionOptions",
	Title: "grants every legal value of the Subscription Options and closes the Network Connection on every other",
	Covers: statement.IDs(statement.V311("3.8.3-4", "3.8.4-1"), statement.V5("3.8.3-5", "3.8.4-1"),
		statement.X5("3.8.3.1-1", "3.8.3.1-2")),
	Cases: func(s *Site) []Case {
		var all []Case
		for at, where := range []string{"first", "last"} {
			for options := range 256 {
				p := s.subscribe()
				i := p.find("Subscription Options") + 2*at
				c := p.mutant(p.withData(i, []byte{byte(options)}), "Subscription Options %08b of the %s filter", options, where)
				if c.About = optionsBreach(s, byte(options)); c.About == nil {
					c.Outcome, c.Answer, c.ID = Answered, octets.SUBACK, 1
					c.About = s.ids(statement.V311("3.8.4-1"), statement.V5("3.8.4-1"))
				}
				all = append(all, c)
			}
		}
		return all
	},
}

// optionsBreach says which rule Subscription Options break, nil if none.
func optionsBreach(s *Site, options byte) []statement.ID {
	switch {
	case !s.v5() && options > 2:
		return statement.V311("3.8.3-4")
	case options>>6 != 0:
		return statement.V5("3.8.3-5")
	case options&3 == 3:
		return statement.X5("3.8.3.1-1")
	case options>>4&3 == 3:
		return statement.X5("3.8.3.1-2")
	}
	return nil
}
