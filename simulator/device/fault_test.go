package device

import (
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"
)

func TestSensorThatLosesPowerForgetsEverything(t *testing.T) {
	w := newWorld(t)
	w.version = mqtt.V5
	s, book := sensor(w, mqtt.AtLeastOnce, func(g *SensorGroup) {
		g.Connect = &mqtt.Connect{Version: mqtt.V5, SessionExpiryInterval: 3600}
		g.End = time.Hour
	})
	w.connect()
	w.run(5 * time.Second)
	w.want("the first message", "PUBLISH")
	s.LosePower()
	s.LosePower() // there is no more to lose
	if w.closed != "vanished" || book.Progress().States[ledger.Down] != 1 {
		t.Errorf("connection %q, states %v: want the device down without a word", w.closed, book.Progress().States)
	}
	w.run(40 * time.Second) // due at 15, 25, 35 and 45 s
	s.RestorePower()
	if l := book.Ledger(); l.Sent != 1 || l.Expired != 1 || l.GivenUp.NoPower != 1 || l.NotMade != 4 {
		t.Errorf("%+v: want the one in its hands given up, and four never made", l)
	}
	w.run(time.Second)
	if w.opened != 2 {
		t.Fatalf("%d connections, want a second one after the first wait of the policy", w.opened)
	}
	w.handler.Opened(w)
	if c := w.last[mqtt.TypeConnect].(*mqtt.Connect); !c.CleanStart {
		t.Error("without the memory of its session the device must not resume it")
	}
	w.answer(&mqtt.Connack{})
	w.want("only CONNECT", "CONNECT")
	w.run(9 * time.Second) // 55 s
	w.want("the schedule goes on", "PUBLISH")
	w.handler.Closed(nil)
	w.run(time.Second)
	w.handler.Opened(w)
	if c := w.last[mqtt.TypeConnect].(*mqtt.Connect); c.CleanStart {
		t.Error("the new session is not resumed")
	}
}

func TestUnpluggedSensorKeepsItsMessages(t *testing.T) {
	w := newWorld(t)
	s, book := sensor(w, mqtt.AtLeastOnce, nil)
	w.connect()
	w.run(4 * time.Second)
	s.Unplug()
	w.run(12 * time.Second) // due at 5 and 15 s
	w.want("nothing leaves", []string(nil)...)
	if l := book.Ledger(); l.Sent != 2 || l.Pending != 2 {
		t.Errorf("%+v: want two waiting in the device", l)
	}
	s.LosePower() // both at once: the cable alone does not bring it back
	s.Plug()
	w.run(time.Minute)
	if w.opened != 1 {
		t.Fatal("a device without power connected")
	}
	s.RestorePower()
	w.run(time.Second)
	w.handler.Opened(w)
	w.answer(&mqtt.Connack{})
	w.want("it is back, without the two", "CONNECT")
}

func TestDarkTimesOverlap(t *testing.T) {
	w := newWorld(t)
	s, _ := sensor(w, mqtt.AtLeastOnce, nil)
	s.Darken()
	s.Darken()
	s.Lighten()
	if !w.dark {
		t.Error("light before the end of the second outage")
	}
	s.Lighten()
	if w.dark {
		t.Error("dark after both")
	}
}

func TestDriftingClockGoesThereAndBack(t *testing.T) {
	for _, drift := range []float64{0.05, -0.05, 5e-5, -5e-5, 1e-9} {
		c := clock{drift}
		for _, d := range []time.Duration{0, 1, time.Second, 7*24*time.Hour + 12345, 366 * 24 * time.Hour} {
			// A timer set for d by the device's clock must find that clock at d or after it.
			if got := c.reads(c.truth(d) + roundingError); got < d || got > d+40 {
				t.Errorf("drift %g: a timer for %v goes off when the clock says %v", drift, d, got)
			}
		}
	}
	w := newWorld(t)
	g := benchGroup(1, mqtt.AtMostOnce)
	g.Pace.Interval, g.End = 10*time.Second, time.Hour
	s := NewSensor(g, w, NewScratch(), Identity{ClientID: "fast", Topic: "t", Drift: 0.1})
	s.StartAt(epoch)
	w.run(time.Microsecond)
	w.connect()
	w.run(101 * time.Second)
	if got := g.Book.Progress().Sent; got != 12 { // at 0, 10, ... 110 s by its own clock
		t.Errorf("%d messages in 101 s, want 12: the clock is a tenth fast", got)
	}
}
