// Package restart checks what a server has after it went down and came back. Each check is there
// twice: for a server that is stopped in good order, and for one that is killed.
//
// # What is asked of a server
//
// No statement says in so many words that a Session survives the end of the server's process: it
// lasts until it expires (4.1), and the standard remarks that what is stored can be lost by failures
// and by decisions of an administrator. So a server that has forgotten the Session, and says so by
// Session Present 0, is recorded as info. But one that says Session Present 1 says that it has the
// Session, and then all of it has to be there: Subscriptions, messages that it has acknowledged,
// Packet Identifiers of QoS 2. After a kill a part may be missing that was not on disk yet; no
// statement promises more of a server that lost its power, so that is nonstrict.
package restart

import (
	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// outage is how a server goes down.
type outage struct{ name, title string }

var (
	stopped = outage{"Stopped", "after it was stopped and started"}
	killed  = outage{"Killed", "after it was killed and started"}
)

// happens makes the target go down and come back. What fails afterwards is a breach only if it
// could close its files.
func (o outage) happens(t *conformance.T) {
	if o == killed {
		t.Crash()
		t.Lenient()
		return
	}
	t.Restart()
}

// lasting is a CONNECT whose Session outlives any restart.
func lasting(t *conformance.T) octets.Connect {
	c := t.LastingConnect()
	if t.V5() {
		c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(3600)}
	}
	return c
}

// resume connects again. It says whether the target has the Session; if it has none, that is
// recorded, and nothing of the old one may come.
func resume(t *conformance.T, c octets.Connect) (*probe.Peer, bool) {
	p := t.ConnectWith(c)
	if p.Connack().SessionPresent {
		return p, true
	}
	t.Info("the Session did not outlive the restart")
	p.WantSilence("a new Session holds nothing of the old one")
	return p, false
}

// each registers a check for both outages.
func each(name, title string, covers []statement.ID, needs []target.Feature, run func(t *conformance.T, o outage)) bool {
	for _, o := range []outage{stopped, killed} {
		conformance.Register(conformance.Check{
			Name: name + o.name, Area: "restart", Title: title + " " + o.title, Covers: covers,
			Needs: append([]target.Feature{target.Restart}, needs...), Exclusive: true, Run: body(run, o),
		})
	}
	return true
}

var _ = each("Session", "has the Subscriptions and the queue of a Session that it says it has",
	statement.IDs(statement.V311("3.1.2-4", "3.1.2-5", "4.1.0-1"), statement.V5("3.1.2-5", "3.1.2-23"), statement.X5("4.1-2", "4.1-3")),
	[]target.Feature{target.QoS1},
	func(t *conformance.T, o outage) {
		c, topic := lasting(t), t.Topic("a")
		p := t.ConnectWith(c)
		p.Subscribe(octets.Subscription{Filter: topic, QoS: t.Limits().MaximumQoS})
		p.Disconnect()
		publisher := t.Connect()
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			publisher.Publish(octets.Publish{Topic: topic, Payload: "while away", QoS: qos})
		}
		o.happens(t)
		p, found := resume(t, c)
		if !found {
			return
		}
		for qos := byte(1); qos <= t.Limits().MaximumQoS; qos++ {
			p.Ack(p.WantMessage(topic, "while away", "a message that was acknowledged is in the Session"))
		}
		p.WantSilence("each message is delivered once")
		t.Connect().Publish(octets.Publish{Topic: topic, Payload: "afterwards"})
		p.WantMessage(topic, "afterwards", "the Session has its Subscription")
	})

var _ = each("Retained", "has the latest retained message of a topic or none, and none that was removed,",
	statement.IDs(statement.V311("3.3.1-5", "3.3.1-10"), statement.V5("3.3.1-5", "3.3.1-6")),
	[]target.Feature{target.Retained, target.QoS1},
	func(t *conformance.T, o outage) {
		replaced, removed := t.Topic("replaced"), t.Topic("removed")
		p := t.Connect()
		for _, m := range []octets.Publish{{Topic: replaced, Payload: "first"}, {Topic: replaced, Payload: "second"}, {Topic: removed, Payload: "gone"}, {Topic: removed}} {
			m.Retain, m.QoS = true, 1
			p.Publish(m)
		}
		o.happens(t)
		p = t.Connect()
		p.Subscribe(octets.Subscription{Filter: replaced}, octets.Subscription{Filter: removed})
		found := p.Messages(2, "the connection of a subscriber stays")
		if len(found) == 0 {
			t.Info("retained messages did not outlive the restart")
		}
		for _, m := range found {
			t.Expect(m.Topic).To(gomega.Equal(replaced), "the topic of a retained message after the restart")
			t.Expect(m.Payload).To(gomega.Equal("second"), "the payload of a retained message that replaced another")
			t.Expect(m.Retain).To(gomega.BeTrue(), "RETAIN of a retained message for a new subscription")
		}
	})
