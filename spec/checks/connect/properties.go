package connect

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// twice are the properties that CONNECT may have once, each with the statement that
// says so.
var twice = []struct {
	name string
	prop octets.Property
	id   string
}{
	{"SessionExpiryTwice", octets.SessionExpiryInterval.Prop(0), "3.1.2.11.2-1"},
	{"ReceiveMaximumTwice", octets.ReceiveMaximum.Prop(10), "3.1.2.11.3-2"},
	{"MaximumPacketSizeTwice", octets.MaximumPacketSize.Prop(1000), "3.1.2.11.4-2"},
	{"TopicAliasMaximumTwice", octets.TopicAliasMaximum.Prop(10), "3.1.2.11.5-1"},
	{"RequestResponseTwice", octets.RequestResponseInformation.Prop(0), "3.1.2.11.6-2"},
	{"RequestProblemTwice", octets.RequestProblemInformation.Prop(1), "3.1.2.11.7-2"},
}

// illegal are properties of CONNECT with a value they cannot have.
var illegal = []struct {
	name string
	prop octets.Property
	id   string
}{
	{"ReceiveMaximumZero", octets.ReceiveMaximum.Prop(0), "3.1.2.11.3-1"},
	{"MaximumPacketSizeZero", octets.MaximumPacketSize.Prop(0), "3.1.2.11.4-1"},
	{"RequestResponseTwo", octets.RequestResponseInformation.Prop(2), "3.1.2.11.6-1"},
	{"RequestProblemTwo", octets.RequestProblemInformation.Prop(2), "3.1.2.11.7-1"},
	{"AuthenticationDataAlone", octets.AuthenticationData.Text("data"), "3.1.2.11.10-1"},
}

func init() {
	for _, p := range twice {
		conformance.Register(conformance.Check{
			Name:   p.name,
			Title:  "does not accept a CONNECT with " + p.prop.ID.String() + " twice",
			Covers: statement.X5(p.id),
			Run: func(_ context.Context, t *conformance.T) {
				c := t.NewConnect()
				c.Properties = octets.Properties{p.prop, p.prop}
				refused(t, p.prop.ID.String()+" may be there once", []byte{0x82, 0x81}, c)
			},
		})
	}
	for _, p := range illegal {
		conformance.Register(conformance.Check{
			Name:   p.name,
			Title:  "does not accept a CONNECT with an illegal " + p.prop.ID.String(),
			Covers: statement.X5(p.id),
			Run: func(_ context.Context, t *conformance.T) {
				c := t.NewConnect()
				c.Properties = octets.Properties{p.prop}
				refused(t, p.prop.ID.String()+" cannot be so", []byte{0x82, 0x81}, c)
			},
		})
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "UserPropertyRepeated",
	Title:  "accepts User Property several times, with the same name too, wherever a client may send it",
	Covers: statement.X5("3.1.2.11.8-1"),
	Run: func(_ context.Context, t *conformance.T) {
		props := octets.Properties{octets.User("a", "1"), octets.User("b", "2"), octets.User("a", "1"), octets.User("", "")}
		c := t.NewConnect()
		c.Properties = props
		p := t.ConnectWith(c)
		topic := t.Topic("a")
		p.SubscribeWith(octets.Subscribe{Filters: []octets.Subscription{{Filter: topic}}, Properties: props})
		u := octets.Unsubscribe{ID: p.NextID(), Filters: []string{topic}, Properties: props}
		p.Send(u)
		p.WantID(octets.UNSUBACK, u.ID, "an UNSUBSCRIBE with User Properties is answered")
		p.Send(octets.Disconnect{Properties: props})
		t.OneOf(p, "a DISCONNECT with User Properties is as good as any",
			conformance.ClosedSilently(), conformance.Where("the connection stays open", false, func(r conformance.Reaction) bool {
				return r.End == nil && len(r.Packets) == 0
			}).Nonstrict("the receiver of DISCONNECT closes the connection if its sender does not"))
	},
})
