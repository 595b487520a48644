package device

import (
	"log/slog"
	"runtime"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// void is a Host on which nothing happens by itself.
type void struct {
	now     time.Time
	handler Handler
	timer   func()
	sent    [2]byte // Packet Identifier of the last PUBLISH on benchTopic
}

const benchTopic = "bench/topic"

func (v *void) Now() time.Time          { return v.now }
func (v *void) Open(h Handler) error    { v.handler = h; return nil }
func (v *void) NewTimer(f func()) Timer { v.timer = f; return v }
func (v *void) Set(time.Time)           {}
func (v *void) Stop() bool              { return false }
func (v *void) Vanish()                 {}
func (v *void) Return()                 {}
func (v *void) SetDark(bool)            {}
func (v *void) Close()                  {}
func (v *void) Abort()                  {}

func (v *void) Send(p []byte) int {
	const at = 2 + 2 + len(benchTopic) // fixed header, length of the topic, topic
	if len(p) > at+1 {
		v.sent = [2]byte(p[at:])
	}
	return len(p)
}

func benchGroup(devices int, qos mqtt.QoS) *SensorGroup {
	return &SensorGroup{
		Common: Common{
			Start: epoch, Connect: &mqtt.Connect{Version: mqtt.V311, CleanStart: true, KeepAlive: 60}, Client: core.Config{Requeue: true},
			Logger: slog.New(slog.DiscardHandler),
		},
		Book: ledger.New(ledger.Config{Devices: devices, QoS: int(qos), Interval: 1000 * time.Hour}),
		Pace: arrival.Pace{Interval: time.Millisecond}, End: 1 << 62, QoS: qos, Payload: zeros(64),
	}
}

func encoded(b *testing.B, p mqtt.Packet) []byte {
	b.Helper()
	out, err := wire.Append(nil, mqtt.V311, p)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkSensor is one message from its timer to its acknowledgement, without a network.
func BenchmarkSensor(b *testing.B) {
	for _, qos := range []mqtt.QoS{mqtt.AtMostOnce, mqtt.AtLeastOnce} {
		b.Run(map[mqtt.QoS]string{mqtt.AtMostOnce: "QoS0", mqtt.AtLeastOnce: "QoS1"}[qos], func(b *testing.B) {
			v := &void{now: epoch}
			g := benchGroup(1, qos)
			g.Begin = time.Millisecond
			s := NewSensor(g, v, NewScratch(), Identity{ClientID: "bench", Topic: benchTopic})
			s.StartAt(epoch)
			v.timer()
			v.handler.Opened(v)
			v.handler.Received(encoded(b, &mqtt.Connack{}))
			ack := encoded(b, &mqtt.Puback{PacketID: 1})
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				v.now = v.now.Add(time.Millisecond)
				v.timer()
				if qos > 0 {
					copy(ack[2:], v.sent[:])
					v.handler.Received(ack)
				}
			}
			b.StopTimer()
			if s.Unfinished() > 0 || g.Book.Progress().Sent != int64(b.N) {
				b.Fatalf("%d unfinished, %d sent of %d", s.Unfinished(), g.Book.Progress().Sent, b.N)
			}
		})
	}
}

// BenchmarkIdleSensor measures the memory of a connected device that has published once.
func BenchmarkIdleSensor(b *testing.B) {
	const devices = 10_000
	for range b.N {
		g := benchGroup(devices, mqtt.AtLeastOnce)
		g.End = time.Nanosecond
		scratch := NewScratch()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		all := make([]*Sensor, devices)
		connack, ack := encoded(b, &mqtt.Connack{}), encoded(b, &mqtt.Puback{PacketID: 1})
		for i := range all {
			v := &void{now: epoch}
			all[i] = NewSensor(g, v, scratch, Identity{Number: uint32(i), ClientID: "bench", Topic: benchTopic})
			all[i].StartAt(epoch)
			v.timer()
			v.handler.Opened(v)
			v.handler.Received(connack)
			copy(ack[2:], v.sent[:])
			v.handler.Received(ack)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/devices, "B/device")
		runtime.KeepAlive(all)
	}
}
