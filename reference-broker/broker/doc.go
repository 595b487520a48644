// Package broker runs the MQTT Server of package core/server on Network Connections: sockets, goroutines, buffers, back-pressure.
//
//	b, err := broker.New(broker.Config{})
//	ln, err := transport.Listen(ctx, "mqtt://127.0.0.1:1883")
//	go b.Serve(ctx, ln)
//	...
//	b.Close(ctx)
//
// [Broker.Pipe] connects a client in the same process without any listener; it works in a testing/synctest bubble.
//
// The mental model is a hub with spokes. Readers take bytes from Network Connections and decode them; what one read returned is a letter, and
// the letters of all sockets that had something at the same time go to the hub together. The hub is the machine under a mutex: it takes the
// packets and says what to send to whom, and that is encoded straight behind the receivers' outgoing buffers. Outside of the mutex each
// connection that got something is written to once.
//
// There are two kinds of readers. On Linux, sockets of the system are read by a few loops over epoll, one per processor. Everything else (in-memory
// connections, listeners of the caller's own, other systems) has a goroutine per connection.
//
// # When a client reads slowly
//
// What the socket does not take waits in the connection's outgoing buffer, and a goroutine is started that writes it. Beyond
// [Config.SlowLimit] bytes waiting, QoS 0 messages for that client are dropped (not retained ones that a SUBSCRIBE asked for), and its own
// packets are not read any more until it catches up. Beyond [Config.OutgoingLimit] the connection is closed; the Session, if it outlives the
// connection, resumes as after any loss. QoS 1 and 2 messages are limited before that by the client's Receive Maximum and wait in its Session.
// No client slows another one down.
//
// # What outlives the process
//
// With a [Config.Store], what an acknowledgement promises is on disk before the acknowledgement leaves: bytes that promise something wait in
// the connection's outbox for the group of records that is committed together, about every millisecond; the hub goes on meanwhile. Messages
// that promise nothing wait only behind those of the same connection. When the Store fails, the broker cuts its clients and Serve returns why.
//
// # Design
//
// One mutex and not an owner goroutine: a batch changes hands without waking anyone. The mutex guards the machine and the table of
// connections; what is done under it never blocks and calls nothing foreign but the [Tap]. More machines, each with a part of the Sessions,
// lost: the order of messages and the access to subscriptions of all parts would need a protocol of its own.
//
// Loops and not a goroutine for each socket, which is what this package had first. Measured on two cores with the same machine, deliveries per CPU
// second rose by 20 % for fan-in from 500 publishers and by half for QoS 2 between 50 pairs, connecting by 10 %, and an idle connection takes 3.3 KB
// instead of 7.7: a goroutine needs one more read to learn that there is nothing left, a stack, and a wake-up for each packet. What was lost
// is one way of reading for all. The loops wait in the Go runtime's own poller, which watches their epoll instances: no thread is blocked.
//
// What is left when 500 clients publish to one is the kernel: seven tenths of the broker's processor time are read calls, and half of those is
// the TCP acknowledgement that each sends. TCP_QUICKACK off would save every second one. It lost: a client that sends QoS 0 messages with
// Nagle's algorithm on waits for them, up to 40 ms each. Switching it off only while a client's reads follow each other closely, and giving up
// when it seemed to wait, lost too: the 99th percentile of such a client's first 5,000 messages rose from 2 to 30 ms, and no time was saved
// from 500 publishers to one at some 50 messages per second each.
//
// One loop for two processors wakes less often and saved a tenth there, but QoS 1 between 50 pairs cost a sixth more.
//
// A loop writes after all sockets with input have been read once, and a goroutine steps aside once before it writes, so that others add to the same
// buffers first: many small writes to one receiver become one.
package broker
