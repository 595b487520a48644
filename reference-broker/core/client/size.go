package client

import (
	"mqttlab/reference-broker/core/size"
	"mqttlab/reference-broker/mqtt"
)

// publishSize is that of a PUBLISH with a Topic Alias, which may come on top. It is computed, not taken from an encoded packet, because a message
// that is too large must be refused before it has a Packet Identifier.
func publishSize(v mqtt.Version, p *mqtt.Publish) int { return size.Publish(v, p, p.QoS, true, nil) }
