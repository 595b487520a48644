package fleet

import (
	"context"
	"fmt"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// commandRun tells commands from messages: it is a bit of the number of the run.
const commandRun = 1 << 31

// startControllers makes the controllers of the groups that have something to hear, and returns how many. Each sends one value to ready.
func (c *crew) startControllers(ready chan<- error) (int, error) {
	n := 0
	for i, g := range c.groups {
		if g.Commands.Interval == 0 && g.Firmware.Bytes == 0 {
			continue
		}
		host, scratch, err := c.engine.sinkHost()
		if err != nil {
			return n, fmt.Errorf("controller of group %q: %w", g.Name, err)
		}
		cg := c.controllerGroup(g, ready)
		id := device.Identity{ClientID: fmt.Sprintf("mqttlab-%08x-c%d", c.run, i), Seed: seedOf(c.scenario.Seed, uint64(i), seedController)}
		c.engine.on(sinkLoop, func() {
			g.controller = device.NewController(cg, host, scratch, id)
			g.controller.StartAt(host.Now())
		})
		n++
	}
	return n, nil
}

func (c *crew) controllerGroup(g *group, ready chan<- error) *device.ControllerGroup {
	connect := c.connect(g.Sink.Version, time.Minute)
	connect.CleanStart = true
	if g.Sink.Version == mqtt.V5 {
		connect.SessionExpiryInterval = uint32(sinkExpiry / time.Second)
	}
	if k := &g.Commands; k.Interval > 0 {
		run := c.run ^ commandRun
		g.commands = &device.Commands{
			Run: run, QoS: k.QoS, Think: k.Think, PayloadBytes: k.PayloadBytes,
			Book: ledger.New(ledger.Config{
				Run: run, FirstDevice: g.first, Devices: g.Count, QoS: int(k.QoS), Interval: c.scenario.Interval, Commands: true,
			}),
		}
	}
	if f := &g.Firmware; f.Bytes > 0 {
		g.image = &device.Image{
			Run: c.run, Topic: g.Expand(f.Topic, 0, 0), Chunks: f.Chunks(), Bytes: f.Bytes, ChunkBytes: f.ChunkBytes, QoS: f.QoS,
			Book: ledger.NewDownloads(f.Chunks(), f.Bytes),
		}
	}
	topics := func(pattern string) func(int) string {
		return func(index int) string { return g.Expand(pattern, index, int(g.first)+index) }
	}
	return &device.ControllerGroup{
		Common: device.Common{
			Start: c.start, Connect: connect, Reconnect: device.Reconnect{Backoff: sinkBackoff}, Logger: c.logger,
			Client: core.Config{MaxQueued: 1_000_000, MaxInflight: 100, Requeue: true, QueueQoS0: true},
		},
		Commands: g.commands, Every: g.Commands.Interval, FirstDevice: g.first, Devices: g.Count, Image: g.image,
		CommandTopic: topics(g.Commands.Topic), AnswerTopic: topics(g.Commands.AnswerTopic), AnswerFilter: g.Filter(g.Commands.AnswerTopic),
		Ready: func(err error) { ready <- err },
	}
}

// eachController calls f for every controller, on its loop.
func (c *crew) eachController(f func(*device.Controller)) {
	c.engine.on(sinkLoop, func() {
		for _, g := range c.groups {
			if g.controller != nil {
				f(g.controller)
			}
		}
	})
}

// talking reports whether a command or an image is under way.
func (g *group) talking() bool {
	if g.commands != nil {
		if p := g.commands.Book.Progress(); p.Open > 0 || p.Acknowledged < p.Reached {
			return true
		}
	}
	return g.image != nil && g.image.Book.UnderWay() > 0
}

// clearing is how long it may take to take the images off the target.
const clearing = 10 * time.Second

// clearImages leaves nothing behind on the target.
func (r *run) clearImages() {
	r.eachController(func(c *device.Controller) { c.Clear() })
	for end := r.engine.now().Add(clearing); r.engine.now().Before(end); {
		left := 0
		r.eachController(func(c *device.Controller) { left += c.Unfinished() })
		if left == 0 {
			return
		}
		_ = r.engine.pass(context.Background(), r.engine.now().Add(drainSteps))
	}
	r.logger.Warn("the target did not take all images off: retained messages are left on it")
}

// conversations adds commands and images to a group's record.
func (g *group) conversations(out *model.Group) error {
	if g.commands != nil {
		latencies, err := g.commands.Book.Latency()
		if err != nil {
			return fmt.Errorf("commands: %w", err)
		}
		out.Commands = &model.Commands{Ledger: g.commands.Book.Ledger(), Latency: latencies}
	}
	if g.image != nil {
		var err error
		if out.Downloads, err = g.image.Book.Model(); err != nil {
			return fmt.Errorf("firmware: %w", err)
		}
	}
	return nil
}
