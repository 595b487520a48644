package fault

import (
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/store"
)

// These faults hurt what is stored while the broker is down.
var _ = register(
	Fault{
		Name: "subscriptions-lost-on-restart", Title: "has Sessions after a restart, without their Subscriptions",
		Breaks: []string{"X5-4.1-3", "MQTT311-4.1.0-1"}, Damage: losing(server.PutSubscription, server.RemoveSubscription, nil),
	},
	Fault{
		Name: "queue-lost-on-restart", Title: "has Sessions after a restart, without the messages in their queues",
		Breaks: []string{"X5-4.1-3", "MQTT311-3.1.2-5"}, Damage: losing(server.PutDelivery, server.RemoveDelivery, nil),
	},
	Fault{
		Name: "received-lost-on-restart", Title: "takes a QoS 2 message that comes again after a restart for a new one",
		Breaks: []string{"MQTT5-4.3.3-10", "MQTT311-4.3.3-2"}, Damage: losing(server.PutReceived, server.RemoveReceived, nil),
	},
	Fault{
		Name: "pubrel-lost-on-restart", Title: "does not send PUBREL again after a restart",
		Breaks: []string{"MQTT5-4.4.0-1", "MQTT311-4.4.0-1"},
		Damage: losing(server.PutDelivery, server.RemoveDelivery, func(r *server.Record) bool { return r.Released }),
	},
	Fault{
		Name: "sent-lost-on-restart", Title: "does not send PUBLISH again after a restart",
		Breaks: []string{"MQTT5-4.4.0-1", "MQTT311-4.4.0-1"},
		Damage: losing(server.PutDelivery, server.RemoveDelivery, func(r *server.Record) bool { return r.PacketID != 0 && !r.Released }),
	},
	Fault{
		Name: "will-delay-lost-on-restart", Title: "publishes delayed wills as soon as it is back",
		Breaks: []string{"MQTT5-3.1.3-9"},
		Damage: changing(func(r *server.Record) bool {
			if r.Kind != server.PutSession || r.Message == 0 {
				return false
			}
			r.Delay, r.WillTime = 0, r.Time
			return true
		}),
	},
	Fault{
		Name: "retained-spoilt-on-restart", Title: "has another payload in its retained messages after a restart",
		Breaks: []string{"MQTT5-3.3.1-5", "MQTT311-3.3.1-5"},
		Damage: changing(func(r *server.Record) bool {
			if r.Kind != server.PutMessage || !r.Publish.Retain {
				return false
			}
			r.Publish.Payload = []byte("spoilt")
			return true
		}),
	},
)

// losing removes the stored records of a kind that match; nil: all.
func losing(put, remove server.RecordKind, match func(*server.Record) bool) func(*store.Store) error {
	return changing(func(r *server.Record) bool {
		if r.Kind != put || match != nil && !match(r) {
			return false
		}
		r.Kind = remove
		return true
	})
}

// changing writes back what change has changed.
func changing(change func(*server.Record) bool) func(*store.Store) error {
	return func(s *store.Store) error {
		b := s.Batch()
		for r, err := range s.Records() {
			if err != nil {
				return err
			}
			if change(&r) {
				if err := b.Add(&r); err != nil {
					return err
				}
			}
		}
		return s.Commit(b)
	}
}
