// Package device holds the inhabitants of a fleet as event-driven machines: Sensors, which publish on their own schedule, Sinks, which
// subscribe and enter what arrives into the ledger, and Controllers, which send commands to Sensors and publish the images that they fetch.
//
// A device has no goroutine and reads no clock. It lives on a Host, which is the rest of the world to it: it opens connections, tells what
// happens on them, keeps timers, and says what time it is. All devices of one event loop share a Scratch.
//
//	Host.Open ──► Opened(conn)  Received(bytes)  Writable()  Closed(err) ──► device ──► Conn.Send, Close, Abort
//	                                      timer ──► device
//
// Package fleet has three kinds of host: plain sockets, emulated links on the wall clock, and the same links in virtual time. A device can't
// tell them apart.
//
// All methods of one device, and of all devices that share a Scratch, are called by one goroutine at a time.
//
// # Design
//
// What Sensor, Sink and Controller have in common (connecting, reconnecting, bytes to packets and back) is an embedded struct, and the three hook into it by a small
// interface. The MQTT of both is package core/client, so the machine that serves the users of the client library is the one that fleets run.
//
// Messages are due when the schedule says so, connected or not: what can't be sent waits in the device's queue, or is given up if the device's
// policy says so. Either way the ledger knows.
package device
