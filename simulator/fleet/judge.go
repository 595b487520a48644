package fleet

import (
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reports/model"
)

// promise is a statement of the standard, by the version of who may rely on it. MQTT 3.1 has no numbered statements; there its successor's says the same.
type promise map[mqtt.Version]string

var (
	// An accepted message goes into the session of each client with a matching subscription. It is the sink who may rely on it.
	kept = promise{mqtt.V31: "MQTT311-4.5.0-1", mqtt.V311: "MQTT311-4.5.0-1", mqtt.V5: "MQTT5-4.5.0-1"}
	// A QoS 2 receiver passes a message on once. It is the device who may rely on it.
	once = promise{mqtt.V31: "MQTT311-4.3.3-2", mqtt.V311: "MQTT311-4.3.3-2", mqtt.V5: "MQTT5-4.3.3-10"}
)

// judge says what the target broke, where that can be told.
func (g *group) judge(out *model.Group) {
	if g.QoS == mqtt.AtMostOnce {
		return // nothing is promised
	}
	lost, doubled, why := g.book.Broken()
	switch {
	case why != "":
	case g.twins:
		why = "devices with one Client Identifier share a session"
	case lost > 0 && g.MessageExpiry > 0:
		why = "messages expire, and the target may drop those that have"
	case lost > 0 && g.Sink.Filter != g.Filter(g.Topic) && out.Ledger[0].Reached() == 0:
		why = "the sink's own filter may match none of the topics"
	}
	if why != "" {
		out.Unjudged = why
		return
	}
	if lost > 0 {
		out.Breaches = append(out.Breaches, model.Breach{Statement: kept[g.Sink.Version], Text: "were acknowledged and never arrived", Messages: lost})
	}
	if doubled > 0 {
		out.Breaches = append(out.Breaches, model.Breach{Statement: once[g.Version], Text: "arrived more than once at QoS 2", Messages: doubled})
	}
}
