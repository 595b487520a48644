package conformance

import "mqttlab/spec/octets"

// LastingConnect is a [T.NewConnect] whose Session outlives the Network Connection: sent
// again, it resumes the Session.
func (t *T) LastingConnect() octets.Connect {
	c := t.NewConnect()
	c.Clean = false
	if t.V5() {
		c.Properties = octets.Properties{octets.SessionExpiryInterval.Prop(60)}
	}
	return c
}
