package fault

import (
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

var _ = register(
	Fault{
		Name: "keep-alive-not-enforced", Title: "leaves silent clients connected",
		Breaks: []string{"MQTT5-3.1.2-22", "MQTT5-3.2.2-22", "MQTT311-3.1.2-24", "X5-3.1.2.10-3"}, Configure: deviating(server.NoKeepAliveClose),
	},
	Fault{
		Name: "keep-alive-counts-from-connect", Title: "closes one and a half Keep Alives after CONNECT, whatever the client sends",
		Breaks: []string{"MQTT5-3.1.2-22", "MQTT311-3.1.2-24"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				start, ok := c.Notes["start"].(time.Time)
				if !ok {
					c.Notes["start"] = time.Now()
				}
				if ok && c.Connect != nil && c.Connect.KeepAlive > 0 && time.Since(start) > time.Duration(c.Connect.KeepAlive)*3*time.Second/2 {
					return []Frame{wrong}
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "keep-alive-zero-is-one", Title: "takes Keep Alive 0 for 1",
		Breaks: []string{"X5-3.1.2.10-1"}, Tap: editIn(func(_ *Client, p *mqtt.Connect) { p.KeepAlive = max(1, p.KeepAlive) }),
	},
	Fault{
		Name: "server-keep-alive-not-used", Title: "announces a Server Keep Alive and uses the client's",
		Breaks: []string{"X5-3.2.2.3.14-1"}, Configure: deviating(server.ServerKeepAliveIgnored),
	},
	Fault{
		Name: "pingresp-withheld", Title: "does not answer PINGREQ of clients without Keep Alive",
		Breaks: []string{"MQTT5-3.12.4-1", "MQTT311-3.12.4-1"},
		Tap:    withholding(func(c *Client, _ *mqtt.Pingresp) bool { return c.Connect != nil && c.Connect.KeepAlive == 0 }),
	},
)
