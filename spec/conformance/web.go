package conformance

import (
	"context"
	"fmt"
	"net/url"

	"mqttlab/spec/probe"
)

// DialWeb opens a Network Connection over a WebSocket on which the check can send frames of
// its own, and sends nothing. The check needs [target.WebSocket].
func (t *T) DialWeb() (*probe.Peer, *probe.Web) {
	web, err := t.OpenWeb("mqtt")
	if err != nil {
		t.Fail(probe.Failure{
			Why: "a WebSocket handshake succeeds", Sent: "a GET that offers the subprotocol mqtt",
			Acceptable: []string{"101 Switching Protocols"}, Got: err.Error(),
		})
	}
	return t.peer(web), web
}

// OpenWeb is the handshake alone, with the subprotocols that the client offers, none if it is
// empty; its error is that of [probe.OpenWeb]. The caller closes what it gets.
func (t *T) OpenWeb(subprotocols string) (*probe.Web, error) {
	u, err := url.Parse(t.target.Address)
	if err != nil {
		return nil, fmt.Errorf("the target's address: %w", err)
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.timings.Answer)
	defer cancel()
	socket, err := t.target.OpenSocket(ctx)
	if err != nil {
		t.Inconclusive(fmt.Sprintf("cannot connect: %v", err))
	}
	if t.stress {
		socket = probe.Stress(socket, t.rand.Uint64())
	}
	return probe.OpenWeb(ctx, socket, u.Host, u.RequestURI(), subprotocols)
}
