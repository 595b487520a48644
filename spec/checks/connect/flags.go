package connect

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var malformed = []byte{0x81, 0x82}

var _ = conformance.Register(conformance.Check{
	Name:   "ReservedFlag",
	Title:  "does not accept a CONNECT whose reserved flag is set",
	Covers: statement.IDs(statement.V311("3.1.2-3"), statement.V5("3.1.2-3")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "bit 0 of the Connect Flags is reserved", malformed, withFlags(t.NewConnect(), 0x03))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WillQoSWithoutWill",
	Title:  "does not accept a CONNECT with a Will QoS and no Will",
	Covers: statement.IDs(statement.V311("3.1.2-11", "3.1.2-13"), statement.V5("3.1.2-11")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "without Will Flag the Will QoS is 0", malformed,
			withFlags(t.NewConnect(), 0x02|1<<3), withFlags(t.NewConnect(), 0x02|2<<3))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WillRetainWithoutWill",
	Title:  "does not accept a CONNECT with Will Retain and no Will",
	Covers: statement.IDs(statement.V311("3.1.2-11", "3.1.2-15"), statement.V5("3.1.2-13")),
	Run: func(_ context.Context, t *conformance.T) {
		refused(t, "without Will Flag the Will Retain flag is 0", malformed, withFlags(t.NewConnect(), 0x22))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WillFieldsWithoutFlag",
	Title:  "does not accept a CONNECT with will fields and no Will Flag",
	Covers: statement.V311("3.1.2-11"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = nil, nil
		c.Will = &octets.Will{Topic: t.Topic("will"), Payload: "will"}
		refused(t, "without Will Flag the payload has no will fields", malformed, withFlags(c, 0x02))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WillQoS3",
	Title:  "does not accept a CONNECT with Will QoS 3",
	Covers: statement.IDs(statement.V311("3.1.2-14"), statement.V5("3.1.2-12")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.Will = &octets.Will{Topic: t.Topic("will"), Payload: "will", QoS: 3}
		refused(t, "there is no QoS 3", malformed, c)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WillFieldsMissing",
	Title:  "does not accept a CONNECT with Will Flag that ends before the will fields",
	Covers: statement.IDs(statement.V311("3.1.2-9"), statement.V5("3.1.2-9")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = nil, nil
		without := withFlags(c, 0x06)
		c.Will = &octets.Will{Topic: t.Topic("will"), Payload: "will"}
		refused(t, "Will Flag asks for topic and payload", malformed,
			without, octets.Trimmed(c, 2+len(c.Will.Payload)), octets.Trimmed(c, 2))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "UserNameMissing",
	Title:  "does not accept a CONNECT with User Name Flag and no User Name",
	Covers: statement.IDs(statement.V311("3.1.2-19"), statement.V5("3.1.2-17")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = nil, nil
		refused(t, "User Name Flag asks for a User Name", malformed, withFlags(c, 0x82))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "UserNameWithoutFlag",
	Title:  "does not accept a CONNECT with a User Name and no User Name Flag",
	Covers: statement.IDs(statement.V311("3.1.2-18"), statement.V5("3.1.2-16")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = new("user"), nil
		refused(t, "without User Name Flag the payload has no User Name", malformed, withFlags(c, 0x02))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PasswordMissing",
	Title:  "does not accept a CONNECT with Password Flag and no Password",
	Covers: statement.IDs(statement.V311("3.1.2-21"), statement.V5("3.1.2-19")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = new("user"), nil
		refused(t, "Password Flag asks for a Password", malformed, withFlags(c, 0xC2))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PasswordWithoutFlag",
	Title:  "does not accept a CONNECT with a Password and no Password Flag",
	Covers: statement.IDs(statement.V311("3.1.2-20"), statement.V5("3.1.2-18")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = new("user"), new("password")
		if t.Has(target.Auth) {
			s := t.Settings()
			c.UserName, c.Password = s.UserName, new("password")
		}
		refused(t, "without Password Flag the payload has no Password", malformed, withFlags(c, 0x82))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PasswordWithoutUserName",
	Title:  "does not accept a CONNECT with a Password and no User Name",
	Covers: statement.V311("3.1.2-22"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = nil, new("password")
		refused(t, "Password Flag needs User Name Flag", malformed, c)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PasswordAlone",
	Title:  "takes a CONNECT with a Password and no User Name for well-formed",
	Covers: statement.X5("3.1.2.9-1"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = nil, new("password")
		p := t.Dial()
		p.Send(c)
		t.OneOf(p, "a Password without User Name is allowed",
			conformance.Answered(octets.CONNACK, 0x00),
			conformance.ClosedWith(0x86, 0x87).Info("the target wants other credentials"))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "MalformedGetsNoConnack",
	Title:  "closes the Network Connection without CONNACK on a CONNECT that breaks its format",
	Covers: statement.V311("3.1.4-1"),
	Run: func(_ context.Context, t *conformance.T) {
		user := t.NewConnect()
		user.UserName, user.Password = new("user"), nil
		for _, packet := range []octets.Packet{
			withFlags(t.NewConnect(), 0x03),
			withFlags(t.NewConnect(), 0x22),
			octets.Trimmed(t.NewConnect(), 1),
			octets.Extended(t.NewConnect(), 0, 0),
			withFlags(user, 0xC2),
		} {
			p := t.Dial()
			p.Send(packet)
			t.OneOf(p, "a CONNECT that breaks its format gets no CONNACK", conformance.ClosedSilently())
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Malformed",
	Title:  "closes the Network Connection on a CONNECT that breaks its format",
	Covers: statement.V5("3.1.4-1"),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.Properties = octets.RawProperties(0x05, byte(octets.SessionExpiryInterval), 0, 0)
		refused(t, "a CONNECT that breaks its format is refused", malformed,
			withFlags(t.NewConnect(), 0x03), octets.Trimmed(t.NewConnect(), 1), octets.Extended(t.NewConnect(), 0, 0), c)
	},
})
