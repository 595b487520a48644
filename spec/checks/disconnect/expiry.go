package disconnect

import (
	"context"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// expiring is a CONNECT with a Session Expiry Interval, or none if it is 0.
func expiring(t *conformance.T, seconds uint32) octets.Connect {
	c := t.NewConnect()
	if seconds > 0 {
		c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(seconds)}
	}
	return c
}

// present says whether the target has a Session for a client whose connection has ended,
// which may be a moment before the Session does.
func present(t *conformance.T, c octets.Connect) bool {
	t.Connect().Elapse(time.Now(), t.Timings().Settle, "another client stays connected")
	c.Clean, c.Properties = false, nil
	p := t.ConnectWith(c)
	defer p.Disconnect()
	return p.Connack().SessionPresent
}

func expiry(seconds uint32) octets.Disconnect {
	return octets.Disconnect{Properties: octets.Properties{octets.SessionExpiryInterval.Prop(seconds)}}
}

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryToZero",
	Title:  "ends the Session at once on a DISCONNECT with Session Expiry Interval 0",
	Covers: statement.X5("3.14.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		c := expiring(t, 60)
		p := t.ConnectWith(c)
		p.Send(expiry(0))
		ended(p, t)
		t.Expect(present(t, c)).To(gomega.BeFalse(), "Session Present after DISCONNECT with Session Expiry Interval 0")

		kept := expiring(t, 60)
		t.ConnectWith(kept).Disconnect()
		t.Expect(present(t, kept)).To(gomega.BeTrue(), "Session Present after a DISCONNECT that says nothing of the expiry")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryLengthened",
	Takes:  3 * time.Second,
	Title:  "keeps the Session for as long as DISCONNECT says, longer than CONNECT did",
	Covers: statement.X5("3.14.2.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		c := expiring(t, 1)
		p := t.ConnectWith(c)
		p.Send(expiry(60))
		ended(p, t)
		other, start := t.Connect(), time.Now()
		other.Elapse(start, 2*time.Second+t.Timings().Slack/2, "another client stays connected")
		t.Expect(present(t, c)).To(gomega.BeTrue(), "Session Present after 1 s as in CONNECT, before 60 s as in DISCONNECT")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ExpiryRaisedFromZero",
	Title:  "refuses a DISCONNECT that asks for a Session Expiry Interval when CONNECT had none, and publishes the will",
	Covers: statement.X5("3.14.2.2.2-3"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, props := range []octets.Properties{nil, {octets.SessionExpiryInterval.Prop(0)}} {
			c := t.NewConnect()
			c.Properties = props
			p, w, topic := leaves(t, c)
			p.Send(expiry(60))
			t.WantClosed(p, "a Session that ends with its connection cannot be prolonged", 0x82)
			w.Want(octets.PUBLISH, "a wrong DISCONNECT does not remove the will on "+topic)
			t.Expect(present(t, c)).To(gomega.BeFalse(), "Session Present after a DISCONNECT that was refused")
		}
	},
})
