package device

import (
	"fmt"
	"strconv"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// ControllerGroup describes a Controller: the other end of a group's conversations.
type ControllerGroup struct {
	Common
	// Commands are sent, one after another, to each of the group's devices; nil: none.
	Commands *Commands
	// Every is the time between two commands to one device.
	Every       time.Duration
	FirstDevice uint32
	Devices     int
	// CommandTopic returns where a device, by its index, listens, and AnswerTopic where it answers.
	CommandTopic, AnswerTopic func(index int) string
	// AnswerFilter matches all of AnswerTopic.
	AnswerFilter string
	// Image is published before Ready; nil: none.
	Image *Image
	// Ready is called once: with nil when answers are subscribed to and the image is with the target, or with why not. It must not call the Controller.
	Ready func(error)
}

// Controller sends commands and publishes images. Make one with NewController, and call StartAt.
type Controller struct {
	endpoint
	group     *ControllerGroup
	begin     time.Duration // of the commands, from the start of the run
	end       time.Duration // 0: they have no time yet, or no longer
	sent      int           // commands so far
	missing   int           // chunks that the target has not acknowledged
	started   bool
	subscribe bool
	listening bool
	clearing  bool
	ready     bool
}

// NewController returns a Controller that does nothing until StartAt.
func NewController(g *ControllerGroup, h Host, s *Scratch, id Identity) *Controller {
	c := &Controller{group: g, listening: g.Commands == nil}
	c.init(c, &g.Common, h, s, id)
	return c
}

func (c *Controller) connected(_ time.Time, ack *mqtt.Connack) {
	c.subscribe = c.group.Commands != nil && (!ack.SessionPresent || !c.listening)
}

func (c *Controller) work(now time.Time) time.Time {
	if c.machine.State() != core.Connected {
		return c.command(now)
	}
	if c.subscribe {
		c.subscribe = false
		request := &mqtt.Subscribe{Subscriptions: []mqtt.Subscription{{TopicFilter: c.group.AnswerFilter, QoS: c.group.Commands.QoS, RetainHandling: mqtt.NeverSendRetained}}}
		if err := c.machine.Subscribe(now, tokenListen, request); err != nil {
			c.report(err)
		}
	}
	if !c.started {
		c.started = true
		c.publishImage(now, c.group.Image)
	}
	if c.listening && c.missing == 0 {
		c.report(nil)
	}
	return c.command(now)
}

// publishImage hands all chunks to the machine, which sends them as the target takes them.
func (c *Controller) publishImage(now time.Time, i *Image) {
	if i == nil {
		return
	}
	for k := range i.Chunks {
		p := &mqtt.Publish{Topic: i.Topic + "/" + strconv.Itoa(k), QoS: mqtt.AtLeastOnce, Retain: true}
		if !c.clearing {
			p.Payload = i.chunk(k)
		}
		if err := c.machine.Publish(now, tokenAnswer, p); err != nil {
			c.report(fmt.Errorf("publish the image: %w", err))
			return
		}
		c.missing++
	}
}

// Clear takes the image off the target. Unfinished tells when that is done.
func (c *Controller) Clear() {
	c.clearing = true
	now := c.host.Now()
	c.publishImage(now, c.group.Image)
	c.flush(now)
}

// Unfinished returns how many messages about the image the target has not acknowledged.
func (c *Controller) Unfinished() int { return c.missing }

// Schedule says when commands are sent, from the start of the run.
func (c *Controller) Schedule(begin, end time.Duration) {
	c.begin, c.end = begin, end
	c.flush(c.host.Now())
}

// StopCommands sends no command after now.
func (c *Controller) StopCommands() {
	c.flush(c.host.Now())
	c.end = 0
}

// command sends the commands that are due: to each device in turn, at even distances.
func (c *Controller) command(now time.Time) time.Time {
	g := c.group
	if g.Commands == nil {
		return time.Time{}
	}
	for {
		// Products before the quotient: rounding must not add up over a long run.
		round, index := c.sent/g.Devices, c.sent%g.Devices
		at := c.begin + time.Duration(round)*g.Every + time.Duration(float64(g.Every)*float64(index)/float64(g.Devices))
		if at >= c.end {
			return time.Time{}
		}
		if at > c.since(now) {
			return c.common.Start.Add(at)
		}
		c.tell(now, at, round, index)
		c.sent++
	}
}

func (c *Controller) tell(now time.Time, at time.Duration, round, index int) {
	k := c.group.Commands
	h := ledger.Header{Run: k.Run, Device: c.group.FirstDevice + uint32(index), Sequence: uint32(round), Intended: at}
	k.Book.Sent(at, h)
	p := &mqtt.Publish{Topic: c.group.CommandTopic(index), QoS: k.QoS, Payload: make([]byte, k.PayloadBytes)}
	if c.common.Connect.Version == mqtt.V5 {
		p.ResponseTopic = c.group.AnswerTopic(index)
		p.CorrelationData = []byte(strconv.Itoa(c.sent))
	}
	h.Put(p.Payload)
	if err := c.machine.Publish(now, core.Token(c.sent), p); err != nil {
		k.Book.GaveUp(h, reason(err))
	}
}

// done follows SUBACK, the image and the commands.
func (c *Controller) done(now time.Time, token core.Token, a *core.Action) {
	g := c.group
	switch {
	case token == tokenListen:
		ack, ok := a.Packet.(*mqtt.Suback)
		if a.Err != nil {
			return
		}
		if c.listening = ok && len(ack.ReasonCodes) == 1 && !ack.ReasonCodes[0].Failed(); !c.listening {
			c.report(fmt.Errorf("subscribe to %q: the target refuses", g.AnswerFilter))
		}
	case token == tokenAnswer:
		c.missing--
		if a.Err != nil || a.Code.Failed() {
			c.report(fmt.Errorf("publish the image: the target refuses it (%v)", a.Code))
		}
	default:
		n := int(token)
		g.Commands.Book.Released(ledger.Header{Device: g.FirstDevice + uint32(n%g.Devices), Sequence: uint32(n / g.Devices)})
	}
}

func (c *Controller) report(err error) {
	if !c.ready {
		c.ready = true
		c.group.Ready(err)
	} else if err != nil {
		c.common.Logger.Error("controller failed", "client", c.machine.ClientID(), "error", err)
	}
}

func (c *Controller) disconnected(_ time.Time, err error) {
	if err != nil && !c.ready {
		c.retired = true
		c.report(err)
	}
}

// sending stamps the first transmission of a command.
func (c *Controller) sending(now time.Time, p *mqtt.Publish) {
	if h, ok := ledger.ParseHeader(p.Payload); ok && h.Sent == 0 {
		h.Sent = max(1, c.since(now))
		h.Put(p.Payload)
	}
}

// delivered takes an answer.
func (c *Controller) delivered(now time.Time, p *mqtt.Publish) {
	k := c.group.Commands
	if h, ok := ledger.ParseHeader(p.Payload); ok && k != nil && h.Run == k.Run && k.Book.Knows(h) {
		k.Book.Acknowledged(c.since(now), h)
	}
}

func (c *Controller) moved(time.Time, ledger.State, ledger.State) {}
