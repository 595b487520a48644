package auth

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "Reauthentication",
	Title:  "authenticates a connected client again, while other packets go on, and ends that with AUTH 0x00",
	Covers: statement.IDs(statement.X5("4.12.1-1"), statement.V5("4.12.0-5", "3.15.2-1")),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := authenticated(t), t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: topic})
		e := newExchange(t)
		p.Send(authentication(0x19, scram, e.first()))
		serverFirst := continued(t, p)
		p.Publish(octets.Publish{Topic: topic, Payload: "meanwhile"})
		p.WantMessage(topic, "meanwhile", "other packets go on during a re-authentication")
		final, _ := answered(t, e, serverFirst)
		p.Send(authentication(0x18, scram, final))
		end := p.Want(octets.AUTH, "a re-authentication ends with AUTH")
		t.Expect(end.Code).To(gomega.BeZero(), "Reason Code of the AUTH that ends a re-authentication")
		sameMethod(t, end)
		p.Barrier("the client is served")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReauthenticationOtherMethod",
	Title:  "closes the Network Connection on a re-authentication with another method than CONNECT",
	Covers: statement.V5("4.12.1-1"),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		p := authenticated(t)
		p.Send(authentication(0x19, "PLAIN", newExchange(t).first()))
		t.WantClosed(p, "re-authentication uses the method of CONNECT", 0x82, 0x8C)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ReauthenticationFails",
	Title:  "closes the Network Connection when a re-authentication fails",
	Covers: statement.V5("4.12.1-2"),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		p, e := authenticated(t), newExchange(t)
		e.password += "x"
		p.Send(authentication(0x19, scram, e.first()))
		final, _ := answered(t, e, continued(t, p))
		p.Send(authentication(0x18, scram, final))
		t.WantClosed(p, "a wrong proof ends the connection", 0x86, 0x87)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "FitsMaximumPacketSize",
	Title:  "leaves Reason String and User Properties out of an AUTH that would be too large with them",
	Covers: statement.V5("3.15.2-2", "3.15.2-3"),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		e := newExchange(t)
		p := t.Dial()
		p.Send(connect(t, e))
		first := p.Want(octets.AUTH, "the server goes on with AUTH")
		_, reason := first.Prop(octets.ReasonString)
		_, user := first.Prop(octets.UserProperty)
		if !reason && !user {
			t.Info("puts neither Reason String nor User Property into AUTH")
			return
		}
		c := connect(t, newExchange(t))
		c.Properties = append(c.Properties, octets.MaximumPacketSize.Prop(uint32(len(first.Raw)-1)))
		p = t.Dial()
		p.Send(c)
		if a := p.Next(t.Timings().Answer).Packet; a != nil && a.Type == octets.AUTH {
			t.Expect(len(a.Raw)).To(gomega.BeNumerically("<", len(first.Raw)), "bytes of an AUTH for a client that takes less")
		}
	},
})
