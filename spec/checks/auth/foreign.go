package auth

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "ForeignProperty",
	Title:  "closes the Network Connection on an AUTH with a property of other packets",
	Covers: statement.X5("T2.4-AUTH"),
	Needs:  enhanced,
	Run: func(_ context.Context, t *conformance.T) {
		for _, foreign := range []octets.Property{
			octets.ContentType.Text("x"), octets.SubscriptionIdentifier.Prop(1), octets.SessionExpiryInterval.Prop(1), octets.ServerReference.Text("x"),
		} {
			p := authenticated(t)
			p.Send(authentication(0x19, scram, newExchange(t).first(), foreign))
			t.WantClosed(p, foreign.ID.String()+" does not belong in AUTH", 0x81, 0x82)
		}
	},
})
