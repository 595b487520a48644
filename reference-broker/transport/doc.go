// Package transport opens the Network Connections that MQTT runs over: it turns a URL into a listener or a connection, and has a
// connection that exists in memory only.
//
//	mqtt://host:port          TCP; without a port 1883
//	mqtts://host:port         TLS 1.2 or 1.3 over TCP; without a port 8883
//	ws://host:port/path       WebSocket; without a port 80
//	wss://host:port/path      WebSocket over TLS; without a port 443
//	mqtt+unix:///path         a Unix socket; one that a killed process left behind is replaced
//
// Port 0 lets the system choose one; [URL] tells which. Host names may be left out when listening: mqtt://:1883 accepts on all addresses. A
// WebSocket listener without a path accepts any path; a client without a path asks for /mqtt, as is the custom.
//
// [Listen] and [Dial] take the defaults; a [ListenConfig] or a [Dialer] has what TLS and WebSocket need besides a URL. All connections are plain
// net.Conn values that carry the bytes of MQTT. One whose client has proven who it is, by a certificate, has a method Username() string, which
// [Username] calls.
//
// # Handshakes
//
// TLS and WebSocket begin with a handshake. Accept returns a connection when that is over, so its caller never waits for a slow client: each
// handshake has a goroutine and [ListenConfig.HandshakeTimeout]. No more than [ListenConfig.Handshakes] are under way; one more closes the
// one that has taken longest. Honest clients need milliseconds, so it is those who hold handshakes open that lose.
//
// # One source, many connections
//
// A [Throttle] closes what one source opens beyond its rate, as soon as it is accepted: an answer with Reason Code 0x9F, Connection rate
// exceeded, would cost the handshake that it is to save, and a CONNECT.
//
// # WebSocket
//
// MQTT takes the payload of binary messages as one stream of bytes: a Control Packet may come in several messages, and a message may hold several
// [MQTT5 6.0.0-2]. Nothing is collected, so no limit on the size of a message is needed: the Maximum Packet Size of MQTT bounds what is kept. A
// text message ends the connection with status 1003 [MQTT5 6.0.0-1]. After a deadline has passed on such a connection it is of no more use.
//
// A browser sends the Origin of the page that connects. As every page the user visits could connect to a broker in the user's network, only
// pages of the broker's own host may, and those that [ListenConfig.Origins] names. Programs send no Origin and are not affected.
//
// # Design
//
// A scheme is one entry of a table. An in-memory listener has no URL: a name for it would need a registry for the whole process; it is a value
// to pass around instead ([NewMemory]).
//
// Handshakes lost the place they have in crypto/tls, the first Read of the connection: who a client is would be known only some time after
// Accept, and connections without a working client would count and live as any other.
//
// The Throttle counts by source. A rate for a whole listener, which EMQX and HiveMQ have, lost: one flood would shut out everybody. It forgets by
// arithmetic, in a table of fixed size: a map of sources would grow at the will of who has many addresses, or need a policy for being full.
//
// github.com/coder/websocket frames the messages. Its own NetConn lost: its Close waits seconds for the peer, and closing must not block a broker.
package transport
