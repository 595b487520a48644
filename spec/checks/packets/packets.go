// Package packets sends the generated packets of package grammar, thousands of them, and judges what comes of each. There is one check
// per rule of the packet format; a check tells of its failure which packet it was, its bytes, and the first field in which it differs
// from a well-formed one.
//
// # Design
//
// A row in the report for every packet lost: a broker that does not look at reserved flags would fill pages with one mistake.
package packets

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"mqttlab/spec/conformance"
	"mqttlab/spec/grammar"
	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
	"mqttlab/spec/target"
)

func init() {
	for _, rule := range grammar.Rules() {
		conformance.Register(conformance.Check{
			Name: rule.Name, Title: rule.Title, Covers: rule.Covers,
			Run: func(_ context.Context, t *conformance.T) { try(t, rule) },
		})
	}
}

// try sends every packet of a rule on a connection of its own.
func try(t *conformance.T, rule grammar.Rule) {
	generated := rule.Cases(site(t))
	if len(generated) == 0 {
		t.Unsupported("the target offers nothing that these packets could be about")
	}
	cases := make([]conformance.Case, len(generated))
	all := name(t)
	for i, c := range generated {
		cases[i] = conformance.Case{Name: c.Name, About: c.About, Run: func(t *conformance.T) {
			judge(t, named(c, all, name(t)))
		}}
	}
	if rule.Lenient {
		t.Lenient()
	}
	t.Cases(cases)
}

// name is what the Client Identifiers and Topic Names of a T have in common.
func name(t *conformance.T) []byte {
	_, rest, _ := strings.Cut(t.Topic(""), "/")
	return []byte(strings.TrimSuffix(rest, "/"))
}

// named gives a case names of its own, which are as long: cases that run at the same time must neither take over each other's Sessions nor
// get each other's messages.
func named(c grammar.Case, all, own []byte) grammar.Case {
	rename := func(layout func(uint16) []byte) func(uint16) []byte {
		return func(id uint16) []byte { return bytes.ReplaceAll(layout(id), all, own) }
	}
	if c.Bytes = rename(c.Bytes); c.Like != nil {
		c.Like = rename(c.Like)
	}
	return c
}

// site tells the grammar where its packets go.
func site(t *conformance.T) *grammar.Site {
	return &grammar.Site{
		Version: t.Version(), ClientID: t.ClientID, Topic: t.Topic,
		UserName: t.Settings().UserName, Password: t.Settings().Password,
		MaximumQoS: t.Limits().MaximumQoS, MaximumPacketSize: int(t.Limits().MaximumPacketSize),
		TopicAliasMaximum: t.Limits().TopicAliasMaximum,
		Wildcards:         t.Has(target.Wildcard), Shared: t.Has(target.Shared), SubscriptionIDs: t.Has(target.SubscriptionIDs),
	}
}

// judge holds the conversation about one packet.
func judge(t *conformance.T, c grammar.Case) {
	p, id := stage(t, c.Stage)
	sent := octets.Raw(c.Bytes(id))
	why := explain(t, c, id)
	switch c.Outcome {
	case grammar.Open:
		if c.Stage == grammar.Opening {
			p.Send(sent)
			t.OneOf(p, why, conformance.Closed(), conformance.Answered(octets.CONNACK))
			return
		}
		t.StaysOrCloses(p, why, sent)
	case grammar.Answered:
		p.Send(sent)
		if c.MayBeTooLarge {
			t.OneOf(p, why, conformance.Answered(c.Answer), conformance.Closed().Info("closes on a packet of this size"))
			return
		}
		answered(t, p, c, id, why)
	case grammar.Taken:
		p.Send(sent)
		p.Barrier(why)
	case grammar.NotGranted:
		p.Send(sent)
		t.OneOf(p, why, conformance.Answered(octets.SUBACK, 0x80, 0x83, 0x87, 0x8F, 0x97, 0x9E, 0xA2), conformance.Closed())
	case grammar.Refused:
		p.Send(sent)
		refused(t, p, c, why)
	}
}

// answered wants the answer to a right packet.
func answered(t *conformance.T, p *probe.Peer, c grammar.Case, id uint16, why string) {
	if c.ID != 0 {
		id = c.ID
	}
	if c.Answer == octets.CONNACK || c.Answer == octets.PINGRESP {
		ack := p.Want(c.Answer, why)
		switch refused := ack.Code >= 0x80 || ack.Code != 0 && !t.V5(); {
		case refused && t.Settings().UserName == nil && slices.Contains([]byte{0x04, 0x05, 0x86, 0x87}, ack.Code):
			t.Info("refuses a user it does not know")
		case refused:
			t.Fail(probe.Failure{Why: why, Sent: hex(c.Bytes(id)), Acceptable: []string{"CONNACK 0x00"}, Got: ack.String()})
		}
		return
	}
	p.WantID(c.Answer, id, why)
}

// refused wants the connection closed, or, where a rule about Topic Names lets a server say so in the acknowledgement, an acknowledgement that refuses.
func refused(t *conformance.T, p *probe.Peer, c grammar.Case, why string) {
	if t.V5() && c.Answer != 0 {
		t.OneOf(p, why, conformance.ClosedWith(c.Codes...), conformance.Answered(c.Answer, 0x80, 0x83, 0x90),
			conformance.Closed().Nonstrict("closed without a DISCONNECT that says why"))
		return
	}
	t.WantClosed(p, why, c.Codes...)
}

// stage brings a client to where the case begins. id is the Packet Identifier of the exchange, 1 where there is none.
func stage(t *conformance.T, s grammar.Stage) (p *probe.Peer, id uint16) {
	switch s {
	case grammar.Opening:
		return t.Dial(), 1
	case grammar.Connected:
		return t.Connect(), 1
	}
	p = t.Connect()
	topic := t.Topic("exchange")
	if s == grammar.AwaitsPubrel {
		p.Send(octets.Publish{Topic: topic, QoS: 2, ID: 1, Payload: "x"})
		p.WantID(octets.PUBREC, 1, "PUBLISH is answered")
		return p, 1
	}
	m := octets.Publish{Topic: topic, QoS: 2, Payload: "x"}
	if s == grammar.AwaitsPuback {
		m.QoS = 1
	}
	p.Subscribe(octets.Subscription{Filter: topic, QoS: m.QoS})
	p.Publish(m)
	id = p.WantMessage(topic, "x", "the message is delivered").ID
	if s == grammar.AwaitsPubcomp {
		p.Send(octets.Pubrec(id))
		p.WantID(octets.PUBREL, id, "PUBREC is answered")
	}
	return p, id
}

// explain is what a reader needs to see the packet: its bytes and where it is wrong.
func explain(t *conformance.T, c grammar.Case, id uint16) string {
	text := "sent " + hex(c.Bytes(id))
	if at, field, ok := c.Differs(t.Version(), id); ok {
		text += fmt.Sprintf(", which differs from a well-formed packet at byte %d, %s", at, field)
	}
	return text
}

// hex shows the bytes of a packet, of a long one the first.
func hex(b []byte) string {
	const limit = 64
	if len(b) > limit {
		return fmt.Sprintf("% x ... (%d bytes)", b[:limit], len(b))
	}
	return fmt.Sprintf("% x", b)
}
