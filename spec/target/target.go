package target

import (
	"context"
	"errors"
	"net"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// Dial opens a Network Connection. The address is what the target's URL says.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Target is what is judged, and how to get there.
type Target struct {
	// URL is shown in reports.
	URL string
	// Name is a short name; empty means the URL.
	Name string
	// Network and Address are handed to Dial: "tcp", "127.0.0.1:1883"; see [Parse].
	Network, Address string
	// Listeners are addresses at which the same target is reached over further transports, one
	// for each; see [Target.At].
	Listeners []string
	// Dial opens connections; nil means a plain socket.
	Dial Dial
	// Socket opens what is under the WebSocket of a target that is reached over one, TLS
	// included; nil if the target is not.
	Socket func(ctx context.Context) (net.Conn, error)
	// Without are features that the target has but that shall not be tested.
	Without []Feature
	// Timings replace defaults where they are not zero.
	Timings probe.Timings
	// Settings are what somebody has set up on the target.
	Settings Settings
	// Known are failures that are listed with a reason.
	Known []Known
	// Restart stops and starts the target, nil if that is not possible. Connections
	// are lost, what the target stores is not.
	Restart func(ctx context.Context) error
	// Crash ends the target without notice, as a loss of power does, and starts it on
	// what it has stored; nil if that is not possible.
	Crash func(ctx context.Context) error
}

// Settings are what a client cannot find out by itself.
type Settings struct {
	// UserName and Password are used by every CONNECT; nil for none. Their presence
	// means that the target refuses wrong ones ([Auth]).
	UserName, Password *string
	// ForbiddenTopic is a topic that the target refuses to that user ([ACL]).
	ForbiddenTopic string
	// RefusedClientID is a Client Identifier the target refuses ([ClientIDPolicy]).
	RefusedClientID string
}

// Open dials the target.
func (t *Target) Open(ctx context.Context) (net.Conn, error) {
	dial := t.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return dial(ctx, t.Network, t.Address)
}

// Transports are the names of what connections may run over.
var Transports = []string{"tcp", "tls", "ws", "wss", "unix"}

// Transport is what connections run over, as reports name it: "tls", "ws", "wss", "unix", and
// nothing for plain TCP.
func (t *Target) Transport() string {
	switch t.Network {
	case "mqtts":
		return "tls"
	case "mqtt+unix":
		return "unix"
	case "ws", "wss":
		return t.Network
	}
	return ""
}

// At is the target as reached at one of its addresses; the caller sets its Dial, as for [Parse].
func (t *Target) At(address string) (*Target, error) {
	over := *t
	over.Dial, over.Socket = nil, nil
	err := over.setURL(address)
	over.URL = t.URL
	return &over, err
}

// OpenSocket opens what is under a WebSocket.
func (t *Target) OpenSocket(ctx context.Context) (net.Conn, error) {
	if t.Socket == nil {
		return nil, errors.New("the target is not reached over WebSocket")
	}
	return t.Socket(ctx)
}

// Connect is a CONNECT with the credentials of the target, a clean session and no
// Keep Alive.
func (t *Target) Connect(clientID string) octets.Connect {
	return octets.Connect{
		ClientID: clientID, Clean: true,
		UserName: t.Settings.UserName, Password: t.Settings.Password,
	}
}
