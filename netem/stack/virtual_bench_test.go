package stack

import (
	"testing"
	"time"

	"mqttlab/netem/link"
)

// BenchmarkVirtual prices a message and its answer in virtual time, with a fleet
// on a lossy link that sends every ten seconds.
func BenchmarkVirtual(b *testing.B) {
	const devices, every = 200, 10 * time.Second
	n := newVirtual(b, Config{Seed: 1})
	if err := n.Listen("broker:1883", echo); err != nil {
		b.Fatal(err)
	}
	m := mustModel(b, link.Config{
		Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, LossRatio: 0.01,
		RateBitsPerSecond: 62.5e3, QueueBytes: 16 << 10,
	})
	message, buffer := make([]byte, 48), make([]byte, 512)
	answers := 0
	for i := range devices {
		d := n.mustDevice(b, DeviceConfig{Up: m, Down: m})
		s, err := d.Open("broker:1883", &calls{readable: func(s *Socket) {
			for s.Receive(buffer) > 0 {
				answers++
			}
		}})
		if err != nil {
			b.Fatal(err)
		}
		var tick *Timer
		tick = n.At(n.Now().Add(time.Duration(i)*every/devices+2*time.Second), func() {
			s.Send(message)
			tick.Set(n.Now().Add(every))
		})
	}
	n.mustRun(b, time.Minute)
	answers = 0
	begin, start := time.Now(), n.Now()
	b.ReportAllocs()
	for b.Loop() {
		n.mustRun(b, every)
	}
	b.ReportMetric(float64(time.Since(begin).Microseconds())/float64(answers), "us/message")
	b.ReportMetric(n.Now().Sub(start).Seconds()/time.Since(begin).Seconds(), "x-real-time")
}
