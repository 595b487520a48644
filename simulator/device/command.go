package device

import (
	"bytes"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// Commands is what a group's devices are told and answer.
type Commands struct {
	// Run tells commands from the messages of the schedule; both have the same header.
	Run  uint32
	Book *ledger.Book
	QoS  mqtt.QoS
	// Think is how long a device takes to answer.
	Think time.Duration
	// PayloadBytes of commands and of answers.
	PayloadBytes int
}

// answer is one that the device still has to give.
type answer struct {
	at      time.Time
	publish *mqtt.Publish
}

// keptAnswers bounds what a device that can't send remembers.
const keptAnswers = 100

// gotCommand enters a command and plans its answer. The answer goes where the command says, in 5.0, or to the topic that was agreed on.
func (d *Sensor) gotCommand(now time.Time, p *mqtt.Publish, h ledger.Header) {
	c := d.group.Commands
	c.Book.Delivered(d.since(now), h)
	if len(d.answers) >= keptAnswers {
		return
	}
	a := &mqtt.Publish{Topic: d.answerTopic, QoS: c.QoS, Payload: make([]byte, c.PayloadBytes)}
	if p.ResponseTopic != "" {
		a.Topic = p.ResponseTopic
		a.CorrelationData = bytes.Clone(p.CorrelationData)
	}
	h.Put(a.Payload)
	d.answers = append(d.answers, answer{now.Add(c.Think), a})
}

// reply gives the answers that are due. It returns when the next one is.
func (d *Sensor) reply(now time.Time) time.Time {
	for len(d.answers) > 0 && d.machine.State() == core.Connected {
		a := d.answers[0]
		if now.Before(a.at) {
			return a.at
		}
		d.answers = d.answers[1:]
		if err := d.machine.Publish(now, tokenAnswer, a.publish); err != nil {
			d.complain(err)
			continue
		}
		d.unanswered++
	}
	return time.Time{}
}
