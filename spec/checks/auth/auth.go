// Package auth checks enhanced authentication of MQTT 5.0: AUTH, the method that goes with
// it, and what a server does about clients that use neither or misuse them.
package auth

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// authentication is an AUTH with a method, data if there is any, and more properties.
func authentication(code byte, method, data string, more ...octets.Property) octets.Auth {
	props := octets.Properties{octets.AuthenticationMethod.Text(method)}
	if data != "" {
		props = append(props, octets.AuthenticationData.Text(data))
	}
	return octets.Auth{Code: code, Properties: append(props, more...)}
}

var _ = conformance.Register(conformance.Check{
	Name:   "UnknownMethod",
	Title:  "refuses an Authentication Method that it does not know",
	Covers: statement.V5("4.12.0-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, method := range []string{"mqttlab-invented", "scram-sha-256 ", ""} {
			c := t.NewConnect()
			c.Properties = octets.Properties{octets.AuthenticationMethod.Text(method), octets.AuthenticationData.Text("data")}
			p := t.Dial()
			p.Send(c)
			t.WantClosed(p, "an unknown Authentication Method is refused", 0x8C, 0x87)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoMethodNoAuth",
	Title:  "sends neither AUTH nor Authentication Method to a client that named no method",
	Covers: statement.V5("4.12.0-6"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		_, method := p.Connack().Prop(octets.AuthenticationMethod)
		t.Expect(method).To(gomega.BeFalse(), "Authentication Method in CONNACK")
		_, data := p.Connack().Prop(octets.AuthenticationData)
		t.Expect(data).To(gomega.BeFalse(), "Authentication Data in CONNACK")
		p.WantSilence("a client without Authentication Method gets no AUTH")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "AuthWithoutMethod",
	Title:  "closes the Network Connection on AUTH from a client that named no method",
	Covers: statement.IDs(statement.V5("4.12.0-7"), statement.X5("3.15-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, packet := range []octets.Packet{
			authentication(0x19, "SCRAM-SHA-256", "n,,n=user,r=nonce"),
			authentication(0x18, "SCRAM-SHA-256", ""),
			octets.Raw{0xF0, 0x00},
		} {
			p := t.Connect()
			p.Send(packet)
			t.WantClosed(p, "AUTH needs an Authentication Method in CONNECT", 0x82, 0x81)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReservedFlags",
	Title:  "closes the Network Connection on AUTH with flags that are not 0",
	Covers: statement.V5("3.15.1-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, flags := range []byte{1, 2, 8} {
			p := t.Connect()
			p.Send(octets.WithFlags(authentication(0x19, "SCRAM-SHA-256", "data"), flags))
			t.WantClosed(p, "wrong flags are malformed", 0x81, 0x82)
		}
	},
})
