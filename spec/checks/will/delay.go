package will

import (
	"context"
	"time"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// delayed is a CONNECT of a Session that lasts for expiry seconds, with a will to be
// published delay seconds after the connection ends.
func delayed(t *conformance.T, topic string, expiry, delay uint32) octets.Connect {
	c := leaves(t, topic, "delayed")
	c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(expiry)}
	c.Will.Properties = octets.Properties{octets.WillDelayInterval.Prop(delay)}
	return c
}

var _ = conformance.Register(conformance.Check{
	Name:   "Delay",
	Takes:  2 * time.Second,
	Title:  "publishes the will when the Will Delay Interval has passed, and not before",
	Covers: statement.IDs(statement.V5("3.1.2-8"), statement.X5("3.1.2.5-2")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		t.ConnectWith(delayed(t, topic, 60, 2)).Close()
		lost := time.Now()
		w.Elapse(lost, time.Second, "the watcher stays connected")
		w.WantOnly(t.Connect(), octets.Publish{Topic: topic, Payload: "before"}, "the will waits for its delay")
		w.Elapse(lost, 2*time.Second, "the watcher stays connected")
		w.WantMessage(topic, "delayed", "the will is published after its delay")
		if late := time.Since(lost) - 2*time.Second; late > t.Timings().Slack {
			t.Nonstrict("published the will " + late.Round(time.Millisecond).String() + " after its delay")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "CancelledByReturn",
	Takes:  3 * time.Second,
	Title:  "does not publish a delayed will when the client resumes its Session in time",
	Covers: statement.V5("3.1.3-9", "3.1.2-8"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := delayed(t, topic, 60, 2)
		t.ConnectWith(c).Close()
		c.Will, c.Clean = nil, false
		back := t.ConnectWith(c)
		start, _ := back.LastSent()
		back.Elapse(start, 2*time.Second+t.Timings().Slack/2, "the client stays connected")
		noMore(t, w, topic, "a client that comes back in time cancels its will")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SessionEndsFirst",
	Title:  "publishes the will when the Session ends before the Will Delay Interval has passed",
	Covers: statement.X5("3.1.3.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		t.ConnectWith(delayed(t, topic, 0, 300)).Close()
		w.WantMessage(topic, "delayed", "a Session without expiry ends with the connection, and so does the delay")

		c := delayed(t, topic, 60, 300)
		t.ConnectWith(c).Close()
		c.Will = nil
		t.ConnectWith(c) // Clean Start
		w.WantMessage(topic, "delayed", "a clean start ends the Session, and so the delay")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "SessionExpiresFirst",
	Takes:  2 * time.Second,
	Title:  "publishes the will when the Session expires before the Will Delay Interval has passed",
	Covers: statement.X5("3.1.3.2.2-2"),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		t.ConnectWith(delayed(t, topic, 2, 300)).Close()
		lost := time.Now()
		w.Elapse(lost, 500*time.Millisecond, "the watcher stays connected")
		w.WantOnly(t.Connect(), octets.Publish{Topic: topic, Payload: "before"}, "the Session has not expired yet")
		w.Elapse(lost, 2*time.Second, "the watcher stays connected")
		w.WantMessage(topic, "delayed", "the Session has expired, and so the delay is over")
	},
})
