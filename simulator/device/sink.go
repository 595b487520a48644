package device

import (
	"fmt"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// SinkGroup describes a Sink.
type SinkGroup struct {
	Common
	Book        *ledger.Book
	TopicFilter string
	QoS         mqtt.QoS
	// Ready is called once: with nil when the subscription stands, or with why it could not be made. It must not call the Sink.
	Ready func(error)
}

// Sink subscribes and enters what arrives into the ledger. Make one with NewSink, and call StartAt.
type Sink struct {
	endpoint
	group     *SinkGroup
	subscribe bool // as soon as the machine may be called
	ready     bool
}

// NewSink returns a Sink that does nothing until StartAt.
func NewSink(g *SinkGroup, h Host, s *Scratch, id Identity) *Sink {
	d := &Sink{group: g}
	d.init(d, &g.Common, h, s, id)
	return d
}

// connected subscribes, unless the Server still knows the subscription.
func (d *Sink) connected(_ time.Time, ack *mqtt.Connack) {
	d.subscribe = !ack.SessionPresent || !d.ready
	if d.subscribe && d.ready {
		d.group.Book.SessionEnded()
	}
	if !d.subscribe {
		d.common.Logger.Debug("sink resumed its session", "client", d.machine.ClientID())
	}
}

func (d *Sink) work(now time.Time) time.Time {
	if !d.subscribe {
		return time.Time{}
	}
	d.subscribe = false
	err := d.machine.Subscribe(now, 0, &mqtt.Subscribe{
		// Retained messages are of other runs.
		Subscriptions: []mqtt.Subscription{{TopicFilter: d.group.TopicFilter, QoS: d.group.QoS, RetainHandling: mqtt.NeverSendRetained}},
	})
	if err != nil {
		d.report(err)
	}
	return time.Time{}
}

// done is told of the SUBACK.
func (d *Sink) done(_ time.Time, _ core.Token, a *core.Action) {
	if a.Err != nil {
		return // the connection is lost, and disconnected told so
	}
	ack, ok := a.Packet.(*mqtt.Suback)
	switch {
	case !ok || len(ack.ReasonCodes) != 1:
		d.report(fmt.Errorf("subscribe to %q: the target's answer is not for one filter", d.group.TopicFilter))
	case ack.ReasonCodes[0].Failed():
		d.report(fmt.Errorf("subscribe to %q: %w", d.group.TopicFilter, ack.ReasonCodes[0]))
	default:
		if mqtt.QoS(ack.ReasonCodes[0]) < d.group.QoS {
			d.common.Logger.Warn("target granted less than was asked for", "filter", d.group.TopicFilter, "asked", d.group.QoS, "granted", ack.ReasonCodes[0])
		}
		d.group.Book.Granted(mqtt.QoS(ack.ReasonCodes[0]))
		d.report(nil)
	}
}

// report calls Ready for the first outcome.
func (d *Sink) report(err error) {
	if d.ready {
		if err != nil {
			d.common.Logger.Error("sink is deaf", "client", d.machine.ClientID(), "error", err)
		}
		return
	}
	d.ready = true
	d.group.Ready(err)
}

func (d *Sink) disconnected(_ time.Time, err error) {
	if err != nil && !d.ready {
		d.retired = true
		d.report(err)
	}
}

func (d *Sink) delivered(now time.Time, p *mqtt.Publish) {
	if h, ok := ledger.ParseHeader(p.Payload); ok {
		d.group.Book.Delivered(d.since(now), h)
		return
	}
	d.group.Book.Stray()
}

func (d *Sink) sending(time.Time, *mqtt.Publish) {}

func (d *Sink) moved(time.Time, ledger.State, ledger.State) {}
