package fleet

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
	"mqttlab/reports/model"
)

// cheat breaks the promises of QoS on purpose: each tenth PUBLISH to a sink is not sent, each seventh of the others is sent a second time under another Packet
// Identifier, as a new message.
type cheat struct {
	seen, swallowed, doubled atomic.Int64
}

// fake is the Packet Identifier of the second copies; the broker counts its own from 1.
const fake = 60_000

func (c *cheat) In(_ server.ConnID, frame []byte) broker.Tapped {
	switch mqtt.Type(frame[0] >> 4) {
	case mqtt.TypePuback, mqtt.TypePubrec:
		if int(frame[2])<<8|int(frame[3]) >= fake {
			return broker.Tapped{} // what the sink says of a second copy is not for the broker
		}
	}
	return broker.Pass(frame)
}

func (*cheat) Closing(server.ConnID) bool { return true }

func (c *cheat) Out(_ server.ConnID, frame []byte) broker.Tapped {
	if mqtt.Type(frame[0]>>4) != mqtt.TypePublish {
		return broker.Pass(frame)
	}
	d := wire.NewDecoder(wire.FromServer)
	d.Version = mqtt.V5
	packet, _, err := d.Next(frame)
	if err != nil {
		return broker.Pass(frame)
	}
	seen := c.seen.Add(1)
	switch {
	case seen%10 == 0:
		c.swallowed.Add(1)
		return broker.Tapped{}
	case seen%7 == 0:
		c.doubled.Add(1)
		copied := packet.(*mqtt.Publish).Clone()
		copied.PacketID = fake + uint16(c.doubled.Load())
		again, err := wire.Append(nil, mqtt.V5, copied)
		if err != nil {
			return broker.Pass(frame)
		}
		return broker.Tapped{Frames: [][]byte{bytes.Clone(frame), again}}
	}
	return broker.Pass(frame)
}

func TestBreachesAreToldWithTheirStatement(t *testing.T) {
	for qos, text := range map[mqtt.QoS]string{
		mqtt.AtLeastOnce: "{name: g, count: 10, interval: 50ms, qos: 1}",
		mqtt.ExactlyOnce: "{name: g, count: 10, interval: 50ms, qos: 2}",
	} {
		t.Run(fmt.Sprintf("QoS %d", qos), func(t *testing.T) {
			t.Parallel()
			c := &cheat{}
			_, url := startBroker(t, "127.0.0.1:0", broker.Config{Tap: c})
			g := mustRun(t, Options{Mode: model.Live, Target: url, Scenario: parse(t, `
name: cheated
duration: 1s
ramp: 100ms
settle: 200ms
drain: 5s
groups:
  - `+text)}).Fleet.Groups[0]
			want := []model.Breach{{Statement: "MQTT5-4.5.0-1", Text: "were acknowledged and never arrived", Messages: c.swallowed.Load()}}
			if qos == mqtt.ExactlyOnce {
				want = append(want, model.Breach{Statement: "MQTT311-4.3.3-2", Text: "arrived more than once at QoS 2", Messages: c.doubled.Load()})
			}
			if c.swallowed.Load() == 0 || c.doubled.Load() == 0 {
				t.Fatalf("the broker was honest: %d swallowed, %d doubled", c.swallowed.Load(), c.doubled.Load())
			}
			if diff := cmp.Diff(want, g.Breaches); diff != "" || g.Unjudged != "" {
				t.Errorf("(-want +got)\n%s\nunjudged: %q\n%+v", diff, g.Unjudged, g.Ledger[0])
			}
		})
	}
}

// TestHonestTroubleIsNoBreach: sessions that end and messages that expire excuse the target.
func TestHonestTroubleIsNoBreach(t *testing.T) {
	r := mustRun(t, Options{Mode: model.Virtual, Scenario: parse(t, `
name: honest
seed: 3
duration: 3m
ramp: 1s
settle: 1s
drain: 3m
groups:
  - {name: anew, count: 10, interval: 1s, qos: 2, keep_alive: 5s, reconnect: {min: 1s, max: 2s}, link: {up: {delay: 300ms, loss_ratio: 0.05}, down: {delay: 300ms, loss_ratio: 0.05}}}
  - {name: twins, count: 4, interval: 10s, qos: 1}
faults:
  - {kind: duplicate-client-id, groups: [twins], share: 0.25}
  - {kind: cable-unplug, groups: [anew], start: 1m, duration: 5s, spread: 2m}
`)})
	anew, twins := r.Fleet.Groups[0], r.Fleet.Groups[1]
	if l := anew.Ledger[0]; l.Duplicated == 0 {
		t.Errorf("%+v: want messages that were sent again in a new session, or this test shows nothing", l)
	}
	if anew.Breaches != nil || anew.Unjudged != "" {
		t.Errorf("breaches %+v, unjudged %q", anew.Breaches, anew.Unjudged)
	}
	if twins.Breaches != nil || twins.Unjudged == "" {
		t.Errorf("twins: breaches %+v, unjudged %q", twins.Breaches, twins.Unjudged)
	}
}
