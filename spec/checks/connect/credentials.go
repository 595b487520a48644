package connect

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "WrongPassword",
	Title:  "refuses a client with a wrong password or an unknown name, and admits one with right ones",
	Covers: statement.IDs(statement.V5("3.1.4-2"), statement.X5("3.1.4-3", "4.12-2")),
	Needs:  []target.Feature{target.Auth},
	Run: func(_ context.Context, t *conformance.T) {
		t.Connect().Barrier("right credentials admit a client")
		wrong := t.NewConnect()
		wrong.Password = new("not the password")
		unknown := t.NewConnect()
		unknown.UserName = new("mqttlab-nobody")
		empty := t.NewConnect()
		empty.Password = new("")
		refused(t, "wrong credentials do not admit a client", []byte{0x86, 0x87}, wrong, unknown, empty)
	},
})

// everything is a CONNECT with every property and field that a client may send.
func everything(t *conformance.T) octets.Connect {
	c := t.NewConnect()
	c.KeepAlive = 60
	c.Properties = octets.Properties{
		octets.SessionExpiryInterval.Prop(0), octets.ReceiveMaximum.Prop(100), octets.MaximumPacketSize.Prop(100000),
		octets.TopicAliasMaximum.Prop(5), octets.RequestResponseInformation.Prop(1), octets.RequestProblemInformation.Prop(1),
		octets.User("name", "value"),
	}
	c.Will = &octets.Will{Topic: t.Topic("will"), Payload: "will", Properties: octets.Properties{
		octets.WillDelayInterval.Prop(0), octets.PayloadFormatIndicator.Prop(1), octets.MessageExpiryInterval.Prop(60),
		octets.ContentType.Text("text"), octets.ResponseTopic.Text(t.Topic("r")), octets.CorrelationData.Text("c"), octets.User("a", "b"),
	}}
	return c
}

var _ = conformance.Register(conformance.Check{
	Name:   "EveryProperty",
	Title:  "accepts a CONNECT with every property that there is",
	Covers: statement.V5("3.1.4-5"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.ConnectWith(everything(t))
		p.Barrier("the client is served")
		p.Disconnect()
	},
})
