package auth

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// enhanced is what a check needs that goes through an exchange.
var enhanced = []target.Feature{target.EnhancedAuth, target.Auth}

// connect is a CONNECT that begins an exchange. User Name and Password stay away: the
// method is to prove who the client is.
func connect(t *conformance.T, e *exchange) octets.Connect {
	c := t.NewConnect()
	c.UserName, c.Password = nil, nil
	c.Properties = octets.Properties{octets.AuthenticationMethod.Text(scram), octets.AuthenticationData.Text(e.first())}
	return c
}

// started sends a CONNECT and gets to the server's first AUTH.
func started(t *conformance.T, e *exchange) (p *probe.Peer, serverFirst string) {
	p = t.Dial()
	p.Send(connect(t, e))
	return p, continued(t, p)
}

// continued wants the AUTH by which the server goes on, and returns its data.
func continued(t *conformance.T, p *probe.Peer) string {
	a := p.Want(octets.AUTH, "the server goes on with AUTH")
	t.About(statement.V5("4.12.0-2", "3.15.2-1"))
	t.Expect(a.Code).To(gomega.Equal(byte(0x18)), "Reason Code of an AUTH that goes on")
	t.About()
	sameMethod(t, a)
	data, _ := a.Prop(octets.AuthenticationData)
	return data.Text
}

func sameMethod(t *conformance.T, r *octets.Received) {
	t.About(statement.V5("4.12.0-5"))
	method, _ := r.Prop(octets.AuthenticationMethod)
	t.Expect(method.Text).To(gomega.Equal(scram), "Authentication Method of %s", r.Type)
	t.About()
}

// answered is the client's final message.
func answered(t *conformance.T, e *exchange, serverFirst string) (final, verifier string) {
	final, verifier, err := e.final(serverFirst)
	t.Expect(err).NotTo(gomega.HaveOccurred(), "the server's first message %q", serverFirst)
	return final, verifier
}

// authenticated goes through a whole exchange.
func authenticated(t *conformance.T) *probe.Peer {
	e := newExchange(t)
	p, serverFirst := started(t, e)
	final, verifier := answered(t, e, serverFirst)
	p.Send(authentication(0x18, scram, final))
	ack := p.Want(octets.CONNACK, "the exchange ends with CONNACK")
	t.Expect(ack.Code).To(gomega.BeZero(), "code of CONNACK after a right proof")
	sameMethod(t, ack)
	data, _ := ack.Prop(octets.AuthenticationData)
	t.Expect(data.Text).To(gomega.Equal(verifier), "Authentication Data of CONNACK, which proves the server")
	return p
}

var _ = conformance.Register(conformance.Check{
	Name:   "Exchange",
	Title:  "goes through an exchange of AUTH packets to a CONNACK, with the method and the data in each",
	Covers: statement.IDs(statement.X5("4.12-1"), statement.V5("4.12.0-2", "4.12.0-5", "3.15.2-1")),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		authenticated(t).Barrier("the client is served")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WrongProof",
	Title:  "closes the Network Connection when the exchange fails",
	Covers: statement.V5("4.12.0-4"),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		e := newExchange(t)
		e.password += "x"
		p, serverFirst := started(t, e)
		final, _ := answered(t, e, serverFirst)
		p.Send(authentication(0x18, scram, final))
		t.WantClosed(p, "a wrong proof is no authentication", 0x86, 0x87)
	},
})

// A wrong AUTH in the middle of an exchange is one after which the right one would have
// succeeded.
func init() {
	for _, w := range []struct {
		name, title string
		covers      []statement.ID
		codes       []byte
		wrong       func(final string) octets.Packet
	}{
		{
			"OtherMethod", "closes the Network Connection on AUTH with another method than CONNECT", statement.X5("3.15-1"),
			[]byte{0x82, 0x8C},
			func(final string) octets.Packet { return authentication(0x18, "PLAIN", final) },
		},
		{
			"SuccessFromClient", "closes the Network Connection on AUTH 0x00 from a client", statement.X5("3.15.2.1-1"),
			[]byte{0x82, 0x81},
			func(final string) octets.Packet { return authentication(0x00, scram, final) },
		},
		{
			"EmptyAuth", "takes AUTH without Reason Code for 0x00, which a client does not send", statement.X5("3.15.2.1-1"),
			[]byte{0x82, 0x81},
			func(string) octets.Packet { return octets.Raw{0xF0, 0x00} },
		},
		{
			"MethodMissing", "closes the Network Connection on AUTH without Authentication Method", statement.X5("3.15.2.2.2-1"),
			[]byte{0x82, 0x81},
			func(final string) octets.Packet {
				return octets.Auth{Code: 0x18, Properties: octets.Properties{octets.AuthenticationData.Text(final)}}
			},
		},
		{
			"MethodTwice", "closes the Network Connection on AUTH with two Authentication Methods", statement.X5("3.15.2.2.2-1"),
			[]byte{0x82, 0x81},
			func(final string) octets.Packet {
				return authentication(0x18, scram, final, octets.AuthenticationMethod.Text(scram))
			},
		},
		{
			"DataTwice", "closes the Network Connection on AUTH with Authentication Data twice", statement.X5("3.15.2.2.3-1"),
			[]byte{0x82, 0x81},
			func(final string) octets.Packet {
				return authentication(0x18, scram, final, octets.AuthenticationData.Text(final))
			},
		},
		{
			"ReasonStringTwice", "closes the Network Connection on AUTH with Reason String twice", statement.X5("3.15.2.2.4-1"),
			[]byte{0x82, 0x81},
			func(final string) octets.Packet {
				return authentication(0x18, scram, final, octets.ReasonString.Text("a"), octets.ReasonString.Text("a"))
			},
		},
	} {
		conformance.Register(conformance.Check{
			Name: w.name, Title: w.title, Covers: w.covers, Needs: enhanced,
			Run: func(_ context.Context, t *conformance.T) {
				e := newExchange(t)
				p, serverFirst := started(t, e)
				final, _ := answered(t, e, serverFirst)
				p.Send(w.wrong(final))
				t.WantClosed(p, "the AUTH is wrong", w.codes...)
			},
		})
	}
	for name, w := range map[string]struct {
		prop octets.PropertyID
		id   string
	}{
		"ConnectMethodTwice": {octets.AuthenticationMethod, "3.1.2.11.9-1"},
		"ConnectDataTwice":   {octets.AuthenticationData, "3.1.2.11.10-2"},
	} {
		conformance.Register(conformance.Check{
			Name:   name,
			Title:  "does not accept a CONNECT with " + w.prop.String() + " twice",
			Covers: statement.X5(w.id),
			Needs:  enhanced,
			Run: func(_ context.Context, t *conformance.T) {
				c := connect(t, newExchange(t))
				for _, prop := range c.Properties {
					if prop.ID == w.prop {
						c.Properties = append(c.Properties, prop)
						break
					}
				}
				p := t.Dial()
				p.Send(c)
				t.WantClosed(p, w.prop.String()+" may be there once", 0x82, 0x81)
			},
		})
	}
}
