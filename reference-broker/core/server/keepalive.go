package server

import "mqttlab/reference-broker/mqtt"

// keepAlive ends a connection that has been silent for one and a half times its Keep Alive, or waits on. [MQTT5 3.1.2-22] [MQTT311 3.1.2-24]
// [X5 3.1.2.10-3]
func (m *Machine) keepAlive(c *conn) {
	due := c.lastSeen + c.patience
	switch {
	case m.now < due:
		m.timers.set(&c.timer, due)
	case !m.cfg.Deviations.Has(NoKeepAliveClose):
		m.fail(c, mqtt.KeepAliveTimeout, "no packet within one and a half times the Keep Alive")
	}
}
