package target

import (
	"slices"
	"strings"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// try finds by probing what CONNACK does not tell.
func (d *discovery) try(f *Found) {
	const how = fromProbe
	f.set(ZeroLengthClientID, d.zeroLengthClientID(), how)
	if d.v == octets.V5 {
		f.set(ResponseInformation, d.responseInformation(), how)
		f.set(EnhancedAuth, d.enhancedAuth(), how)
		d.observe(f)
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

// observe tries what CONNACK of 5.0 tells anyway, to show both side by side. CONNACK is what is
// believed.
func (d *discovery) observe(f *Found) {
	identified := octets.Properties{octets.SubscriptionIdentifier.Prop(1)}
	publish := func(m octets.Publish) octets.Packet {
		m.Topic = d.topic("o")
		return m
	}
	subscribe := func(filter string, properties octets.Properties) octets.Packet {
		return octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: filter}}, Properties: properties}
	}
	for _, try := range []struct {
		yes, no Feature
		packet  octets.Packet
		code    byte // the refusal that is made for it
	}{
		{QoS1, "", publish(octets.Publish{QoS: 1, ID: 1}), 0x9B},
		{QoS2, MaximumQoSBelow2, publish(octets.Publish{QoS: 2, ID: 1}), 0x9B},
		{Retained, RetainUnavailable, publish(octets.Publish{Retain: true}), 0x9A},
		{TopicAlias, "", publish(octets.Publish{Properties: octets.Properties{octets.TopicAlias.Prop(1)}}), 0x94},
		{Wildcard, NoWildcard, subscribe(d.topic("w/+"), nil), 0xA2},
		{Shared, NoShared, subscribe("$share/"+d.id+"/"+d.topic("s"), nil), 0x9E},
		{SubscriptionIDs, NoSubscriptionIDs, subscribe(d.topic("i"), identified), 0xA1},
	} {
		if works, clear := d.takes(try.packet, try.code); clear {
			f.note(try.yes, works, fromProbe)
			if try.no != "" {
				f.note(try.no, !works, fromProbe)
			}
		}
	}
}

// takes sends a packet and says whether the target takes it. That is clear if all goes well, or if
// it is refused with the one code: a target may have other reasons to refuse.
func (d *discovery) takes(packet octets.Packet, code byte) (works, clear bool) {
	_ = d.attempt("feature", func(p *probe.Peer) {
		p.Connect(d.t.Connect(d.id + "o"))
		p.Send(packet, octets.Pingreq{}) // not each packet is answered
		m, publish := packet.(octets.Publish)
		end, answers := p.Reaction(func(got []*octets.Received) bool {
			return publish && m.QoS == 0 || got[len(got)-1].Type != octets.PINGRESP
		})
		works, clear = end == nil, end == nil
		for _, r := range answers {
			codes := append(r.Codes, r.Code)
			if failed := slices.ContainsFunc(codes, func(c byte) bool { return c >= 0x80 }); failed {
				works, clear = false, slices.Contains(codes, code)
			}
		}
	})
	return works, clear
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
	return d.subscribingTo(octets.Subscription{Filter: d.topic(filter), QoS: qos}, nil)
}

func (d *discovery) subscribingTo(s octets.Subscription, properties octets.Properties) func(*probe.Peer) bool {
	return func(p *probe.Peer) bool {
		p.Connect(d.t.Connect(d.id + "s"))
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{s}, Properties: properties})
		ack := p.Want(octets.SUBACK, "SUBSCRIBE is answered")
		return len(ack.Codes) == 1 && ack.Codes[0] != s.QoS
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
