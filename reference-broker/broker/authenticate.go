package broker

import (
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// authenticate asks the Authenticator about a CONNECT or AUTH, in a goroutine of its own: the answer may take a look at a file or a network. There
// is at most one per connection, for the machine asks again only when it has the answer. The caller holds the hub's mutex.
func (b *Broker) authenticate(c *conn, p mqtt.Packet) {
	b.wg.Go(func() {
		var a server.Admission
		if u, ok := b.cfg.Authenticator.(UserAuthenticator); ok {
			a = u.AuthenticateUser(transport.Username(c.nc), c.id, p)
		} else {
			a = b.cfg.Authenticator.Authenticate(c.id, p)
		}
		b.hub.do(func(now time.Time) { b.hub.machine.Admit(now, c.id, a) })
	})
}
