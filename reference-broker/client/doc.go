// Package client is an MQTT client for 3.1, 3.1.1 and 5.0.
//
//	c, err := client.Dial(ctx, "mqtt://localhost", nil)
//	ack, err := c.Publish(ctx, &client.Message{Topic: "a/b", Payload: payload, QoS: mqtt.AtLeastOnce})
//	sub, err := c.Subscribe(ctx, client.Filter{TopicFilter: "a/#", QoS: mqtt.AtLeastOnce})
//	for m, err := range sub.Messages(ctx) { ... }
//	err = c.Close(ctx)
//
// A [Client] is one Session that outlives its Network Connections: it connects again by itself, with growing and jittered waits, resumes the
// Session where the Server kept it and subscribes again where it did not. Publish, Enqueue and Subscribe may be called at any time from any
// goroutine.
//
// # What an error means
//
// Whose fault it is shows in its type: [*InvalidError] (this side asked for what cannot be; nothing was sent), [*RefusedError] (the Server said no),
// [*ViolationError] (the Server broke the protocol). errors.Is finds Reason Codes in all three: errors.Is(err, mqtt.NotAuthorized).
//
// What became of a message, too: after [ErrNotTaken], [ErrQueueFull], [ErrNotConnected], [ErrExpired] and *InvalidError it was not sent; after
// *RefusedError the Server did not accept it; after [ErrSessionLost], [ErrNotResent] and [ErrClosed] nobody knows; after [ErrUnderWay] it is
// still on its way, only the caller stopped waiting.
//
// # What outlives the process
//
// With [Options.Store], a QoS 1 or 2 message is stored before it is sent, and so is each step of its exchange: when the process is killed, the
// next one with the same Store and Client Identifier sends again what the Server has not acknowledged, under the same Packet Identifier, so
// that a QoS 2 message arrives exactly once. What Enqueue has returned for is safe; [Client.Restored] tells what came from the Store. For
// incoming QoS 2 messages the Store knows which were acknowledged, so none of these comes twice. Subscriptions are not stored: subscribe
// again, or collect with KeepUnclaimed.
//
// # Queues
//
// Every queue has a limit. Outgoing: Options.MaxQueued messages and 1 MiB of unwritten bytes; beyond it Publish waits and Enqueue returns
// ErrQueueFull. Incoming, QoS 1 and 2: the Receive Maximum, because a message is acknowledged only after the application has handled it; a
// slow application slows the Server. Incoming, QoS 0: Options.Buffer messages per Subscription; beyond it new ones are dropped and counted.
// (3.1 and 3.1.1 have no Receive Maximum: there the Server's own limit holds.)
//
// # Design
//
// The protocol is in package core/client; this package adds three goroutines per client: one connects, keeps time and calls hooks, one reads, one
// writes. The machine is guarded by one mutex which is never held during I/O or foreign code, so a handler may publish, and may
// take as long as it likes, without stalling Keep Alive. A goroutine that owns the machine and is sent requests lost: it costs two
// context switches per message and gives the same guarantees.
//
// When the Session had to be given up on the Server's side, messages under way end with ErrSessionLost instead of being sent anew, because only the
// application knows whether a second copy is worse than none; Options.Requeue chooses the copy.
//
// What a Store needs shows in the actions of the machine, so the machine knows nothing of Stores. Its changes are committed by whoever needs
// them next, the writer before it writes or the caller of Enqueue, for all that was noted until then: many messages share one sync. The Store
// sees bytes and keys; one that sees messages lost, for each would have to keep all their properties right.
package client
