package device

import (
	"time"

	"mqttlab/reference-broker/mqtt"

	core "mqttlab/reference-broker/core/client"
)

// Tokens of what is no message of the schedule; those are below, as their sequence is.
const (
	tokenListen core.Token = 1 << 40 // + index of the ear
	tokenHush   core.Token = 1 << 41
	tokenAnswer core.Token = 1 << 42 // + number of the answer
)

// ear is one subscription of a Sensor.
type ear struct {
	filter string
	qos    mqtt.QoS
	wanted bool
	asking bool // SUBSCRIBE is sent, SUBACK has not come
	open   bool // the Server knows the subscription
}

// resumed follows a new connection.
func (e *ear) resumed(sessionPresent bool) {
	e.asking = false
	e.open = e.open && sessionPresent
}

// ears are the subscriptions of a Sensor. Those of an idle one cost nothing.
const (
	forCommands = iota
	forImage
	earCount
)

// listen asks for the subscriptions that are wanted and not there.
func (d *Sensor) listen(now time.Time) {
	if d.ears == nil || d.machine.State() != core.Connected {
		return
	}
	for i := range d.ears {
		e := &d.ears[i]
		switch {
		case e.wanted && !e.open && !e.asking:
			request := &mqtt.Subscribe{Subscriptions: []mqtt.Subscription{{TopicFilter: e.filter, QoS: e.qos}}}
			e.asking = d.machine.Subscribe(now, tokenListen+core.Token(i), request) == nil
		case !e.wanted && e.open:
			e.open = d.machine.Unsubscribe(now, tokenHush, &mqtt.Unsubscribe{TopicFilters: []string{e.filter}}) != nil
		}
	}
}

// listened takes a SUBACK.
func (d *Sensor) listened(i int, a *core.Action) {
	e := &d.ears[i]
	e.asking = false
	ack, ok := a.Packet.(*mqtt.Suback)
	e.open = a.Err == nil && ok && len(ack.ReasonCodes) == 1 && !ack.ReasonCodes[0].Failed()
	if a.Err == nil && !e.open {
		e.wanted = false
		d.common.Logger.Warn("device may not subscribe", "client", d.machine.ClientID(), "filter", e.filter)
	}
}

// talking reports whether a conversation of the Sensor is under way.
func (d *Sensor) talking() bool {
	for i := range d.ears {
		if e := &d.ears[i]; e.asking || e.wanted && !e.open {
			return true
		}
	}
	return len(d.answers) > 0 || d.unanswered > 0 || d.image != nil && d.image.underWay()
}

// wantsToTalk reports whether a Sensor that sleeps has to wake up for a conversation.
func (d *Sensor) wantsToTalk(now time.Time) bool {
	return d.image != nil && d.image.due(now.Sub(d.common.Start))
}
