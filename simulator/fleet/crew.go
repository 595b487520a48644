package fleet

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reports/model"
	"mqttlab/simulator/device"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/payload"
	"mqttlab/simulator/scenario"

	core "mqttlab/reference-broker/core/client"
)

// crew is the devices and sinks of all groups, and their books.
type crew struct {
	scenario *scenario.Scenario
	engine   engine
	target   target
	logger   *slog.Logger
	start    time.Time     // all times of headers and books count from it
	origin   time.Duration // when the scenario's timetable begins
	run      uint32
	groups   []*group
	loops    [][]*device.Sensor // by loop
	radios   [][]*radio         // by loop, of the groups that have a power profile
}

// group is one group of the scenario.
type group struct {
	*scenario.Group
	first uint32 // number within the fleet of the first device
	book  *ledger.Book
	sink  *device.Sink

	source  *payload.Source
	traffic device.Traffic

	controller *device.Controller // nil: there is nothing to tell
	commands   *device.Commands   // nil: none
	image      *device.Image      // nil: none

	faults []model.Fault // of the record
	twins  bool          // some share a Client Identifier
}

func newCrew(s *scenario.Scenario, e engine, t target, run uint32, logger *slog.Logger) (*crew, error) {
	c := &crew{scenario: s, engine: e, target: t, logger: logger, start: e.now(), run: run}
	first := 0
	for i := range s.Groups {
		g := &s.Groups[i]
		source, err := payload.New(g.Payload)
		if err != nil {
			return nil, fmt.Errorf("payload of group %q: %w", g.Name, err)
		}
		c.groups = append(c.groups, &group{
			Group: g, first: uint32(first), source: source,
			book: ledger.New(ledger.Config{
				Run: run, FirstDevice: uint32(first), Devices: g.Count, QoS: int(g.QoS),
				LateAfter: g.LateAfter, Interval: s.Interval,
			}),
		})
		first += g.Count
	}
	return c, nil
}

// sinkExpiry is how long a target keeps the session of a sink whose connection broke; a sink that has finished takes it along.
const sinkExpiry = 5 * time.Minute

// sinkBackoff brings a sink back before any device: what is published without a subscriber is lost whoever is to blame.
var sinkBackoff = core.Backoff{Min: 20 * time.Millisecond, Max: 20 * time.Millisecond}

// startSinks makes all sinks connect. Each sends one value to ready.
func (c *crew) startSinks(ready chan<- error) error {
	for i, g := range c.groups {
		host, scratch, err := c.engine.sinkHost()
		if err != nil {
			return fmt.Errorf("sink of group %q: %w", g.Name, err)
		}
		connect := c.connect(g.Sink.Version, time.Minute)
		connect.CleanStart = true
		if g.Sink.Version == mqtt.V5 {
			connect.SessionExpiryInterval = uint32(sinkExpiry / time.Second)
		}
		sg := &device.SinkGroup{
			Common: device.Common{
				Start: c.start, Connect: connect, Reconnect: device.Reconnect{Backoff: sinkBackoff}, Logger: c.logger,
			},
			Book: g.book, TopicFilter: g.Sink.Filter, QoS: g.Sink.QoS,
			Ready: func(err error) { ready <- err },
		}
		id := device.Identity{
			ClientID: fmt.Sprintf("mqttlab-%08x-%d", c.run, i), // 18 bytes: MQTT 3.1 allows 23
			Seed:     seedOf(c.scenario.Seed, uint64(i), seedSink),
		}
		c.engine.on(sinkLoop, func() {
			g.sink = device.NewSink(sg, host, scratch, id)
			g.sink.StartAt(host.Now())
		})
	}
	return nil
}

// connect returns what CONNECT says to the target.
func (c *crew) connect(v mqtt.Version, keepAlive time.Duration) *mqtt.Connect {
	return &mqtt.Connect{
		Version: v, KeepAlive: uint16(keepAlive / time.Second),
		Username: c.target.username, Password: c.target.password,
	}
}

// startSensors makes all devices. Each group connects evenly over the scenario's ramp, which begins at origin.
func (c *crew) startSensors(origin time.Duration) error {
	c.origin = origin
	c.eachController(func(k *device.Controller) { k.Schedule(origin+c.scenario.Begin(), origin+c.scenario.End()) })
	for i, g := range c.groups {
		sg := c.sensorGroup(g, origin)
		patients := c.afflict(g)
		for index := range g.Count {
			host, scratch, loop, err := c.engine.sensorHost(i, index)
			if err != nil {
				return fmt.Errorf("group %q: %w", g.Name, err)
			}
			id := c.identity(g, index, sg.Connect, patients)
			c.equip(g, i, host, loop)
			s := device.NewSensor(sg, host, scratch, id)
			at := origin + c.scenario.Ramp*time.Duration(index)/time.Duration(g.Count)
			for len(c.loops) <= loop {
				c.loops = append(c.loops, nil)
			}
			c.loops[loop] = append(c.loops[loop], s)
			c.engine.on(loop, func() {
				s.StartAt(c.start.Add(at))
				c.schedule(host, s, patients, index)
			})
		}
	}
	c.engine.begin()
	return nil
}

// identity is what one device of a group has for itself.
func (c *crew) identity(g *group, index int, connect *mqtt.Connect, patients []patient) device.Identity {
	number := int(g.first) + index
	id := device.Identity{
		Number: uint32(number), ClientID: g.Expand(g.ClientID, index, number), Topic: g.Expand(g.Topic, index, number),
		Seed: seedOf(c.scenario.Seed, uint64(number), seedSensor), Connect: g.own(connect, index, number),
	}
	id.Names = payload.Names{Group: g.Name, Index: index, Number: number}
	if g.commands != nil {
		id.CommandTopic, id.AnswerTopic = g.Expand(g.Commands.Topic, index, number), g.Expand(g.Commands.AnswerTopic, index, number)
	}
	if patients != nil {
		id.Drift = patients[index].drift
		if other := patients[index].alias; other >= 0 {
			id.ClientID = g.Expand(g.ClientID, other, int(g.first)+other)
		}
	}
	return id
}

func (c *crew) sensorGroup(g *group, origin time.Duration) *device.SensorGroup {
	connect := c.connect(g.Version, g.KeepAlive)
	connect.CleanStart, connect.SessionExpiryInterval = g.CleanStart, uint32(g.SessionExpiry/time.Second)
	expiry := mqtt.Opt[uint32]{}
	if g.MessageExpiry > 0 {
		expiry = mqtt.Some(uint32(g.MessageExpiry / time.Second))
	}
	return &device.SensorGroup{
		Common: device.Common{
			Start: c.start, Connect: connect, Logger: c.logger, Traffic: &g.traffic,
			// A sensor keeps a message until it is acknowledged, whatever becomes of the session.
			Client: core.Config{MaxQueued: g.QueueMessages, QueueQoS0: g.QueueQoS0 || g.Behaviour != scenario.AlwaysOn, Requeue: true},
			Reconnect: device.Reconnect{
				Never:   g.Reconnect.Policy == scenario.Never,
				Backoff: core.Backoff{Min: g.Reconnect.Min, Max: g.Reconnect.Max, Jitter: g.Reconnect.Jitter},
			},
		},
		Book: g.book, Run: c.run, Pace: g.Pace, Begin: origin + c.scenario.Begin(), End: origin + c.scenario.End(),
		Stages: c.scenario.Stages, Payload: g.source, MinChange: g.MinChange,
		QoS: g.QoS, Retain: g.Retain, MessageExpiryInterval: expiry,
		Rest: device.Rest{
			Behaviour: device.Behaviour(g.Behaviour), Upload: g.Upload, Awake: g.Awake,
			Queue: g.QueueMessages, DropOldest: g.QueueDrop == scenario.DropOldest,
		},
		Commands: g.commands, Image: g.image, FetchFrom: origin + g.Firmware.Start, FetchSpread: g.Firmware.Spread,
	}
}

// own returns the CONNECT of one device, nil where it is the group's.
func (g *group) own(of *mqtt.Connect, index, number int) *mqtt.Connect {
	if g.Will.Topic == "" && g.Username == "" && g.Password == "" {
		return nil
	}
	own := *of
	if g.Username != "" {
		own.Username = mqtt.Some(g.Expand(g.Username, index, number))
	}
	if g.Password != "" {
		own.Password = mqtt.Some([]byte(g.Expand(g.Password, index, number)))
	}
	if g.Will.Topic != "" {
		own.Will = &mqtt.Will{
			Topic: g.Expand(g.Will.Topic, index, number), Payload: []byte(g.Will.Payload), QoS: g.Will.QoS, Retain: g.Will.Retain,
			DelayInterval: uint32(g.Will.Delay / time.Second),
		}
	}
	return &own
}

// atOnce is how many sensors a loop serves before it gets to what they have sent.
const atOnce = 256

// each calls f for every sensor, on its loop.
func (c *crew) each(f func(*device.Sensor)) {
	for loop, sensors := range c.loops {
		for some := range slices.Chunk(sensors, atOnce) {
			c.engine.on(loop, func() {
				for _, s := range some {
					f(s)
				}
			})
		}
	}
}

// finishSinks disconnects the sinks and takes their sessions along.
func (c *crew) finishSinks() {
	c.engine.on(sinkLoop, func() {
		for _, g := range c.groups {
			d := &mqtt.Disconnect{}
			if g.Sink.Version == mqtt.V5 {
				d.SessionExpiryInterval = mqtt.Some(uint32(0))
			}
			g.sink.Finish(d)
			if g.controller != nil {
				g.controller.Finish(d)
			}
		}
	})
}

// quiet reports whether no message is under way any more: none in the hands of a device, and none that may still reach its sink.
func (c *crew) quiet() bool {
	for _, g := range c.groups {
		if p := g.book.Progress(); p.Open > 0 || p.Held > 0 {
			return false
		}
		if g.talking() {
			return false
		}
	}
	return true
}

// sample ends one step of all series.
func (c *crew) sample(step int) {
	for i, g := range c.groups {
		g.book.Sample(step, carried(c.engine.wire(i)))
	}
}
