package connect

import (
	"context"

	"mqttlab/spec/conformance"
	"mqttlab/spec/statement"
)

var _ = conformance.Register(conformance.Check{
	Name:   "ProtocolName",
	Title:  "does not accept a CONNECT whose Protocol Name is not MQTT",
	Covers: statement.IDs(statement.V311("3.1.2-1"), statement.V5("3.1.2-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, name := range []string{"MQTTX", "mqtt", "MQT", "MQTT\x00", "HTTP", ""} {
			c := t.NewConnect()
			c.ProtocolName = &name
			p := t.Dial()
			p.Send(c)
			// A server need not know the layout of an answer to a protocol it does not know.
			t.OneOf(p, "a Protocol Name other than MQTT is not MQTT", conformance.Closed())
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ProtocolLevel",
	Title:  "refuses a CONNECT of a protocol version that does not exist",
	Covers: statement.IDs(statement.V311("3.1.2-2"), statement.V5("3.1.2-2")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, level := range []byte{0x7F, 0x00, 0x06} {
			c := t.NewConnect()
			c.Level = &level
			p := t.Dial()
			p.Send(c)
			if t.V5() {
				t.OneOf(p, "an unsupported protocol version is refused", conformance.Closed())
				continue
			}
			t.OneOf(p, "an unsupported protocol level is refused with return code 0x01", conformance.ClosedWith(0x01))
		}
	},
})
