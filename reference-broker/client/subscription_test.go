package client

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// subscribe makes a Subscription while the server grants it, and returns the SUBSCRIBE.
func subscribe(t *testing.T, c *Client, s *script, filters ...Filter) (*Subscription, *mqtt.Subscribe) {
	t.Helper()
	asked := make(chan *mqtt.Subscribe, 1)
	go func() {
		p := want[*mqtt.Subscribe](s, "SUBSCRIBE")
		s.send(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: make([]mqtt.ReasonCode, len(p.Subscriptions))})
		asked <- p
	}()
	sub, err := c.Subscribe(t.Context(), filters...)
	if err != nil {
		t.Fatal(err)
	}
	return sub, <-asked
}

func TestMessagesAreAcknowledgedWhenHandled(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		sub, p := subscribe(t, c, s, Filter{TopicFilter: "a/#", QoS: 2})
		got := make(chan *Message)
		go func() {
			for m, err := range sub.Messages(t.Context()) {
				if err != nil {
					t.Error(err)
				}
				got <- m
			}
			close(got)
		}()
		s.send(
			&mqtt.Publish{Topic: "a/1", QoS: 1, PacketID: 1, Payload: []byte("x"), SubscriptionIdentifiers: []uint32{p.SubscriptionIdentifier}},
			&mqtt.Publish{Topic: "a/2", QoS: 2, PacketID: 2},
		)
		s.quiet(time.Second, "nothing is handled yet")
		m := <-got
		diff(t, "topic and payload", "a/1x", m.Topic+string(m.Payload))
		diff(t, "acknowledged", uint16(1), want[*mqtt.Puback](s, "handled").PacketID)
		<-got
		diff(t, "acknowledged", uint16(2), want[*mqtt.Pubrec](s, "handled").PacketID)
		s.send(&mqtt.Pubrel{PacketID: 2})
		want[*mqtt.Pubcomp](s, "released")
		go func() {
			u := want[*mqtt.Unsubscribe](s, "closed")
			s.send(&mqtt.Unsuback{PacketID: u.PacketID, ReasonCodes: make([]mqtt.ReasonCode, 1)})
		}()
		if err := sub.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, more := <-got; more {
			t.Error("the loop goes on after Close")
		}
	})
}

func TestHandlerMayPublishAndBeSlow(t *testing.T) {
	opts := Options{Connect: mqtt.Connect{KeepAlive: 10}}
	bubble(t, opts, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		sub, _ := subscribe(t, c, s, Filter{TopicFilter: "in", QoS: 1})
		ctx, cancel := context.WithCancel(t.Context())
		handled := make(chan error)
		go func() {
			handled <- sub.Handle(ctx, 1, func(ctx context.Context, m *Message) {
				time.Sleep(25 * time.Second)
				if _, err := c.Publish(ctx, &Message{Topic: "out", QoS: 1}); err != nil {
					t.Error(err)
				}
			})
		}()
		s.send(&mqtt.Publish{Topic: "in", QoS: 1, PacketID: 7})
		for range 2 {
			want[*mqtt.Pingreq](s, "keep alive while the handler sleeps")
			s.send(&mqtt.Pingresp{})
		}
		p := want[*mqtt.Publish](s, "the handler's message")
		s.send(&mqtt.Puback{PacketID: p.PacketID})
		want[*mqtt.Puback](s, "handled")
		cancel()
		if err := <-handled; !errors.Is(err, context.Canceled) {
			t.Errorf("Handle returned %v", err)
		}
	})
}

func TestHandleRunsInParallel(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		sub, _ := subscribe(t, c, s, Filter{TopicFilter: "#"})
		var busy, most atomic.Int32
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 9 {
			s.send(&mqtt.Publish{Topic: "a"})
		}
		start := time.Now()
		_ = sub.Handle(ctx, 3, func(context.Context, *Message) {
			most.Store(max(most.Load(), busy.Add(1)))
			time.Sleep(time.Second)
			if busy.Add(-1); time.Since(start) > 3*time.Second {
				t.Error("nine messages of 1s by three workers took more than 3s")
			}
		})
		diff(t, "at once", int32(3), most.Load())
	})
}

func TestSlowApplicationLosesOnlyQoS0(t *testing.T) {
	bubble(t, Options{Buffer: 2, Connect: mqtt.Connect{ReceiveMaximum: 5}}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		sub, _ := subscribe(t, c, s, Filter{TopicFilter: "#", QoS: 1})
		for i := range uint16(5) {
			s.send(&mqtt.Publish{Topic: "zero"}, &mqtt.Publish{Topic: "one", QoS: 1, PacketID: i + 1})
		}
		synctest.Wait()
		diff(t, "dropped", uint64(3), sub.Dropped())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := map[string]int{}
		go func() {
			for range 5 {
				want[*mqtt.Puback](s, "handled")
			}
		}()
		for m := range sub.Messages(ctx) {
			if m != nil {
				got[m.Topic]++
			}
		}
		diff(t, "received", map[string]int{"zero": 2, "one": 5}, got)
	})
}

func TestManualAck(t *testing.T) {
	bubble(t, Options{ManualAck: true}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		sub, _ := subscribe(t, c, s, Filter{TopicFilter: "#", QoS: 1})
		s.send(&mqtt.Publish{Topic: "a", QoS: 1, PacketID: 1}, &mqtt.Publish{Topic: "b", QoS: 1, PacketID: 2})
		var held []*Message
		for m := range sub.Messages(t.Context()) {
			if held = append(held, m); len(held) == 2 {
				break
			}
		}
		s.quiet(time.Second, "the application has not acknowledged")
		held[0].Ack(mqtt.QuotaExceeded)
		diff(t, "code", mqtt.QuotaExceeded, want[*mqtt.Puback](s, "refused").ReasonCode)
		held[1].Ack(mqtt.Success)
		held[1].Ack(mqtt.Success)
		diff(t, "code", mqtt.Success, want[*mqtt.Puback](s, "accepted").ReasonCode)
	})
}

func TestSubscribesAgainWhereSessionIsNew(t *testing.T) {
	bubble(t, kept, mqtt.Connack{}, func(t *testing.T, c *Client, l listener, s *script) {
		sub, _ := subscribe(t, c, s, Filter{TopicFilter: "a", QoS: 1})
		_ = s.conn.Close()
		s = l.serve(t, mqtt.Connack{SessionPresent: true})
		s.quiet(time.Second, "the server has the subscription")
		_ = s.conn.Close()
		s = l.serve(t, mqtt.Connack{})
		p := want[*mqtt.Subscribe](s, "the server has forgotten it")
		s.send(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.NotAuthorized}})
		for m, err := range sub.Messages(t.Context()) {
			if m != nil || !errors.Is(err, mqtt.NotAuthorized) {
				t.Errorf("got %v, %v; want the server's refusal", m, err)
			}
		}
		_ = s.conn.Close()
	})
}

func TestSubscribeIsAllOrNothing(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		go func() {
			p := want[*mqtt.Subscribe](s, "SUBSCRIBE")
			s.send(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.GrantedQoS1, mqtt.NotAuthorized}})
			u := want[*mqtt.Unsubscribe](s, "what was granted is taken back")
			diff(t, "filters", []string{"yes", "no"}, u.TopicFilters)
		}()
		_, err := c.Subscribe(t.Context(), Filter{TopicFilter: "yes", QoS: 1}, Filter{TopicFilter: "no", QoS: 1})
		if !errors.Is(err, mqtt.NotAuthorized) {
			t.Errorf("got %v", err)
		}
		if _, err := c.Subscribe(t.Context(), Filter{TopicFilter: "a#"}); !errors.Is(err, mqtt.TopicFilterInvalid) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
	})
}

func TestSubscribeOutlivesConnection(t *testing.T) {
	bubble(t, kept, mqtt.Connack{}, func(t *testing.T, c *Client, l listener, s *script) {
		done := make(chan error)
		go func() {
			_, err := c.Subscribe(t.Context(), Filter{TopicFilter: "a"})
			done <- err
		}()
		want[*mqtt.Subscribe](s, "first")
		_ = s.conn.Close()
		s = l.serve(t, mqtt.Connack{SessionPresent: true})
		p := want[*mqtt.Subscribe](s, "again, as it was not answered")
		s.send(&mqtt.Suback{PacketID: p.PacketID, ReasonCodes: []mqtt.ReasonCode{0}})
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = s.conn.Close()
	})
}

func TestOverlappingSubscriptionsShareAcknowledgement(t *testing.T) {
	opts := Options{Connect: mqtt.Connect{Version: mqtt.V311, CleanStart: true}}
	bubble(t, opts, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		one, _ := subscribe(t, c, s, Filter{TopicFilter: "a/#", QoS: 1})
		two, _ := subscribe(t, c, s, Filter{TopicFilter: "+/b", QoS: 1})
		s.send(&mqtt.Publish{Topic: "a/b", QoS: 1, PacketID: 3})
		for m := range one.Messages(t.Context()) {
			diff(t, "first", "a/b", m.Topic)
			break
		}
		s.quiet(time.Second, "the other is not done")
		for m := range two.Messages(t.Context()) {
			diff(t, "second", "a/b", m.Topic)
			break
		}
		diff(t, "identifier", uint16(3), want[*mqtt.Puback](s, "both are").PacketID)
	})
}

func TestIdentifiersTellOverlappingSubscriptionsApart(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		one, p1 := subscribe(t, c, s, Filter{TopicFilter: "a/#"})
		two, p2 := subscribe(t, c, s, Filter{TopicFilter: "+/b"})
		s.send(
			&mqtt.Publish{Topic: "a/b", Payload: []byte("1"), SubscriptionIdentifiers: []uint32{p1.SubscriptionIdentifier}},
			&mqtt.Publish{Topic: "a/b", Payload: []byte("2"), SubscriptionIdentifiers: []uint32{p2.SubscriptionIdentifier}},
		)
		for _, c := range []struct {
			sub  *Subscription
			want string
		}{{one, "1"}, {two, "2"}} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			got := ""
			for m, err := range c.sub.Messages(ctx) {
				if err == nil {
					got += string(m.Payload)
				}
			}
			cancel()
			diff(t, "payloads", c.want, got)
		}
	})
}

func TestUnclaimed(t *testing.T) {
	for _, keep := range []bool{false, true} {
		opts := kept
		opts.KeepUnclaimed = keep
		bubble(t, opts, mqtt.Connack{SessionPresent: true}, func(t *testing.T, c *Client, _ listener, s *script) {
			s.send(&mqtt.Publish{Topic: "old", QoS: 1, PacketID: 1})
			if keep {
				s.quiet(time.Second, "kept for the application")
				for m := range c.Unclaimed().Messages(t.Context()) {
					diff(t, "topic", "old", m.Topic)
					break
				}
			}
			want[*mqtt.Puback](s, "done with it")
		})
	}
}
