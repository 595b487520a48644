package fault

import (
	"errors"
	"slices"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// deviating is the Fault.Configure of a rule that the server machine breaks itself.
func deviating(x ...server.Deviation) func(*broker.Config) {
	return func(cfg *broker.Config) { cfg.Server.Deviations = cfg.Server.Deviations.With(x...) }
}

// ignoring makes a broker that takes no notice of the packets of type P that match.
func ignoring[P mqtt.Packet](match func(c *Client, p P) bool) func() broker.Tap {
	return script(func() *Script {
		return &Script{In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(P); ok && match(c, p) {
				return nil
			}
			return []Frame{f}
		}}
	})
}

// withholding makes a broker that does not send the packets of type P that match.
func withholding[P mqtt.Packet](match func(c *Client, p P) bool) func() broker.Tap {
	return script(func() *Script {
		return &Script{Out: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(P); ok && match(c, p) {
				return nil
			}
			return []Frame{f}
		}}
	})
}

// all matches every packet.
func all[P mqtt.Packet](*Client, P) bool { return true }

// forgiving makes a broker that takes no notice of packets of a type that are wrong in one of these fields, and stays connected.
func forgiving(t mqtt.Type, fields ...string) func() broker.Tap {
	return rawIn(t, func(c *Client, f Frame) []Frame {
		d := wire.NewDecoder(wire.FromClient)
		d.Version = c.Version
		var mistake *wire.Error
		if _, _, err := d.Next(f); errors.As(err, &mistake) && (len(fields) == 0 || slices.Contains(fields, mistake.Field)) {
			return nil
		}
		return []Frame{f}
	})
}

// editAckOut changes the acknowledgements of one type that the broker sends.
func editAckOut(t mqtt.Type, change func(c *Client, a *mqtt.Ack)) func() broker.Tap {
	return rawOut(t, func(c *Client, f Frame) []Frame {
		if a := ack(decode(wire.FromServer, c.Version, f)); a != nil {
			change(c, a)
			b, err := wire.AppendAck(nil, c.Version, t, a)
			if err != nil {
				panic("fault: " + err.Error())
			}
			f = b
		}
		return []Frame{f}
	})
}

// ack is what is common to the four acknowledgements of a PUBLISH; nil for other packets.
func ack(p mqtt.Packet) *mqtt.Ack {
	switch p := p.(type) {
	case *mqtt.Puback:
		return (*mqtt.Ack)(p)
	case *mqtt.Pubrec:
		return (*mqtt.Ack)(p)
	case *mqtt.Pubrel:
		return (*mqtt.Ack)(p)
	case *mqtt.Pubcomp:
		return (*mqtt.Ack)(p)
	}
	return nil
}
