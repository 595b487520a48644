package session

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// expiring is a CONNECT that resumes or begins a Session of this expiry, seconds.
func expiring(t *conformance.T, seconds uint32) octets.Connect {
	c := t.NewConnect()
	c.Clean = false
	c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(seconds)}
	return c
}

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryOver",
	Takes:  3 * time.Second,
	Title:  "discards the Session when its expiry interval has passed after the connection ended",
	Covers: statement.V5("4.1.0-2"),
	Run: func(_ context.Context, t *conformance.T) {
		c := expiring(t, 1)
		p := t.ConnectWith(c)
		expiry := time.Duration(p.Connack().Number(octets.SessionExpiryInterval, 1)) * time.Second
		if expiry > 5*time.Second {
			t.Unsupported("the target replaces the Session Expiry Interval by one that takes too long to wait for")
		}
		p.Send(octets.Disconnect{})
		p.Next(t.Timings().Answer) // the close shows that the target has seen DISCONNECT
		p.Close()
		waits, start := t.Connect(), time.Now()
		waits.Elapse(start, expiry+t.Timings().Slack, "another client stays connected")
		p = t.ConnectWith(c)
		if !p.Connack().SessionPresent {
			return
		}
		// Late is not the same as never: a server may look every few seconds only.
		p.Disconnect()
		waits.Elapse(time.Now(), expiry+4*t.Timings().Slack, "another client stays connected")
		t.Expect(t.ConnectWith(c).Connack().SessionPresent).To(gomega.BeFalse(), "Session Present long after the Session has expired")
		t.Nonstrict("discards an expired Session more than " + t.Timings().Slack.String() + " late")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryStartsWithEnd",
	Takes:  3 * time.Second,
	Title:  "does not lose a Session while its connection lasts, for longer than the expiry interval",
	Covers: statement.IDs(statement.V5("4.1.0-1"), statement.V311("4.1.0-1", "4.1.0-2")),
	Run: func(_ context.Context, t *conformance.T) {
		c, topic := t.LastingConnect(), t.Topic("a")
		if t.V5() {
			c = expiring(t, 2)
		}
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic})
		start, _ := p.LastSent()
		p.Elapse(start, 3*time.Second, "the client stays connected")
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "hello"})
		p.WantMessage(topic, "hello", "the Session of a connected client has its Subscription")
		p.Disconnect()
		p = t.ConnectWith(c)
		t.Expect(p.Connack().SessionPresent).To(gomega.BeTrue(), "Session Present right after a connection that lasted longer than the expiry interval")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NeverExpires",
	Title:  "keeps a Session whose expiry interval is the largest",
	Covers: statement.X5("3.1.2.11.2-3", "3.2.2.3.2-1"),
	Run: func(_ context.Context, t *conformance.T) {
		c := expiring(t, 0xFFFFFFFF)
		p := t.ConnectWith(c)
		if v, has := p.Connack().Prop(octets.SessionExpiryInterval); has {
			t.About(statement.X5("3.2.2.3.2-1"))
			t.Expect(v.Number).NotTo(gomega.Equal(uint32(0xFFFFFFFF)), "Session Expiry Interval in CONNACK, which is to be there if it differs from the client's")
			t.About()
			t.Info("replaces a Session Expiry Interval of 0xFFFFFFFF")
		}
		p.Disconnect()
		waits := t.Connect()
		waits.Elapse(time.Now(), 1200*time.Millisecond, "another client stays connected")
		t.Expect(t.ConnectWith(c).Connack().SessionPresent).To(gomega.BeTrue(), "Session Present for a Session that never expires")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryOfLastConnect",
	Title:  "uses the Session Expiry Interval of the last CONNECT, or the one it answers with",
	Covers: statement.X5("3.2.2.3.2-1", "3.1.2.11.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		c := expiring(t, 60)
		p := t.ConnectWith(c)
		kept := p.Connack().Number(octets.SessionExpiryInterval, 60)
		p.Disconnect()
		again := c
		again.Properties = nil
		p = t.ConnectWith(again)
		t.Expect(p.Connack().SessionPresent).To(gomega.Equal(kept > 0), "Session Present, by the Session Expiry Interval that holds (%d s)", kept)
		ends := p.Connack().Number(octets.SessionExpiryInterval, 0) == 0
		p.Disconnect()
		pause(t)
		t.Expect(t.ConnectWith(again).Connack().SessionPresent).To(gomega.Equal(!ends), "Session Present after a connection without Session Expiry Interval")
	},
})
