package server

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// message is a PUBLISH that outlives the call that brought it. It is shared by all who hold it and never changed meanwhile.
type message struct {
	publish mqtt.Publish
	arrived time.Duration // since when its Message Expiry Interval runs
	holders int32
	serial  uint64 // its number in the store; 0: not there
}

// size is what a message counts against limits in bytes.
func (x *message) size() int { return publishBytes(&x.publish) }

func publishBytes(p *mqtt.Publish) int {
	return len(p.Topic) + len(p.Payload) + len(p.CorrelationData) + len(p.ResponseTopic)
}

// expired reports whether the Message Expiry Interval is over.
func (x *message) expired(now time.Duration) bool {
	e := x.publish.MessageExpiryInterval // [X5 3.3.2.3.3-1]
	return e.Set && now-x.arrived >= time.Duration(e.Value)*time.Second
}

// left returns the Message Expiry Interval less the time the message has waited, in whole seconds.
func (x *message) left(now time.Duration) mqtt.Opt[uint32] {
	e := x.publish.MessageExpiryInterval
	if e.Set { // [MQTT5 3.3.2-6]
		e.Value -= min(e.Value, uint32(min((now-x.arrived)/time.Second, 1<<32-1)))
	}
	return e
}

// Bounds of what the pool keeps: so many messages, of payloads not larger than that.
const (
	keepMessages = 1024
	keepPayload  = 4096
)

// messagePool hands out messages and takes back those that nobody holds. One that was released is used again only after the next Drain, because
// actions may point to it.
type messagePool struct {
	free, released []*message
}

// clone returns a copy of p without holders.
func (l *messagePool) clone(p *mqtt.Publish, arrived time.Duration) *message {
	var x *message
	if n := len(l.free); n > 0 {
		x, l.free = l.free[n-1], l.free[:n-1]
	} else {
		x = new(message)
	}
	payload, correlation, properties := x.publish.Payload, x.publish.CorrelationData, x.publish.UserProperties
	x.publish = *p
	x.arrived = arrived
	x.publish.SubscriptionIdentifiers, x.publish.TopicAlias, x.publish.PacketID = nil, 0, 0
	x.publish.Payload = append(payload[:0], p.Payload...)
	x.publish.UserProperties = append(properties[:0], p.UserProperties...)
	if p.CorrelationData != nil {
		// An empty one is present all the same, so it must not become nil.
		x.publish.CorrelationData = append(append(correlation[:0], p.CorrelationData...), 0)[:len(p.CorrelationData)]
	}
	return x
}

// hold counts one more holder.
func (x *message) hold() *message {
	x.holders++
	return x
}

// release counts one holder less and reports whether it was the last; nil is nobody's. Use Machine.release.
func (l *messagePool) release(x *message) (last bool) {
	if x == nil {
		return false
	}
	if x.holders--; x.holders == 0 {
		l.released = append(l.released, x)
		return true
	}
	return false
}

// recycle makes released messages ready for use.
func (l *messagePool) recycle() {
	for i, x := range l.released {
		l.released[i] = nil
		if len(l.free) >= keepMessages || cap(x.publish.Payload) > keepPayload {
			continue
		}
		clear(x.publish.UserProperties)
		x.publish = mqtt.Publish{
			Payload:         x.publish.Payload[:0],
			CorrelationData: x.publish.CorrelationData[:0],
			UserProperties:  x.publish.UserProperties[:0],
		}
		l.free = append(l.free, x)
	}
	if l.released = l.released[:0]; cap(l.released) > keepMessages {
		l.released = nil
	}
}
