package target

import (
	"strings"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// try finds by probing what CONNACK does not tell.
func (d *discovery) try(f *Found) {
	const how = "probe"
	f.set(ZeroLengthClientID, d.zeroLengthClientID(), how)
	if d.v == octets.V5 {
		f.set(ResponseInformation, d.responseInformation(), how)
		f.set(EnhancedAuth, d.enhancedAuth(), how)
		return
	}
	f.set(Wildcard, !d.refuses(d.subscribing("w/+", 0)), how)
	f.set(NoWildcard, !f.Has(Wildcard), how)
	f.set(Retained, !d.refuses(d.publishing(octets.Publish{Topic: d.topic("r"), Retain: true})), how)
	for i, feature := range []Feature{QoS1, QoS2} {
		qos := byte(i + 1)
		refused := d.refuses(d.publishing(octets.Publish{Topic: d.topic("q"), QoS: qos, ID: 1})) || d.refuses(d.subscribing("q", qos))
		f.set(feature, !refused, how)
	}
	switch {
	case !f.Has(QoS1):
		f.Limits.MaximumQoS = 0
	case !f.Has(QoS2):
		f.Limits.MaximumQoS = 1
	}
}

func (d *discovery) topic(name string) string { return "mqttlab/" + d.id + "/" + name }

func (d *discovery) zeroLengthClientID() bool {
	return !d.refuses(func(p *probe.Peer) bool {
		p.Send(d.t.Connect(""))
		e := p.Next(d.timings.Answer)
		return e.Packet != nil && e.Packet.Code != 0
	})
}

// refuses says whether the target declines what talk asks for: talk says so, or the target closes the connection. A target that is silent or
// answers nonsense has not declined; the checks will find that.
func (d *discovery) refuses(talk func(*probe.Peer) bool) bool {
	refused := false
	_ = d.attempt("feature", func(p *probe.Peer) {
		defer func() { refused = refused || p.End() != nil && p.End().ByTarget() }()
		refused = talk(p)
	})
	return refused
}

// subscribing asks for a subscription, which SUBACK may refuse or grant with less.
func (d *discovery) subscribing(filter string, qos byte) func(*probe.Peer) bool {
	return func(p *probe.Peer) bool {
		p.Connect(d.t.Connect(d.id + "s"))
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: d.topic(filter), QoS: qos}}})
		ack := p.Want(octets.SUBACK, "SUBSCRIBE is answered")
		return len(ack.Codes) == 1 && ack.Codes[0] != qos
	}
}

// publishing asks for a publication, which only a close can refuse.
func (d *discovery) publishing(m octets.Publish) func(*probe.Peer) bool {
	return func(p *probe.Peer) bool {
		p.Connect(d.t.Connect(d.id + "p"))
		p.Send(m)
		p.Barrier("PINGREQ is answered")
		return false
	}
}

func (d *discovery) responseInformation() bool {
	found := false
	err := d.attempt("response information", func(p *probe.Peer) {
		c := d.t.Connect(d.id + "i")
		c.Properties = octets.Properties{octets.RequestResponseInformation.Prop(1)}
		_, found = p.Connect(c).Prop(octets.ResponseInformation)
	})
	return err == nil && found
}

// enhancedAuth says whether the target begins an exchange for a widespread method, for
// the user of the settings.
func (d *discovery) enhancedAuth() bool {
	found := false
	_ = d.attempt("enhanced authentication", func(p *probe.Peer) {
		c, user := d.t.Connect(d.id+"a"), "user"
		if c.UserName != nil {
			user = strings.NewReplacer("=", "=3D", ",", "=2C").Replace(*c.UserName)
		}
		c.UserName, c.Password = nil, nil
		c.Properties = octets.Properties{
			octets.AuthenticationMethod.Text("SCRAM-SHA-256"),
			octets.AuthenticationData.Text("n,,n=" + user + ",r=fyko+d2lbbFgONRv9qkxdawL"),
		}
		p.Send(c)
		e := p.Next(d.timings.Answer)
		found = e.Packet != nil && e.Packet.Type == octets.AUTH
	})
	return found
}
