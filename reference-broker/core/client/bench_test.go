package client

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func benchMachine(cfg *Config) (m *Machine, now time.Time) {
	now = time.Unix(0, 0)
	m = New(cfg, "bench")
	m.Opened(now, &mqtt.Connect{Version: mqtt.V5, CleanStart: true, KeepAlive: 60, SessionExpiryInterval: 60})
	m.Receive(now, &mqtt.Connack{})
	m.Drain(func(*Action) {})
	return m, now
}

func BenchmarkPublish(b *testing.B) {
	for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
		b.Run(fmt.Sprintf("QoS%d", qos), func(b *testing.B) {
			m, now := benchMachine(&Config{})
			p := &mqtt.Publish{Topic: "plant/7/pressure", Payload: make([]byte, 64), QoS: qos}
			var id uint16
			note := func(a *Action) {
				if a.Kind == SendPublish {
					id = a.Sending.PacketID
				}
			}
			puback, pubrec, pubcomp := &mqtt.Puback{}, &mqtt.Pubrec{}, &mqtt.Pubcomp{}
			b.ReportAllocs()
			for i := range b.N {
				if err := m.Publish(now, Token(i), p); err != nil {
					b.Fatal(err)
				}
				m.Drain(note)
				switch qos {
				case mqtt.AtLeastOnce:
					puback.PacketID = id
					m.Receive(now, puback)
				case mqtt.ExactlyOnce:
					pubrec.PacketID, pubcomp.PacketID = id, id
					m.Receive(now, pubrec)
					m.Drain(note)
					m.Receive(now, pubcomp)
				}
				m.Drain(note)
			}
		})
	}
}

func BenchmarkDeliver(b *testing.B) {
	for _, manual := range []bool{false, true} {
		for qos := mqtt.AtMostOnce; qos <= mqtt.ExactlyOnce; qos++ {
			b.Run(fmt.Sprintf("QoS%d/manual=%v", qos, manual), func(b *testing.B) {
				m, now := benchMachine(&Config{ManualAck: manual})
				p := &mqtt.Publish{Topic: "plant/7/pressure", Payload: make([]byte, 64), QoS: qos, PacketID: 1}
				rel := &mqtt.Pubrel{PacketID: 1}
				var receipt Receipt
				note := func(a *Action) { receipt = max(receipt, a.Receipt) }
				b.ReportAllocs()
				for range b.N {
					m.Receive(now, p)
					m.Drain(note)
					if manual {
						m.Ack(now, receipt, mqtt.Success)
					}
					if qos == mqtt.ExactlyOnce {
						m.Receive(now, rel)
					}
					m.Drain(note)
				}
			})
		}
	}
}

// BenchmarkMemory reports the bytes that one machine holds: connected and idle, first without having sent anything, then after QoS 1 messages.
func BenchmarkMemory(b *testing.B) {
	const machines = 10_000
	for _, sent := range []int{0, 100} {
		b.Run(fmt.Sprintf("after=%d", sent), func(b *testing.B) {
			for range b.N {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				all := make([]*Machine, machines)
				cfg := &Config{}
				p := &mqtt.Publish{Topic: "t", QoS: 1}
				for i := range all {
					m, now := benchMachine(cfg)
					for range sent {
						_ = m.Publish(now, 1, p)
						var id uint16
						m.Drain(func(a *Action) { id = a.Sending.PacketID })
						m.Receive(now, &mqtt.Puback{PacketID: id})
						m.Drain(func(*Action) {})
					}
					all[i] = m
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/machines, "B/machine")
				runtime.KeepAlive(all)
			}
		})
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	m, now := benchMachine(&Config{})
	p := &mqtt.Publish{Topic: "t", QoS: 1}
	puback := &mqtt.Puback{}
	note := func(a *Action) { puback.PacketID = max(puback.PacketID, a.Sending.PacketID) }
	round := func() {
		puback.PacketID = 0
		_ = m.Publish(now, 1, p)
		m.Drain(note)
		m.Receive(now, puback)
		m.Drain(note)
	}
	for range 100 {
		round()
	}
	if n := testing.AllocsPerRun(1000, round); n != 0 {
		t.Errorf("%v allocations per QoS 1 message, want none", n)
	}
}
