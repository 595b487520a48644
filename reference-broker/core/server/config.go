package server

import (
	"errors"
	"fmt"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// Unlimited is the value of a limit in [Config] that is not wanted.
const Unlimited = -1

// Config is what an operator decides. The zero value is a Server with all features and safe limits. Of each limit, 0 means the default and
// [Unlimited] none.
//
// What happens at a limit is said with it; each is also told in an Event of kind LimitReached.
type Config struct {
	// Seed is the source of assigned Client Identifiers. Who knows it can guess them, so a Server on a network wants a random one.
	Seed [32]byte

	// Authenticate asks the owner to decide on each CONNECT and AUTH; see the action of that name. False: everybody is admitted, under the user
	// name of CONNECT, and Authentication Methods are refused with 0x8C.
	Authenticate bool
	// Authorize decides on a publication, subscription or Will Message. nil allows all. It is called within Receive and must be quick and pure.
	Authorize func(Access) bool
	// CloseUnauthorized closes the Network Connection of who publishes what Authorize forbids. False: 5.0 clients get 0x87 in PUBACK or PUBREC;
	// for QoS 0 and for 3.1 and 3.1.1 clients the message is acknowledged as usual and dropped.
	CloseUnauthorized bool
	// Redirect sends all clients to another Server.
	Redirect Redirect
	// ReasonStrings adds a Reason String to CONNACK, DISCONNECT and acknowledgements that fail, where the client allows it.
	ReasonStrings bool

	// The features that a Server may lack. 5.0 clients are told in CONNACK, and disconnected with the Reason Code that names the feature
	// (0x9A, 0x9B, 0x9E, 0xA1, 0xA2) when they use it nevertheless; older ones get 0x80 in SUBACK, or are disconnected for a PUBLISH.
	MaximumQoS                mqtt.Opt[mqtt.QoS] // absent: 2. A Subscription above it is granted it.
	NoRetain                  bool
	NoWildcardSubscriptions   bool
	NoSharedSubscriptions     bool
	NoSubscriptionIdentifiers bool

	// The choices that the standards leave to a Server.
	SeparateCopies      bool   // overlapping Subscriptions: one copy each. False: one with the highest QoS and all Subscription Identifiers.
	HideNoSubscribers   bool   // answer 0x00 to a message that nobody receives. False: 0x10 (No matching subscribers).
	KeepQoS0Offline     bool   // queue QoS 0 messages for clients that are away. False: drop them.
	DollarTopics        bool   // let clients publish to topics that begin with $. False: refuse with 0x90, drop at QoS 0 and for old clients.
	Shared311           bool   // Shared Subscriptions for 3.1 and 3.1.1 too. False: $share/... is a filter like any other to them, as the standard has it.
	LongClientIDs31     bool   // let 3.1 clients have Client Identifiers over 23 bytes. False: refuse with 0x02, as MQTT 3.1 wants.
	RequireClientID     bool   // refuse empty Client Identifiers with 0x85. False: assign one.
	CheckPayloadFormat  bool   // refuse a payload that is announced as UTF-8 and is not, with 0x99. False: forward it.
	ResponseInformation string // prefix of Response Information, the Client Identifier follows. Empty: none is given.
	// ServerKeepAlive replaces the Keep Alive of 5.0 clients, seconds. Absent: theirs holds. 0 turns it off.
	ServerKeepAlive mqtt.Opt[uint16]
	// MaximumOutboundAliases bounds the Topic Aliases used towards one client besides the client's own maximum. 0: 64. Unlimited: the client's.
	MaximumOutboundAliases int
	// OutboundAliasesOff turns Topic Aliases in messages to clients off.
	OutboundAliasesOff bool

	// Persist makes the machine say in Store actions what must outlive the process. False: everything is lost with it.
	Persist bool

	Limits

	// Deviations makes the Server break rules on purpose, to test the tests.
	Deviations Deviations
}

// Limits bound what clients can make the Server hold.
type Limits struct {
	// ConnectTimeout is the time from Open to an accepted CONNECT. Then the connection is closed, without a packet. 0: 10 s.
	ConnectTimeout time.Duration
	// MaximumSessionExpiry caps the Session Expiry Interval, seconds, also of 3.1.1 Sessions; 5.0 clients are told. 0: no cap.
	MaximumSessionExpiry uint32
	// MaximumSessions bounds the Sessions, connected or not. A CONNECT that needs one more gets 0x97 (3.1.1: 0x03). 0: 250,000.
	MaximumSessions int
	// MaximumClientID bounds a Client Identifier, bytes. Longer ones are refused with 0x85. 0: 1024. At least 23.
	MaximumClientID int
	// ReceiveMaximum bounds the QoS 2 messages of one client that wait for PUBREL; announced. A further one is answered with DISCONNECT 0x93. 0: 65,535.
	ReceiveMaximum uint16
	// MaximumInflight bounds the unacknowledged messages to one client besides its own Receive Maximum. Further ones wait in the queue. 0: 1024.
	MaximumInflight uint16
	// MaximumPacketSize is announced, bytes; the codec enforces it. 0: not announced.
	MaximumPacketSize uint32
	// TopicAliasMaximum is announced: the aliases that one client may set. 0: 64. Unlimited means 65,535; see NoTopicAliases.
	TopicAliasMaximum int
	// NoTopicAliases announces that clients may set none.
	NoTopicAliases bool
	// QueueMessages and QueueBytes bound what waits for one Session. The newest message is dropped for it. 0: 100,000 messages, 64 MiB of topic and
	// payload. Retained messages that a new Subscription brings are not counted: as many of them as are stored wait besides.
	QueueMessages, QueueBytes int
	// TotalQueueBytes bounds what waits for all Sessions together, likewise. 0: 1 GiB, counted with 64 bytes for each message.
	TotalQueueBytes int
	// Subscriptions bounds the Subscriptions of a Session. A further filter gets 0x97 in SUBACK (3.1.1: 0x80). 0: 100,000.
	Subscriptions int
	// TotalSubscriptions bounds those of all Sessions together, likewise. 0: 1,000,000.
	TotalSubscriptions int
	// TopicLevels bounds the levels of names and filters. Beyond, PUBACK has 0x90 (QoS 0, 3.1.1: dropped), SUBACK 0x8F (3.1.1: 0x80). 0: 1024.
	TopicLevels int
	// RetainedMessages and RetainedBytes bound the retained messages. A message for another topic is refused with 0x97 (QoS 0, 3.1.1: delivered and not
	// retained). 0: 1,000,000 messages, 1 GiB of topic and payload.
	RetainedMessages, RetainedBytes int
	// HeldPackets and HeldBytes bound the packets held while a CONNECT is being decided on. Beyond, the client gets CONNACK 0x97. 0: 64 packets,
	// 256 KiB of topics and payloads.
	HeldPackets, HeldBytes int
}

// Redirect names another Server for all clients.
type Redirect struct {
	Reference string // Server Reference, for instance host:port; empty: no redirection
	Permanent bool   // 0x9D instead of 0x9C
}

// AccessKind says what a client wants to do.
type AccessKind uint8

// The kinds of access.
const (
	PublishTo   AccessKind = iota + 1 // PUBLISH to the Topic Name
	SubscribeTo                       // SUBSCRIBE to the Topic Filter; for a shared one, to the filter within
	LeaveWill                         // Will Message for the Topic Name
)

// Access is a question to Config.Authorize.
type Access struct {
	Kind     AccessKind
	Client   string // Client Identifier
	Username string // as admitted
	Topic    string // Topic Name or Topic Filter
	QoS      mqtt.QoS
	Retain   bool
}

// Validate returns all mistakes in a Config, each naming its field, or nil.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if q := c.MaximumQoS.Or(mqtt.ExactlyOnce); q > mqtt.ExactlyOnce {
		bad("MaximumQoS is 0, 1 or 2, not %d", q)
	}
	if c.ConnectTimeout < 0 {
		bad("ConnectTimeout is a positive duration, not %v", c.ConnectTimeout)
	}
	if n := c.MaximumClientID; n != 0 && n != Unlimited && n < 23 { // [MQTT5 3.1.3-5] [MQTT311 3.1.3-5]
		bad("MaximumClientID is at least 23, not %d", n)
	}
	for _, l := range []struct {
		name  string
		value int
	}{
		{"MaximumSessions", c.MaximumSessions},
		{"MaximumClientID", c.MaximumClientID},
		{"TopicAliasMaximum", c.TopicAliasMaximum},
		{"MaximumOutboundAliases", c.MaximumOutboundAliases},
		{"QueueMessages", c.QueueMessages},
		{"QueueBytes", c.QueueBytes},
		{"TotalQueueBytes", c.TotalQueueBytes},
		{"Subscriptions", c.Subscriptions},
		{"TotalSubscriptions", c.TotalSubscriptions},
		{"TopicLevels", c.TopicLevels},
		{"RetainedMessages", c.RetainedMessages},
		{"RetainedBytes", c.RetainedBytes},
		{"HeldPackets", c.HeldPackets},
		{"HeldBytes", c.HeldBytes},
	} {
		if l.value < Unlimited {
			bad("%s is a limit, 0 for the default or %d for none, not %d", l.name, Unlimited, l.value)
		}
	}
	if c.TopicAliasMaximum > 1<<16-1 {
		bad("TopicAliasMaximum is at most 65535, not %d", c.TopicAliasMaximum)
	}
	return errors.Join(errs...)
}

// WithDefaults returns the Config with each 0 that means a default replaced, and each Unlimited by the largest int. [New] does it itself;
// programs that show what holds need it too.
func (c Config) WithDefaults() Config {
	limit := func(p *int, def int) {
		switch *p {
		case 0:
			*p = def
		case Unlimited:
			*p = int(^uint(0) >> 1)
		}
	}
	limit(&c.MaximumSessions, 250_000)
	limit(&c.MaximumClientID, 1024)
	limit(&c.TopicAliasMaximum, 64)
	limit(&c.MaximumOutboundAliases, 64)
	limit(&c.QueueMessages, 100_000)
	limit(&c.QueueBytes, 64<<20)
	limit(&c.TotalQueueBytes, 1<<30)
	limit(&c.Subscriptions, 100_000)
	limit(&c.TotalSubscriptions, 1_000_000)
	limit(&c.TopicLevels, 1024)
	limit(&c.RetainedMessages, 1_000_000)
	limit(&c.RetainedBytes, 1<<30)
	limit(&c.HeldPackets, 64)
	limit(&c.HeldBytes, 256<<10)
	c.TopicAliasMaximum = min(c.TopicAliasMaximum, 1<<16-1)
	if c.NoTopicAliases {
		c.TopicAliasMaximum = 0
	}
	if c.OutboundAliasesOff {
		c.MaximumOutboundAliases = 0
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.ReceiveMaximum == 0 {
		c.ReceiveMaximum = mqtt.DefaultReceiveMaximum
	}
	if c.MaximumInflight == 0 {
		c.MaximumInflight = 1024
	}
	if c.MaximumSessionExpiry == 0 {
		c.MaximumSessionExpiry = mqtt.SessionNeverExpires
	}
	return c
}
