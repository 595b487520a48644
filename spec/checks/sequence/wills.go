package sequence

import (
	"context"
	"fmt"
	"slices"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/sequence"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:  "Wills",
	Title: "publishes the will of each connection that ends without DISCONNECT, and no other, through take-overs, delays and Sessions that end",
	Covers: statement.IDs(
		statement.V311("3.1.2-8", "3.1.2-10", "3.14.4-3"),
		statement.V5("3.1.2-8", "3.1.2-10", "3.14.4-3", "3.1.3-9"), statement.X5("3.1.3.2.2-2", "3.1.3.2.2-3"),
	),
	Needs: []target.Feature{target.QoS1},
	Steps: []sequence.Word{
		{Name: "connect", Weight: 4},
		{Name: "connect-clean", Weight: 4},
		{Name: "connect-delayed", Weight: 4},
		{Name: "connect-bare", Weight: 2},
		{Name: "cut", Weight: 5},
		{Name: "disconnect", Weight: 4},
		{Name: "ping", Weight: 2},
	},
	Run: func(_ context.Context, t *conformance.T) {
		const cases, steps = 4, 25
		t.Sequences(cases, steps, playWills)
	},
})

// playWills plays a case, and compares the wills that came with those that had to.
func playWills(t *conformance.T, c sequence.Case) {
	topic := t.Topic("will")
	w := t.Connect()
	w.Subscribe(octets.Subscription{Filter: topic, QoS: 1})
	o := &owner{t: t, c: t.LastingConnect(), topic: topic}
	steps := map[string]func(){
		"connect": func() { o.connect(true, false, false) }, "connect-clean": func() { o.connect(true, true, false) },
		"connect-delayed": func() { o.connect(true, false, true) }, "connect-bare": func() { o.connect(false, false, false) },
		"cut": o.cut, "disconnect": o.disconnect, "ping": o.ping,
	}
	for _, step := range c {
		steps[step]()
	}
	o.connect(false, true, false) // ends the Session, and so the wait for a will that is delayed
	wantWills(t, w, topic, nil, o.due, nil)
}

// wantWills wants the watcher to get the wills that are due, whether they have come already or not,
// and no others but those that may come.
func wantWills(t *conformance.T, w *probe.Peer, topic string, got, due, may []string) {
	for !containsAll(got, due) {
		m := next(t, w, fmt.Sprintf("the wills %q, of which %q have come", due, got))
		got = append(got, m.Payload)
		w.Ack(m)
	}
	t.Connect().Publish(octets.Publish{Topic: topic, Payload: "sentinel", QoS: 1})
	for {
		m := next(t, w, "the sentinel")
		if w.Ack(m); m.Payload == "sentinel" {
			break
		}
		got = append(got, m.Payload)
	}
	got = slices.DeleteFunc(got, func(x string) bool { return slices.Contains(may, x) })
	// Sorted copies, which are not nil even if there is none.
	got, due = append([]string{}, got...), append([]string{}, due...)
	slices.Sort(got)
	slices.Sort(due)
	t.Expect(slices.Compact(got)).To(gomega.Equal(due), "the wills that are published")
}

func containsAll(got, want []string) bool {
	for _, x := range want {
		if !slices.Contains(got, x) {
			return false
		}
	}
	return true
}

// owner is a client that leaves wills, and knows which of them have to be published.
type owner struct {
	t       *conformance.T
	c       octets.Connect
	topic   string
	p       *probe.Peer // nil while it is away
	will    string      // that of the connection, empty for none
	delayed bool        // will waits for an hour, or for the end of the Session
	waiting string      // a delayed will of a connection that has ended
	count   int
	due     []string
}

// connect connects, over a connection that stands if there is one: that is taken over.
func (o *owner) connect(will, clean, delayed bool) {
	c := o.c
	if c.Clean = clean; clean {
		c.Properties = nil
	}
	name := ""
	if will {
		o.count++
		name = fmt.Sprint("will ", o.count)
		c.Will = &octets.Will{Topic: o.topic, Payload: name, QoS: 1}
	}
	if delayed = delayed && o.t.V5(); delayed {
		c.Will.Properties = octets.Properties{octets.WillDelayInterval.Prop(3600)}
		c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(3600)}
	}
	old := o.p
	if old != nil {
		o.ended()
	}
	// A new connection cancels a will that waits, unless it ends the Session that the will is of.
	if o.waiting != "" && clean {
		o.due = append(o.due, o.waiting)
	}
	o.waiting = ""
	o.p = o.t.ConnectWith(c)
	o.will, o.delayed = name, delayed
	if old != nil {
		old.WantClose("a client that connects again takes over from itself")
		old.Close()
	}
}

// ended is what becomes of the will of a connection that ends without DISCONNECT.
func (o *owner) ended() {
	switch {
	case o.will == "":
	case o.delayed:
		o.waiting = o.will
	default:
		o.due = append(o.due, o.will)
	}
	o.p, o.will = nil, ""
}

func (o *owner) cut() {
	if o.p == nil {
		return
	}
	o.p.Close()
	o.ended()
}

func (o *owner) disconnect() {
	if o.p == nil {
		return
	}
	o.p.Disconnect()
	o.p, o.will = nil, ""
}

func (o *owner) ping() {
	if o.p != nil {
		o.p.Barrier("PINGREQ is answered")
	}
}
