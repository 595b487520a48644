package connect

import (
	"context"
	"strings"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "PayloadOrder",
	Title:  "reads Client Identifier, will, User Name and Password in this order",
	Covers: statement.IDs(statement.V311("3.1.3-1"), statement.V5("3.1.3-1")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		s := t.Connect()
		s.Subscribe(octets.Subscription{Filter: topic})
		c := t.NewConnect()
		if c.UserName == nil {
			c.UserName, c.Password = new("user"), new("password")
		}
		c.Will = &octets.Will{Topic: topic, Payload: "will payload"}
		if t.V5() {
			c.Will.Properties = octets.Properties{octets.ContentType.Text("text")}
		}
		p := t.Dial()
		p.Send(c)
		t.OneOf(p, "a CONNECT with all fields is accepted", conformance.Answered(octets.CONNACK, 0x00),
			conformance.ClosedWith(0x04, 0x05, 0x86, 0x87).Info("the target wants other credentials"))
		if p.End() != nil {
			return
		}
		p.Close()
		m := s.Want(octets.PUBLISH, "the will is published when the connection is lost")
		t.Expect(m.Topic).To(gomega.Equal(topic), "topic of the will")
		t.Expect(m.Payload).To(gomega.Equal("will payload"), "payload of the will")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyPayload",
	Title:  "does not accept a CONNECT without Client Identifier",
	Covers: statement.IDs(statement.V311("3.1.3-3"), statement.V5("3.1.3-3")),
	Run: func(_ context.Context, t *conformance.T) {
		c := t.NewConnect()
		c.UserName, c.Password = nil, nil
		refused(t, "the payload begins with a Client Identifier", malformed, octets.Trimmed(c, 2+len(c.ClientID)))
	},
})

// illFormed are strings that are not well-formed UTF-8 or hold U+0000.
var illFormed = []string{"a\xff", "\xed\xa0\x80", "\xc0\xaf", "a\x00b"}

var _ = conformance.Register(conformance.Check{
	Name:   "ClientIDIllFormed",
	Title:  "does not accept a Client Identifier that is not well-formed UTF-8",
	Covers: statement.IDs(statement.V311("3.1.3-4", "1.5.3-1", "1.5.3-2"), statement.V5("3.1.3-4", "1.5.4-1", "1.5.4-2")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, bad := range illFormed {
			c := t.NewConnect()
			c.ClientID = bad + c.ClientID
			t.About(statement.V311("3.1.3-4", "1.5.3-1"), statement.V5("3.1.3-4", "1.5.4-1"))
			if strings.Contains(bad, "\x00") {
				t.About(statement.V311("1.5.3-2"), statement.V5("1.5.4-2"))
			}
			refused(t, "the Client Identifier is well-formed UTF-8 without U+0000", []byte{0x81, 0x85}, c)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WillTopicIllFormed",
	Title:  "does not accept a Will Topic that is not well-formed UTF-8",
	Covers: statement.IDs(statement.V311("3.1.3-10"), statement.V5("3.1.3-11")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, bad := range illFormed {
			c := t.NewConnect()
			c.Will = &octets.Will{Topic: t.Topic(bad), Payload: "will"}
			refused(t, "the Will Topic is well-formed UTF-8 without U+0000", []byte{0x81, 0x90}, c)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "UserNameIllFormed",
	Title:  "does not accept a User Name that is not well-formed UTF-8",
	Covers: statement.IDs(statement.V311("3.1.3-11"), statement.V5("3.1.3-12")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, bad := range illFormed {
			c := t.NewConnect()
			c.UserName, c.Password = &bad, new("password")
			refused(t, "the User Name is well-formed UTF-8 without U+0000", []byte{0x81, 0x86, 0x87}, c)
		}
	},
})
