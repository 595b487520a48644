package server

import "mqttlab/reference-broker/mqtt"

var pingresp = new(mqtt.Pingresp)

// ping answers PINGREQ. [MQTT5 3.12.4-1] [MQTT311 3.12.4-1]
func (m *Machine) ping(c *conn) { m.send(c, pingresp) }
