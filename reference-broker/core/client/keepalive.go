package client

import (
	"time"

	"mqttlab/reference-broker/mqtt"
)

// minPingTimeout is the least default wait for a PINGRESP: TCP's first retransmissions take about this long.
const minPingTimeout = 5 * time.Second

// pingreq is shared: it has no fields.
var pingreq = &mqtt.Pingreq{}

// pingMargin is how long before the end of the Keep Alive a PINGREQ leaves, so that the gap stays inside it even if the owner is a little late.
func pingMargin(keepAlive time.Duration) time.Duration { return min(keepAlive/10, time.Second) }

func (m *Machine) keepAlive() time.Duration { return time.Duration(m.limits.KeepAlive) * time.Second }

// pingTimeout is Config.PingTimeout or half of the Keep Alive: at one and a half times the Keep Alive the Server gives up as well.
func (m *Machine) pingTimeout() time.Duration {
	if m.cfg.PingTimeout > 0 {
		return m.cfg.PingTimeout
	}
	return max(m.keepAlive()/2, minPingTimeout)
}

// due returns when the next timer runs out, as the time since the machine's epoch.
func (m *Machine) due() (at time.Duration, ok bool) {
	switch m.state {
	case Connecting:
		return m.waiting + m.cfg.connectTimeout(), true
	case Connected:
		if m.limits.KeepAlive == 0 {
			return 0, false
		}
		// [MQTT5 3.1.2-20] [MQTT311 3.1.2-23]
		at = m.sent + m.keepAlive() - pingMargin(m.keepAlive())
		if m.pinging {
			at = min(at, m.waiting+m.pingTimeout())
		}
		return at, true
	}
	return 0, false
}

// Deadline returns when Advance wants to be called next; ok is false if nothing waits for time. It costs nothing.
func (m *Machine) Deadline() (t time.Time, ok bool) {
	at, ok := m.due()
	if !ok {
		return time.Time{}, false
	}
	return m.epoch.Add(at), true
}

// Advance does what is due at now: PINGREQ, and closing when CONNACK or PINGRESP do not come.
func (m *Machine) Advance(now time.Time) {
	m.tick(now)
	at, ok := m.due()
	if !ok || m.now < at {
		return
	}
	switch {
	case m.state == Connecting:
		m.down(ErrTimeout) // [X5 3.2-1]
	case m.pinging && m.now >= m.waiting+m.pingTimeout():
		m.down(ErrTimeout) // [X5 3.1.2.10-2]
	default:
		if !m.pinging {
			m.pinging, m.waiting = true, m.now
		}
		m.send(pingreq)
	}
}
