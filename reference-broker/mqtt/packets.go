package mqtt

// Packet is one Control Packet: a pointer to one of the structs of this package.
//
// A packet that a decoder hands out, and every slice in it, may alias the decoder's buffers: it is valid until the decoder is used again.
// Who keeps one longer keeps a copy (see [Publish.Clone]).
type Packet interface {
	// Type returns the Control Packet type.
	Type() Type
}

// Connect is the CONNECT packet: the first a client sends.
type Connect struct {
	Version    Version
	CleanStart bool   // Clean Session in 3.1 and 3.1.1
	KeepAlive  uint16 // seconds; 0 turns the mechanism off
	ClientID   string // empty: the Server assigns one, where it may
	Will       *Will  // nil: none
	Username   Opt[string]
	Password   Opt[[]byte]

	// Properties of 5.0. Zero means absent unless said otherwise.
	SessionExpiryInterval      uint32    // seconds; 0: the Session ends with the Network Connection
	ReceiveMaximum             uint16    // packets; 0: absent, which means 65,535
	MaximumPacketSize          uint32    // bytes; 0: absent, no limit
	TopicAliasMaximum          uint16    // highest alias this client accepts
	RequestResponseInformation bool      //
	RequestProblemInformation  Opt[bool] // absent means true
	AuthenticationMethod       Opt[string]
	AuthenticationData         []byte // nil: absent
	UserProperties             []UserProperty
}

// Will is the Will Message of a CONNECT.
type Will struct {
	Topic   string
	Payload []byte
	QoS     QoS
	Retain  bool

	// Properties of 5.0.
	DelayInterval         uint32 // seconds between the end of the connection and publication
	PayloadFormat         Opt[byte]
	MessageExpiryInterval Opt[uint32] // seconds
	ContentType           Opt[string]
	ResponseTopic         string // empty: absent
	CorrelationData       []byte // nil: absent
	UserProperties        []UserProperty
}

// Connack is the CONNACK packet: the Server's answer to CONNECT.
type Connack struct {
	SessionPresent bool
	// ReasonCode is the 5.0 code. The codec of 3.1 and 3.1.1 translates it to a return code and back (see [ReasonCode.ConnectReturnCode]).
	ReasonCode ReasonCode

	// Properties of 5.0.
	SessionExpiryInterval           Opt[uint32] // seconds; absent: as the client asked
	ReceiveMaximum                  uint16      // packets; 0: absent, which means 65,535
	MaximumQoS                      Opt[QoS]    // absent: 2
	RetainAvailable                 Opt[bool]   // absent: true
	MaximumPacketSize               uint32      // bytes; 0: absent, no limit
	AssignedClientID                string      // empty: absent
	TopicAliasMaximum               uint16      // highest alias the Server accepts
	ReasonString                    string      // empty: absent
	WildcardSubscriptionAvailable   Opt[bool]   // absent: true
	SubscriptionIdentifierAvailable Opt[bool]   // absent: true
	SharedSubscriptionAvailable     Opt[bool]   // absent: true
	ServerKeepAlive                 Opt[uint16] // seconds
	ResponseInformation             Opt[string]
	ServerReference                 string // empty: absent
	AuthenticationMethod            Opt[string]
	AuthenticationData              []byte // nil: absent
	UserProperties                  []UserProperty
}

// Publish is the PUBLISH packet, in both directions.
type Publish struct {
	Topic    string // empty only together with TopicAlias
	Payload  []byte
	PacketID uint16 // 0 for QoS 0
	QoS      QoS
	Retain   bool
	Dup      bool

	// Properties of 5.0.
	PayloadFormat           Opt[byte]   // 0 bytes, 1 UTF-8 text
	MessageExpiryInterval   Opt[uint32] // seconds
	TopicAlias              uint16      // 0: absent
	ContentType             Opt[string]
	ResponseTopic           string // empty: absent
	CorrelationData         []byte // nil: absent
	UserProperties          []UserProperty
	SubscriptionIdentifiers []uint32
}

// Clone returns a deep copy that shares nothing with p but immutable strings.
func (p *Publish) Clone() *Publish {
	c := *p
	c.Payload = append([]byte(nil), p.Payload...)
	if p.CorrelationData != nil {
		c.CorrelationData = append([]byte{}, p.CorrelationData...)
	}
	c.UserProperties = append([]UserProperty(nil), p.UserProperties...)
	c.SubscriptionIdentifiers = append([]uint32(nil), p.SubscriptionIdentifiers...)
	return &c
}

// Ack is what PUBACK, PUBREC, PUBREL and PUBCOMP have in common.
type Ack struct {
	PacketID uint16

	// 5.0 only.
	ReasonCode     ReasonCode
	ReasonString   string // empty: absent
	UserProperties []UserProperty
}

// Puback answers a QoS 1 PUBLISH.
type Puback Ack

// Pubrec is the first answer to a QoS 2 PUBLISH.
type Pubrec Ack

// Pubrel is the sender's answer to PUBREC.
type Pubrel Ack

// Pubcomp ends the QoS 2 exchange.
type Pubcomp Ack

// Subscription is one Topic Filter of a SUBSCRIBE with its options.
type Subscription struct {
	TopicFilter string
	QoS         QoS // the highest the client wants

	// Options of 5.0.
	NoLocal           bool
	RetainAsPublished bool
	RetainHandling    RetainHandling
}

// RetainHandling says when a SUBSCRIBE brings retained messages (MQTT 5.0 section 3.8.3.1).
type RetainHandling byte

// The values of Retain Handling; 3 is a Protocol Error.
const (
	SendRetained      RetainHandling = 0 // at every SUBSCRIBE
	SendRetainedIfNew RetainHandling = 1 // only if the Subscription did not exist
	NeverSendRetained RetainHandling = 2
)

// Subscribe is the SUBSCRIBE packet.
type Subscribe struct {
	PacketID      uint16
	Subscriptions []Subscription

	// Properties of 5.0.
	SubscriptionIdentifier uint32 // 0: absent
	UserProperties         []UserProperty
}

// Suback is the SUBACK packet: one Reason Code per Topic Filter, in order.
type Suback struct {
	PacketID    uint16
	ReasonCodes []ReasonCode

	// Properties of 5.0.
	ReasonString   string // empty: absent
	UserProperties []UserProperty
}

// Unsubscribe is the UNSUBSCRIBE packet.
type Unsubscribe struct {
	PacketID       uint16
	TopicFilters   []string
	UserProperties []UserProperty // 5.0
}

// Unsuback is the UNSUBACK packet. 3.1 and 3.1.1 carry no Reason Codes.
type Unsuback struct {
	PacketID    uint16
	ReasonCodes []ReasonCode

	// Properties of 5.0.
	ReasonString   string // empty: absent
	UserProperties []UserProperty
}

// Pingreq asks for a Pingresp.
type Pingreq struct{}

// Pingresp answers a Pingreq.
type Pingresp struct{}

// Disconnect is the DISCONNECT packet. In 3.1 and 3.1.1 only a client sends it, without any field.
type Disconnect struct {
	ReasonCode ReasonCode

	// Properties of 5.0.
	SessionExpiryInterval Opt[uint32] // seconds; only from a client
	ReasonString          string      // empty: absent
	ServerReference       string      // empty: absent; only from a Server
	UserProperties        []UserProperty
}

// Auth is the AUTH packet of 5.0: a step of an enhanced authentication.
type Auth struct {
	ReasonCode           ReasonCode
	AuthenticationMethod Opt[string]
	AuthenticationData   []byte // nil: absent
	ReasonString         string // empty: absent
	UserProperties       []UserProperty
}

// Type implements [Packet].
func (*Connect) Type() Type { return TypeConnect }

// Type implements [Packet].
func (*Connack) Type() Type { return TypeConnack }

// Type implements [Packet].
func (*Publish) Type() Type { return TypePublish }

// Type implements [Packet].
func (*Puback) Type() Type { return TypePuback }

// Type implements [Packet].
func (*Pubrec) Type() Type { return TypePubrec }

// Type implements [Packet].
func (*Pubrel) Type() Type { return TypePubrel }

// Type implements [Packet].
func (*Pubcomp) Type() Type { return TypePubcomp }

// Type implements [Packet].
func (*Subscribe) Type() Type { return TypeSubscribe }

// Type implements [Packet].
func (*Suback) Type() Type { return TypeSuback }

// Type implements [Packet].
func (*Unsubscribe) Type() Type { return TypeUnsubscribe }

// Type implements [Packet].
func (*Unsuback) Type() Type { return TypeUnsuback }

// Type implements [Packet].
func (*Pingreq) Type() Type { return TypePingreq }

// Type implements [Packet].
func (*Pingresp) Type() Type { return TypePingresp }

// Type implements [Packet].
func (*Disconnect) Type() Type { return TypeDisconnect }

// Type implements [Packet].
func (*Auth) Type() Type { return TypeAuth }
