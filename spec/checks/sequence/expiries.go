package sequence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/sequence"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// The intervals that a case draws: one that a wait outlasts, and one that outlasts the case. Seconds.
const short, long = 1, 600

var _ = conformance.Register(conformance.Check{
	Name:  "Expiries",
	Takes: 6 * time.Second,
	Title: "ends messages, Sessions and the delays of wills when their time is over, and keeps what has time left",
	Covers: statement.IDs(
		statement.V5("3.3.2-5", "4.5.0-1", "4.1.0-1", "4.1.0-2", "3.1.2-23", "3.1.2-8", "3.1.3-9"), statement.X5("3.1.3.2.2-2"),
	),
	Needs: []target.Feature{target.QoS1, target.QoS2},
	Steps: []sequence.Word{
		{Name: "connect", Weight: 2},
		{Name: "connect-short", Weight: 2},
		{Name: "connect-narrow", Weight: 3},
		{Name: "cut", Weight: 3},
		{Name: "disconnect", Weight: 1},
		{Name: "publish", Weight: 3},
		{Name: "publish-short", Weight: 8},
		{Name: "acknowledge", Weight: 2},
		{Name: "wait", Weight: 2},
	},
	Run: func(_ context.Context, t *conformance.T) {
		const cases, steps = 32, 10
		t.Sequences(cases, steps, playExpiries)
	},
})

// playExpiries plays a case, waits if it has not, lets the device get what is left for it, and compares the wills.
func playExpiries(t *conformance.T, c sequence.Case) {
	d := newDevice(t)
	steps := map[string]func(){
		"connect":        func() { d.connect(connection{expiry: long, delay: short}) },
		"connect-short":  func() { d.connect(connection{expiry: short, delay: long}) },
		"connect-narrow": func() { d.connect(connection{expiry: long, window: 1}) },
		"cut":            func() { d.leave(cut) }, "disconnect": func() { d.leave(leave) },
		"publish": func() { d.publish(long) }, "publish-short": func() { d.publish(short) },
		"acknowledge": d.acknowledge, "wait": d.wait,
	}
	for _, step := range c {
		steps[step]()
	}
	d.wait()
	if d.p == nil {
		d.connect(connection{expiry: long})
	}
	d.finish(d.lasting)
	d.leave(leave)
	wantWills(t, d.watcher, d.topic, d.came, d.due, d.may)
}

// connection is how a device connects: with a Session Expiry Interval, with a will of this Will Delay
// Interval and a Receive Maximum if they are not 0. Seconds.
type connection struct{ expiry, delay, window uint32 }

// will is the will of a connection, or one that waits for its delay. Without a payload it is none.
type will struct {
	payload string
	delay   time.Duration
}

// device is a receiver that is away at times, and what has to become of what waits for it. Where a
// wait was neither surely too short nor surely long enough, it follows the target.
type device struct {
	*receiver   // its p is nil while it is away
	publisher   *probe.Peer
	watcher     *probe.Peer // of wills
	topic       string      // of wills
	sent, wills int
	waited      bool // once is enough, as it takes seconds

	expiry  time.Duration        // of the Session
	left    time.Time            // when it left
	last    will                 // of the connection
	waiting will                 // of the last connection, while it is away
	lasting messages             // of this Session that do not expire
	expires map[string]time.Time // payloads of those that do, as long as no wait was long enough
	expired map[string]bool      // payloads of those that no connection may begin to deliver
	before  map[string]bool      // payloads of all messages for Sessions that have ended
	came    []string             // wills that have come
	due     []string             // wills that must
	may     []string             // wills that may
}

func newDevice(t *conformance.T) *device {
	d := &device{
		receiver: &receiver{t: t, c: t.LastingConnect()}, publisher: t.Connect(), watcher: t.Connect(), topic: t.Topic("will"),
		before: map[string]bool{},
	}
	d.judge = d.timely
	d.watcher.Subscribe(octets.Subscription{Filter: d.topic, QoS: 1})
	d.connect(connection{expiry: long})
	return d
}

// connect leaves the connection that stands, if there is one, and comes back.
func (d *device) connect(how connection) {
	d.leave(cut)
	c := d.c
	c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(how.expiry)}
	if how.window > 0 { // whether it is kept is for other checks
		c.Properties = append(c.Properties, octets.ReceiveMaximum.Prop(how.window))
	}
	d.last = will{}
	if how.delay > 0 {
		d.wills++
		d.last = will{fmt.Sprint("will ", d.wills), time.Duration(how.delay) * time.Second}
		c.Will = &octets.Will{Topic: d.topic, Payload: d.last.payload, QoS: 1, Properties: octets.Properties{octets.WillDelayInterval.Prop(how.delay)}}
	}
	atLeast := time.Since(d.left)
	d.p = d.t.ConnectWith(c)
	atMost := time.Since(d.left)
	d.owed, d.under = nil, map[uint16]bool{}
	if d.p.Connack().SessionPresent && d.expires != nil {
		d.resume(atLeast, atMost)
	} else {
		d.begin(atMost)
	}
	d.expiry = time.Duration(d.p.Connack().Number(octets.SessionExpiryInterval, how.expiry)) * time.Second
}

// over says that an interval has passed after so much time, however late the target looks.
func (d *device) over(interval, passed time.Duration) bool {
	return passed >= interval+d.t.Timings().Slack
}

// runs says that an interval has not passed after so much time, also if it is counted in whole seconds.
func runs(interval, passed time.Duration) bool { return passed < interval-time.Second }

// resume is to find the Session again.
func (d *device) resume(atLeast, atMost time.Duration) {
	late := d.over(d.expiry, atLeast)
	if late { // it is not the same as never, which session/ExpiryOver is about
		d.t.Nonstrict("discards an expired Session more than " + d.t.Timings().Slack.String() + " late")
	}
	switch w := d.waiting; {
	case w.payload == "" || runs(w.delay, atMost) && !late:
	case d.over(w.delay, atLeast):
		d.due = append(d.due, w.payload)
	default:
		d.may = append(d.may, w.payload)
	}
	d.waiting = will{}
	d.take()
}

// begin is to find no Session: nothing of the last one comes any more, save its will.
func (d *device) begin(atMost time.Duration) {
	if d.expires != nil { // not the first
		d.t.About(statement.V5("3.1.2-23"))
		d.t.Expect(runs(d.expiry, atMost)).To(gomega.BeFalse(), "no Session, %v after a connection with a Session Expiry Interval of %v", atMost.Round(time.Millisecond), d.expiry)
		d.t.About()
	}
	if d.waiting.payload != "" {
		d.due = append(d.due, d.waiting.payload)
	}
	d.waiting = will{}
	for n := range d.sent {
		d.before[payload(n+1)] = true
	}
	d.held, d.lasting, d.expires, d.expired = map[uint16]bool{}, nil, map[string]time.Time{}, map[string]bool{}
	d.p.Subscribe(octets.Subscription{Filter: d.t.Topic("a"), QoS: 2})
	d.take()
}

// leave ends the connection; a will is not for DISCONNECT.
func (d *device) leave(how end) {
	if d.p == nil {
		return
	}
	if how == cut {
		d.p.Close()
		d.waiting = d.last
	} else {
		d.p.Disconnect()
	}
	d.p, d.left = nil, time.Now()
}

func payload(n int) string { return fmt.Sprint("message ", n) }

// publish has a message accepted that expires after so many seconds. What may expire has QoS 1, as what is sent with QoS 2 no
// longer does, see qos/SentDoesNotExpire.
func (d *device) publish(expiry uint32) {
	d.sent++
	m := octets.Publish{
		Topic: d.t.Topic("a"), Payload: payload(d.sent), QoS: 1,
		Properties: octets.Properties{octets.MessageExpiryInterval.Prop(expiry)},
	}
	if expiry == long {
		m.QoS = 2
	}
	d.publisher.Publish(m)
	if expiry == long {
		d.lasting = append(d.lasting, message{m.Topic, m.Payload, m.QoS})
	} else {
		d.expires[m.Payload] = time.Now()
	}
}

// acknowledge takes what has come, and sends the first acknowledgement that is owed.
func (d *device) acknowledge() {
	if d.p != nil {
		d.take()
		d.receiver.acknowledge()
	}
}

// wait outlasts what is short. What has not come by then, and has not been on its way to a connection
// that was lost, is not to come.
func (d *device) wait() {
	if d.waited {
		return
	}
	d.waited = true
	d.watcher.Elapse(time.Now(), short*time.Second+d.t.Timings().Slack, "the watcher stays connected")
	for _, m := range d.watcher.Barrier("the watcher stays connected") {
		d.came = append(d.came, m.Payload)
		d.watcher.Ack(m)
	}
	d.publisher.Barrier("the publisher stays connected")
	if d.p != nil {
		d.take()
	}
	for m, accepted := range d.expires {
		if d.over(short*time.Second, time.Since(accepted)) {
			delete(d.expires, m)
			d.expired[m] = !slices.Contains(d.got, message{d.t.Topic("a"), m, 1})
		}
	}
}

// timely judges a message that comes. One that is sent again has been on its way before.
func (d *device) timely(m *octets.Received) {
	d.t.About(statement.V5("4.1.0-2"))
	d.t.Expect(d.before[m.Payload]).To(gomega.BeFalse(), "%q is of a Session that has ended, and is delivered", m.Payload)
	d.t.About(statement.V5("3.3.2-5"))
	d.t.Expect(d.expired[m.Payload] && !m.Dup).To(gomega.BeFalse(), "%q has expired, and its delivery begins", m.Payload)
	d.t.About()
}
