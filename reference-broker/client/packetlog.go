package client

import (
	"context"
	"log/slog"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
)

// packetLog notes packets for the debug level of the log. Those sent are noted under Client.mu and logged by the writer, because a log handler is
// foreign code.
type packetLog struct {
	on   bool
	sent []slog.Attr
}

// note remembers that the packet of a is on its way out. c.mu is held.
func (l *packetLog) note(a *core.Action) {
	if !l.on {
		return
	}
	switch a.Kind {
	case core.SendAck:
		l.sent = append(l.sent, slog.Group("", slog.String("packet", a.AckType.String()), slog.Any("id", a.AckID), slog.Any("reason", a.Code)))
	case core.SendPublish:
		var p mqtt.Publish
		a.Outgoing(&p)
		l.sent = append(l.sent, packetAttr(&p))
	default:
		l.sent = append(l.sent, packetAttr(a.Packet))
	}
}

// logSent logs what note remembered.
func (c *Client) logSent(sent []slog.Attr) {
	for _, a := range sent {
		c.log.LogAttrs(context.Background(), slog.LevelDebug, "packet sent", a)
	}
}

func (c *Client) logReceived(packets []mqtt.Packet) {
	for _, p := range packets {
		c.log.LogAttrs(context.Background(), slog.LevelDebug, "packet received", packetAttr(p))
	}
}

// packetAttr tells what a person looks for first; payloads and passwords stay out of the log.
func packetAttr(p mqtt.Packet) slog.Attr {
	attrs := []any{slog.String("packet", p.Type().String())}
	add := func(name string, value any) { attrs = append(attrs, slog.Any(name, value)) }
	ack := func(a mqtt.Ack) {
		add("id", a.PacketID)
		add("reason", a.ReasonCode)
	}
	switch p := p.(type) {
	case *mqtt.Connect:
		add("client", p.ClientID)
		add("clean_start", p.CleanStart)
		add("keep_alive", p.KeepAlive)
	case *mqtt.Connack:
		add("reason", p.ReasonCode)
		add("session_present", p.SessionPresent)
	case *mqtt.Publish:
		add("topic", p.Topic)
		add("qos", p.QoS)
		add("id", p.PacketID)
		add("dup", p.Dup)
		add("retain", p.Retain)
		add("bytes", len(p.Payload))
	case *mqtt.Puback:
		ack(mqtt.Ack(*p))
	case *mqtt.Pubrec:
		ack(mqtt.Ack(*p))
	case *mqtt.Pubrel:
		ack(mqtt.Ack(*p))
	case *mqtt.Pubcomp:
		ack(mqtt.Ack(*p))
	case *mqtt.Subscribe:
		add("id", p.PacketID)
		add("filters", p.Subscriptions)
	case *mqtt.Suback:
		add("id", p.PacketID)
		add("reasons", p.ReasonCodes)
	case *mqtt.Unsubscribe:
		add("id", p.PacketID)
		add("filters", p.TopicFilters)
	case *mqtt.Disconnect:
		add("reason", p.ReasonCode)
	}
	return slog.Group("", attrs...)
}
