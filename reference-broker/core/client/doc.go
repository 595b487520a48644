// Package client is the MQTT Client as a sans-I/O machine: one Session that outlives its Network Connections.
//
// The owner opens and closes Network Connections, turns packets into bytes and keeps the clock. From one goroutine at a time it calls
//
//	Opened       a Network Connection is open: CONNECT goes out
//	Receive      a Control Packet was read from it
//	Malformed    bytes came that are no Control Packet
//	Lost         the Network Connection is gone
//	Publish      send an Application Message; likewise Subscribe, Unsubscribe, Authenticate, Ack, Disconnect
//	Advance      the time that Deadline named has come
//
// and after each call, or after a batch of calls, Drain, which hands out the [Action] values in the order in which they must be carried out.
//
//	                 Opened                  CONNACK 0
//	Disconnected ──────────────► Connecting ───────────► Connected
//	     ▲                           │                       │
//	     └──────── Lost, Close ◄─────┴───────────────────────┘
//
// An Application Message handed to Publish waits in a bounded queue until the machine is Connected and the Server's Receive Maximum leaves room, is
// sent, and stays with the machine until it is acknowledged; a lost Network Connection in between costs nothing as long as the Session lives. Each
// accepted Publish, Subscribe and Unsubscribe ends in exactly one [Done] action that carries the owner's [Token], or is still unfinished.
//
// When to connect again is the owner's decision; [Backoff] is the policy both owners of this package use.
//
// # Design
//
// The owner chooses the tokens; numbers made by the machine lost, because every owner would need a map from them to what it waits for. Messages are
// kept by pointer and never modified or copied: an owner of ten thousand machines reuses them after Done. SUBSCRIBE is not kept over a
// lost connection: whether to subscribe again depends on Session Present, which the owner learns from [StateChange].
package client
