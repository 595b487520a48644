package will

import (
	"context"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

var _ = conformance.Register(conformance.Check{
	Name:   "Retained",
	Title:  "retains a will that was left with Will Retain",
	Covers: statement.IDs(statement.V311("3.1.2-17"), statement.V5("3.1.2-15")),
	Needs:  []target.Feature{target.Retained},
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		c := leaves(t, topic, "kept")
		c.Will.Retain = true
		t.ConnectWith(c).Close()
		w.WantMessage(topic, "kept", "the will is published")
		late := watcher(t, topic)
		m := late.WantMessage(topic, "kept", "the will is the retained message of its topic")
		t.Expect(m.Retain).To(gomega.BeTrue(), "RETAIN of a retained message for a new subscription")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotRetained",
	Title:  "does not retain a will that was left without Will Retain",
	Covers: statement.IDs(statement.V311("3.1.2-16"), statement.V5("3.1.2-14")),
	Run: func(_ context.Context, t *conformance.T) {
		topic := t.Topic("will")
		w := watcher(t, topic)
		t.ConnectWith(leaves(t, topic, "gone by")).Close()
		w.WantMessage(topic, "gone by", "the will is published")
		watcher(t, topic).WantSilence("who comes later gets no will that is not retained")
	},
})
