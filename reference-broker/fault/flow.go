package fault

import (
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

var _ = register(
	Fault{
		Name: "receive-maximum-ignored", Title: "has more unacknowledged messages open than the client's Receive Maximum",
		Breaks: []string{"MQTT5-3.3.4-9", "MQTT5-4.9.0-1", "MQTT5-4.9.0-2"}, Configure: deviating(server.ReceiveMaximumIgnored),
	},
	Fault{
		Name: "window-closed", Title: "sends no message at all to a client with a small Receive Maximum",
		Breaks: []string{"MQTT5-4.9.0-1"},
		Tap:    withholding(func(c *Client, p *mqtt.Publish) bool { return p.QoS > 0 && c.Connect.ReceiveMaximum != 0 }),
	},
	Fault{
		Name: "full-window-blocks-answers", Title: "answers nothing while the client's window is full",
		Breaks: []string{"MQTT5-3.3.4-10", "MQTT5-4.9.0-3"}, Tap: script(blockedByWindow),
	},
	Fault{
		Name: "refusal-frees-no-place", Title: "counts a message as open that the client has refused",
		Breaks: []string{"X5-4.9-1"},
		Tap: script(func() *Script {
			return &Script{In: func(c *Client, f Frame) []Frame {
				if a := ack(decode(wire.FromClient, c.Version, f)); a != nil && a.ReasonCode.Failed() {
					return nil
				}
				return []Frame{f}
			}}
		}),
	},
	Fault{
		Name: "window-kept-over-reconnect", Title: "sends nothing on a new connection, as the window of the last one was full",
		Breaks: []string{"X5-4.9-2"}, Tap: script(windowKept),
	},
	Fault{
		Name: "server-receive-maximum-not-usable", Title: "drops a QoS 2 PUBLISH that is the last within its own Receive Maximum",
		Breaks:    []string{"MQTT5-3.3.4-7"},
		Configure: func(cfg *broker.Config) { cfg.Server.ReceiveMaximum = 10 },
		Tap:       ignoring(func(_ *Client, p *mqtt.Publish) bool { return p.PacketID == 10 }),
	},
	Fault{
		Name: "server-receive-maximum-kept-over-reconnect", Title: "counts what a client sends again on a new connection twice against its own Receive Maximum, and drops what is above it",
		Breaks:    []string{"X5-4.9-2"},
		Configure: func(cfg *broker.Config) { cfg.Server.ReceiveMaximum = 10 },
		Tap:       script(ownWindowKept),
	},
	Fault{
		Name: "server-receive-maximum-not-enforced", Title: "lets a client have more messages open than its own Receive Maximum",
		Breaks: []string{"MQTT5-3.3.4-7", "X5-3.3.4-6"},
		Configure: func(cfg *broker.Config) {
			cfg.Server.ReceiveMaximum = 10
			deviating(server.NoReceiveMaximumClose)(cfg)
		},
	},
)

// blockedByWindow holds back all but PUBLISH for good once as many messages are open as the client wants.
func blockedByWindow() *Script {
	return &Script{Out: func(c *Client, f Frame) []Frame {
		open, _ := c.Notes["open"].(int)
		if f.Type() != mqtt.TypePublish {
			if c.Connect != nil && c.Connect.ReceiveMaximum != 0 && open >= int(c.Connect.ReceiveMaximum) {
				return nil
			}
			return []Frame{f}
		}
		if f[0]&0x06 != 0 {
			c.Notes["open"] = open + 1
		}
		return []Frame{f}
	}}
}

// windowKept withholds messages from a client that left some unacknowledged on the connection before.
func windowKept() *Script {
	open := map[string]int{} // by Client Identifier
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if f.Type() == mqtt.TypeConnect && c.Connect != nil && open[c.Connect.ClientID] > 0 {
				c.Notes["full"] = true
			}
			if t := f.Type(); c.Connect != nil && (t == mqtt.TypePuback || t == mqtt.TypePubcomp) {
				open[c.Connect.ClientID]--
			}
			return []Frame{f}
		},
		Out: only(mqtt.TypePublish, func(c *Client, f Frame) []Frame {
			if f[0]&0x06 == 0 {
				return []Frame{f}
			}
			if c.Notes["full"] == true {
				return nil
			}
			open[c.Connect.ClientID]++
			return []Frame{f}
		}),
	}
}

// ownWindowKept drops a PUBLISH if ten messages of its client are open, on all its connections together.
func ownWindowKept() *Script {
	open := map[string]int{} // by Client Identifier
	return &Script{
		In: func(c *Client, f Frame) []Frame {
			if c.Connect == nil || f.Type() != mqtt.TypePublish || f[0]&0x06 == 0 {
				return []Frame{f}
			}
			if open[c.Connect.ClientID] == 10 {
				return nil
			}
			open[c.Connect.ClientID]++
			return []Frame{f}
		},
		Out: func(c *Client, f Frame) []Frame {
			if t := f.Type(); t == mqtt.TypePuback || t == mqtt.TypePubcomp {
				open[c.Connect.ClientID]--
			}
			return []Frame{f}
		},
	}
}
