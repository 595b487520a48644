package fault

import (
	"strings"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

var _ = register(
	Fault{
		Name: "client-id-of-23-refused", Title: "refuses Client Identifiers of 23 characters",
		Breaks: []string{"MQTT5-3.1.3-5", "MQTT311-3.1.3-5"},
		Tap:    refusing(func(_ *Client, p *mqtt.Connect) bool { return len(p.ClientID) == 23 }),
	},
	Fault{
		Name: "client-id-cut", Title: "looks at the first 23 characters of a Client Identifier",
		Breaks: []string{"X5-3.1.3.1-1"},
		Tap:    editIn(func(_ *Client, p *mqtt.Connect) { p.ClientID = p.ClientID[:min(23, len(p.ClientID))] }),
	},
	Fault{
		Name: "client-id-folded", Title: "takes Client Identifiers that differ in case for one",
		Breaks: []string{"MQTT5-3.1.3-2", "MQTT311-3.1.3-2"},
		Tap:    editIn(func(_ *Client, p *mqtt.Connect) { p.ClientID = strings.ToLower(p.ClientID) }),
	},
	Fault{
		Name: "client-id-unanswered", Title: "takes no notice of a CONNECT whose Client Identifier holds a space",
		Breaks: []string{"X5-3.1.3.1-1"},
		Tap:    ignoring(func(_ *Client, p *mqtt.Connect) bool { return strings.Contains(p.ClientID, " ") }),
	},
	mended("client-id-empty-without-clean-accepted", "accepts an empty Client Identifier with CleanSession 0",
		func(c *rawConnect) {
			if len(c.clientID) == 0 && c.level == byte(mqtt.V311) {
				c.flags |= 0x02
			}
		}, "MQTT311-3.1.3-7", "MQTT311-3.1.3-8"),
	Fault{
		Name: "client-id-assigned-to-all", Title: "assigns one Client Identifier to all clients that bring none",
		Breaks: []string{"MQTT5-3.1.3-6", "MQTT5-3.2.2-16", "MQTT311-3.1.3-6"}, Configure: deviating(server.AssignedClientIDRepeated),
	},
	Fault{
		Name: "client-id-assigned-secretly", Title: "does not tell a client the identifier that it assigned",
		Breaks: []string{"MQTT5-3.1.3-7", "MQTT5-3.2.2-16"},
		Tap:    editOut(func(_ *Client, p *mqtt.Connack) { p.AssignedClientID = "" }),
	},
	Fault{
		Name: "client-id-assigned-unasked", Title: "says Assigned Client Identifier to clients that have one",
		Breaks: []string{"X5-3.2.2.3.7-1"},
		Tap: editOut(func(c *Client, p *mqtt.Connack) {
			if !p.ReasonCode.Failed() {
				p.AssignedClientID = c.Connect.ClientID + "x"
			}
		}),
	},
	Fault{
		Name: "credentials-not-checked", Title: "admits everybody",
		Breaks:    []string{"MQTT5-3.1.4-2", "X5-3.1.4-3", "X5-4.12-2", "MQTT5-3.1.3-8", "MQTT311-3.1.3-9"},
		Configure: func(cfg *broker.Config) { cfg.Authenticator, cfg.Server.Authenticate = nil, false },
	},
)
