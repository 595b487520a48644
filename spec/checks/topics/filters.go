// Package topics checks Topic Names and Topic Filters: which are valid, and which match.
package topics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// suback is the SUBACK of a reaction with one code, 0xFF if there is none.
func suback(r conformance.Reaction) byte {
	i := slices.IndexFunc(r.Packets, func(p *octets.Received) bool { return p.Type == octets.SUBACK && len(p.Codes) == 1 })
	if i < 0 {
		return 0xFF
	}
	return r.Packets[i].Codes[0]
}

// wantRefused wants a SUBSCRIBE to an invalid filter refused, in SUBACK or by a close.
func wantRefused(t *conformance.T, why string, filters ...string) {
	for _, filter := range filters {
		p := t.Connect()
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: filter}}})
		t.OneOf(p, why+": "+filter,
			conformance.Where("SUBACK that refuses", true, func(r conformance.Reaction) bool { return suback(r) >= 0x80 && suback(r) != 0xFF }),
			conformance.Closed())
	}
}

// wantGranted wants filters granted, and a message to each of the names delivered.
func wantGranted(t *conformance.T, publisher *probe.Peer, filter string, names ...string) {
	p := t.Connect()
	p.Subscribe(octets.Subscription{Filter: filter})
	for _, name := range names {
		publisher.Publish(octets.Publish{Topic: name, Payload: "x"})
		m := p.Want(octets.PUBLISH, name+" matches "+filter)
		for m.Topic != name { // a filter without a prefix of ours brings messages of others
			m = p.Want(octets.PUBLISH, name+" matches "+filter)
		}
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "HashPlace",
	Title:  "takes # alone or behind the last /, and refuses it anywhere else",
	Covers: statement.IDs(statement.V311("4.7.1-2"), statement.V5("4.7.1-1")),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		wantRefused(t, "# stands alone in the last level", t.Topic("a#"), t.Topic("a/#/b"), "#/"+t.Topic("a"), t.Topic("#a"), t.Topic("a/b#"), t.Topic("##"), t.Topic("#/"), t.Topic("#/#"), t.Topic("+#"), t.Topic("a/#+"))
		publisher := t.Connect()
		wantGranted(t, publisher, t.Topic("a/#"), t.Topic("a/b"))
		wantGranted(t, publisher, t.Topic("/#"), t.Topic("/b"))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "PlusPlace",
	Title:  "takes + where it fills a level, and refuses it elsewhere",
	Covers: statement.IDs(statement.V311("4.7.1-3"), statement.V5("4.7.1-2")),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		wantRefused(t, "+ fills a whole level", t.Topic("a+"), t.Topic("a/b+/c"), t.Topic("+a"), t.Topic("++"), t.Topic("a/+b"), t.Topic("a/b+"), "a+/"+t.Topic("b"))
		publisher := t.Connect()
		wantGranted(t, publisher, t.Topic("+"), t.Topic("a"))
		wantGranted(t, publisher, t.Topic("a/+/c"), t.Topic("a/b/c"))
		wantGranted(t, publisher, t.Topic("+/+/#"), t.Topic("a/b/c"), t.Topic("a/b"))
		wantGranted(t, publisher, "+/"+t.Topic("a")[len("mqttlab/"):], t.Topic("a"))
		wantGranted(t, publisher, "+/+/+", t.Topic("a"))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WildcardInName",
	Title:  "refuses a wildcard in the Topic Name of a PUBLISH or a Will Message",
	Covers: statement.IDs(statement.V311("4.7.1-1"), statement.V5("4.7.0-1")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, name := range []string{"+", "a/#", "a+", "a/+/b"} {
			const why = "a Topic Name holds no wildcards"
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic(name), Payload: "x", QoS: t.Limits().MaximumQoS, ID: 1})
			if t.V5() {
				t.OneOf(p, why, conformance.ClosedWith(0x90, 0x81, 0x82), conformance.Closed(),
					conformance.Answered(octets.PUBACK, 0x90), conformance.Answered(octets.PUBREC, 0x90))
			} else {
				t.OneOf(p, why, conformance.Closed())
			}
			c := t.NewConnect()
			c.Will = &octets.Will{Topic: t.Topic(name), Payload: "x"}
			p = t.Dial()
			p.Send(c)
			t.OneOf(p, "a Will Topic holds no wildcards", conformance.ClosedWith(0x90, 0x81, 0x82), conformance.Closed())
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NullInName",
	Title:  "closes the Network Connection on a Topic Name with U+0000",
	Covers: statement.IDs(statement.V311("4.7.3-2", "1.5.3-2"), statement.V5("4.7.3-2", "1.5.4-2")),
	Run: func(_ context.Context, t *conformance.T) {
		for _, name := range []string{"a\x00b", "\x00", "a/\x00"} {
			p := t.Connect()
			p.Send(octets.Publish{Topic: t.Topic(name), Payload: "x"})
			t.WantClosed(p, "a Topic Name holds no U+0000", 0x81, 0x90)
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "DeepLevels",
	Title:  "takes as many levels as a Topic Name has room for",
	Covers: statement.X5("4.7.3-1"),
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		name := t.Topic("")
		for range 60 {
			name += "level/"
		}
		p.Subscribe(octets.Subscription{Filter: name})
		p.Publish(octets.Publish{Topic: name, Payload: "x"})
		p.WantMessage(name, "x", "the number of levels has no limit")
	},
})

// A filter of tens of thousands of levels has killed a broker that went down the levels by
// recursion (eclipse/mosquitto, CVE-2019-11779).
var _ = conformance.Register(conformance.Check{
	Name:      "VeryDeepLevels",
	Title:     "survives a filter and a name of 60,000 levels",
	Covers:    statement.X5("4.7.3-1"),
	Exclusive: true, // it keeps some brokers busy for long
	Run: func(_ context.Context, t *conformance.T) {
		most := t.Limits().MaximumPacketSize
		name := make([]byte, 60000)
		if most != 0 && int(most) < len(name)+100 {
			name = name[:most/2]
		}
		for i := range name {
			name[i] = '/'
		}
		p, filter := t.Connect(), t.Topic(string(name))
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: filter}}})
		ack := patiently(t, p, octets.SUBACK)
		granted := ack != nil && len(ack.Codes) == 1 && ack.Codes[0] < 0x80
		if ack == nil {
			p = t.Connect()
		}
		p.Send(octets.Publish{Topic: filter, Payload: "deep"}, octets.Pingreq{})
		open := patiently(t, p, octets.PINGRESP) != nil
		if open && granted {
			p.Send(octets.Unsubscribe{ID: 2, Filters: []string{filter}}) // forgetting it may take long, too
			patiently(t, p, octets.UNSUBACK)
		}
		q, topic := t.Connect(), t.Topic("a")
		q.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: topic}}})
		patiently(t, q, octets.SUBACK)
		q.Publish(octets.Publish{Topic: topic, Payload: "x"})
		q.WantMessage(topic, "x", "the target goes on")
		if !open || !granted {
			t.Info("has a limit on the number of levels")
		}
	},
})

// patiently returns the next packet of a type, nil if the target closes the connection. It waits longer than an answer may take: that
// a broker is slow with levels by the thousand breaks no statement.
func patiently(t *conformance.T, p *probe.Peer, answer octets.Type) *octets.Received {
	limit := 10 * t.Timings().Answer
	for deadline := time.Now().Add(limit); ; {
		switch e := p.Next(time.Until(deadline)); {
		case e.Packet != nil && e.Packet.Type == answer:
			return e.Packet
		case e.End != nil:
			return nil
		case e.Packet == nil:
			t.Fail(probe.Failure{
				Why: "the number of levels has no limit but the length of the string", Silent: true,
				Acceptable: []string{answer.String(), "the connection is closed"}, Got: fmt.Sprintf("nothing within %v", limit),
			})
		}
	}
}
