package client

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
)

// tester plays both the owner of a machine and its Server. Every verb that feeds the machine is followed by want, which compares all actions since
// then, one line each.
type tester struct {
	t   *testing.T
	m   *Machine
	now time.Time
}

func newTester(t *testing.T, cfg Config) *tester {
	return &tester{t: t, m: New(&cfg, "dev"), now: time.Unix(1_000_000, 0)}
}

// connected returns a tester whose machine has a Session with the Server.
func connected(t *testing.T, cfg Config, c mqtt.Connect, a mqtt.Connack) *tester {
	t.Helper()
	s := newTester(t, cfg)
	s.reconnect(c, a)
	s.drain()
	return s
}

func (s *tester) reconnect(c mqtt.Connect, a mqtt.Connack) {
	s.t.Helper()
	if c.Version == 0 {
		c.Version = mqtt.V5
	}
	s.m.Opened(s.now, &c)
	s.m.Receive(s.now, &a)
}

func (s *tester) receive(packets ...mqtt.Packet) {
	for _, p := range packets {
		s.m.Receive(s.now, p)
	}
}

func (s *tester) publish(token Token, topic string, qos mqtt.QoS) {
	s.t.Helper()
	if err := s.m.Publish(s.now, token, &mqtt.Publish{Topic: topic, QoS: qos}); err != nil {
		s.t.Fatalf("publish %d: %v", token, err)
	}
}

// wait lets d pass with Advance called whenever the machine asks for it.
func (s *tester) wait(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	for range 1000 {
		at, ok := s.m.Deadline()
		if !ok || at.After(end) {
			s.now = end
			return
		}
		s.now = at
		s.m.Advance(s.now)
	}
	s.t.Fatal("the machine asks for Advance without end")
}

func (s *tester) drain() (lines []string) {
	s.m.Drain(func(a *Action) { lines = append(lines, describe(a)) })
	return lines
}

// want compares what the machine did since the last call; why is printed if it is something else.
func (s *tester) want(why string, lines ...string) {
	s.t.Helper()
	if diff := cmp.Diff(lines, s.drain()); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", why, diff)
	}
}

func describe(a *Action) string {
	switch a.Kind {
	case SendPacket:
		return "send " + describePacket(a.Packet)
	case SendAck:
		return fmt.Sprintf("send %v %d%s", a.AckType, a.AckID, failure(a.Code))
	case SendPublish:
		var p mqtt.Publish
		a.Outgoing(&p)
		return "send " + describePacket(&p)
	case Deliver:
		s := "deliver " + a.Publish.Topic
		if a.Receipt != 0 {
			s += fmt.Sprintf(" receipt %d", a.Receipt)
		}
		return s
	case Done:
		if a.Err != nil {
			return fmt.Sprintf("done %d: %v", a.Token, a.Err)
		}
		return fmt.Sprintf("done %d", a.Token)
	case Challenge:
		return "challenge " + describePacket(a.Packet)
	case Close:
		return "close"
	case StateChange:
		if a.Err != nil {
			return fmt.Sprintf("%v: %v", a.State, a.Err)
		}
		return a.State.String()
	}
	return fmt.Sprintf("action %d", a.Kind)
}

func describePacket(p mqtt.Packet) string {
	s := p.Type().String()
	switch p := p.(type) {
	case *mqtt.Connect:
		s += fmt.Sprintf(" %q", p.ClientID)
		if p.CleanStart {
			s += " clean"
		}
	case *mqtt.Publish:
		s += fmt.Sprintf(" %q", p.Topic)
		if p.PacketID != 0 {
			s += fmt.Sprintf(" %d", p.PacketID)
		}
		if p.Dup {
			s += " dup"
		}
		if p.TopicAlias != 0 {
			s += fmt.Sprintf(" alias %d", p.TopicAlias)
		}
		if p.MessageExpiryInterval.Set {
			s += fmt.Sprintf(" expires %d", p.MessageExpiryInterval.Value)
		}
	case *mqtt.Subscribe:
		s += fmt.Sprintf(" %d", p.PacketID)
		for _, f := range p.Subscriptions {
			s += " " + f.TopicFilter
		}
	case *mqtt.Unsubscribe:
		s += fmt.Sprintf(" %d %s", p.PacketID, strings.Join(p.TopicFilters, " "))
	case *mqtt.Disconnect:
		s += failure(p.ReasonCode)
		if p.ReasonString != "" {
			s += fmt.Sprintf(" %q", p.ReasonString)
		}
	case *mqtt.Auth:
		s += fmt.Sprintf(" %02X %s %s", byte(p.ReasonCode), p.AuthenticationMethod.Value, p.AuthenticationData)
	}
	return s
}

func failure(code mqtt.ReasonCode) string {
	if code == mqtt.Success {
		return ""
	}
	return fmt.Sprintf(" %02X", byte(code))
}
