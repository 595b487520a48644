package broker

import "mqttlab/reference-broker/core/server"

// Tap sees every Control Packet as bytes and may put others in its place. It exists to make a broker that is wrong on purpose.
//
// In is called from the goroutine of the connection, so for several connections at a time; Out and Closing under the hub's mutex, so never at
// the same time, and they must neither block nor call the broker. frame is valid during the call only and may be returned.
type Tap interface {
	// In takes one frame from the client: a whole Control Packet, or the rest of the input from where it is none.
	In(conn server.ConnID, frame []byte) Tapped
	// Out takes one Control Packet for the client.
	Out(conn server.ConnID, frame []byte) Tapped
	// Closing says whether the connection that the Server wants to close is really closed. One that is kept belongs to nobody: what the client
	// sends is read and thrown away until it closes.
	Closing(conn server.ConnID) bool
}

// Tapped is what a [Tap] puts in place of a frame.
type Tapped struct {
	Frames [][]byte // in this order; none: the frame is swallowed
	Close  bool     // then close the connection at once, without a word
}

// Pass is the Tapped that changes nothing.
func Pass(frame []byte) Tapped { return Tapped{Frames: [][]byte{frame}} }
