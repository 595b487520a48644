package client

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/mqtt"
)

var kept = Options{Connect: mqtt.Connect{ClientID: "c", SessionExpiryInterval: 3600}}

func TestPublishReturnsWithAcknowledgement(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		go func() {
			p := want[*mqtt.Publish](s, "QoS 0")
			diff(t, "topic", "zero", p.Topic)
			p = want[*mqtt.Publish](s, "QoS 1")
			s.send(&mqtt.Puback{PacketID: p.PacketID, ReasonCode: mqtt.NoMatchingSubscribers})
			p = want[*mqtt.Publish](s, "QoS 2")
			id := p.PacketID
			s.send(&mqtt.Pubrec{PacketID: id})
			want[*mqtt.Pubrel](s, "after PUBREC")
			s.send(&mqtt.Pubcomp{PacketID: id})
			p = want[*mqtt.Publish](s, "QoS 1")
			s.send(&mqtt.Puback{PacketID: p.PacketID, ReasonCode: mqtt.NotAuthorized})
		}()
		for qos, want := range []mqtt.ReasonCode{mqtt.Success, mqtt.NoMatchingSubscribers, mqtt.Success} {
			ack, err := c.Publish(t.Context(), &Message{Topic: []string{"zero", "one", "two"}[qos], QoS: mqtt.QoS(qos)})
			if err != nil || ack.ReasonCode != want {
				t.Errorf("QoS %d: %v, %v; want %v", qos, ack, err, want)
			}
		}
		_, err := c.Publish(t.Context(), &Message{Topic: "forbidden", QoS: 1})
		if !errors.Is(err, mqtt.NotAuthorized) || !errors.As(err, new(*RefusedError)) {
			t.Errorf("refused message: %v", err)
		}
		if _, err := c.Publish(t.Context(), &Message{Topic: "#"}); !errors.Is(err, mqtt.TopicNameInvalid) || !errors.As(err, new(*InvalidError)) {
			t.Errorf("wildcard in a topic: %v", err)
		}
	})
}

func TestDialRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(listener)
		go func() {
			s := l.serve(t, mqtt.Connack{ReasonCode: mqtt.NotAuthorized})
			s.wantClose("after a refusal")
		}()
		_, err := Dial(t.Context(), "mqtt://server", &Options{Dial: l.dial})
		if !errors.Is(err, mqtt.NotAuthorized) {
			t.Errorf("got %v, want NotAuthorized", err)
		}
	})
}

func TestDialRetriesIfAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		dial := func(context.Context, string, string) (net.Conn, error) {
			attempts++
			return nil, errors.New("no route")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := Dial(ctx, "mqtt://server", &Options{Dial: dial, RetryFirst: true, Backoff: Backoff{Min: 10 * time.Second, Max: 10 * time.Second}})
		if !errors.Is(err, context.DeadlineExceeded) || attempts != 6 && attempts != 7 {
			t.Errorf("%d attempts, %v", attempts, err)
		}
	})
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(listener)
		go func() {
			s, _ := l.accept(t) // and never answer
			s.wantClose("the client gave up")
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := Dial(ctx, "mqtt://server", &Options{Dial: l.dial}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d > 1100*time.Millisecond {
			t.Errorf("took %v, the context lasted 1s", d)
		}
	})
}

func TestOptionsAreCheckedAtOnce(t *testing.T) {
	_, err := Dial(t.Context(), "mqtt://server", &Options{
		Connect: mqtt.Connect{Version: 7, AuthenticationData: []byte("x")}, MaxQueued: -1, Buffer: -1,
	})
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 4 {
		t.Errorf("got %v, want four mistakes", err)
	}
	for _, url := range []string{"http://a", "mqtt://", "mqtts://", "wss:///mqtt", "mqtt+unix://", "%"} {
		if _, err := Dial(t.Context(), url, nil); err == nil {
			t.Errorf("URL %q was accepted", url)
		}
	}
	for _, url := range []string{"mqtt://me:secret@h:%", "http://me:secret@h", "mqtt://me:secret@h/path"} {
		if _, err := Dial(t.Context(), url, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("URL %q: %v", url, err)
		}
	}
}

func TestCredentialsFromURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(listener)
		go func() {
			s, c := l.accept(t)
			diff(t, "user name", mqtt.Some("me"), c.Username)
			diff(t, "password", mqtt.Some([]byte("secret")), c.Password)
			diff(t, "keep alive", uint16(60), c.KeepAlive)
			s.send(&mqtt.Connack{ReasonCode: mqtt.ServerBusy})
			s.wantClose("refused")
		}()
		_, _ = Dial(t.Context(), "mqtt://me:secret@server", &Options{Dial: l.dial})
	})
}

func TestEnqueueSurvivesReconnect(t *testing.T) {
	bubble(t, kept, mqtt.Connack{}, func(t *testing.T, c *Client, l listener, s *script) {
		payload := []byte("original")
		pending, err := c.Enqueue(&Message{Topic: "a", QoS: 1, Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		copy(payload, "CHANGED!")
		id := want[*mqtt.Publish](s, "first time").PacketID
		_ = s.conn.Close()
		s, connect := l.accept(t)
		if connect.CleanStart {
			t.Error("the second connection does not resume the session")
		}
		s.send(&mqtt.Connack{SessionPresent: true})
		p := want[*mqtt.Publish](s, "again")
		if !p.Dup || p.PacketID != id || string(p.Payload) != "original" {
			t.Errorf("sent again: %+v", p)
		}
		s.send(&mqtt.Puback{PacketID: id})
		if _, err := pending.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		_ = s.conn.Close()
	})
}

func TestContextEndsWaitingNotTheMessage(t *testing.T) {
	bubble(t, Options{MaxQueued: 1}, mqtt.Connack{ReceiveMaximum: 1}, func(t *testing.T, c *Client, _ listener, s *script) {
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { _, _ = s.read() }()
		payload := []byte("abc")
		_, err := c.Publish(short, &Message{Topic: "a", QoS: 1, Payload: payload})
		if !errors.Is(err, ErrUnderWay) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("sent, not acknowledged: %v", err)
		}
		if _, err := c.Enqueue(&Message{Topic: "b", QoS: 1}); err != nil {
			t.Errorf("room for one: %v", err)
		}
		if _, err := c.Enqueue(&Message{Topic: "c", QoS: 1}); !errors.Is(err, ErrQueueFull) {
			t.Errorf("no room for two: %v", err)
		}
		if _, err := c.Publish(short, &Message{Topic: "c", QoS: 1}); !errors.Is(err, ErrNotTaken) {
			t.Errorf("waiting for room: %v", err)
		}
	})
}

func TestPublishWaitsInLine(t *testing.T) {
	bubble(t, Options{MaxQueued: 1}, mqtt.Connack{ReceiveMaximum: 1}, func(t *testing.T, c *Client, _ listener, s *script) {
		const n = 10
		impatient, cancel := context.WithCancel(t.Context())
		for i := range n {
			ctx := t.Context()
			if i%3 == 2 {
				ctx = impatient
			}
			go func() {
				_, err := c.Publish(ctx, &Message{Topic: strconv.Itoa(i), QoS: 1})
				if err != nil && (ctx != impatient || !errors.Is(err, ErrNotTaken)) {
					t.Errorf("message %d: %v", i, err)
				}
			}()
			synctest.Wait() // they come one after the other
		}
		cancel()
		synctest.Wait()
		for _, want := range []string{"0", "1", "3", "4", "6", "7", "9"} {
			p := wantPublish(s)
			diff(t, "topic", want, p.Topic)
			s.send(&mqtt.Puback{PacketID: p.PacketID})
		}
	})
}

func wantPublish(s *script) *mqtt.Publish {
	s.t.Helper()
	return want[*mqtt.Publish](s, "the next in line")
}

func TestCloseSendsThoseInLineAway(t *testing.T) {
	bubble(t, Options{MaxQueued: 1}, mqtt.Connack{ReceiveMaximum: 1}, func(t *testing.T, c *Client, _ listener, s *script) {
		go func() {
			for {
				if _, err := s.read(); err != nil {
					return
				}
			}
		}()
		results := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := c.Publish(t.Context(), &Message{Topic: "a", QoS: 1})
				results <- err
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		go func() { _ = c.Close(ctx) }()
		for range 3 {
			if err := <-results; !errors.Is(err, ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
		diff(t, "time they waited", time.Duration(0), time.Since(start))
		<-c.Done()
	})
}

func TestPublishWaitsForRoom(t *testing.T) {
	bubble(t, Options{MaxQueued: 1}, mqtt.Connack{ReceiveMaximum: 1}, func(t *testing.T, c *Client, _ listener, s *script) {
		const n = 20
		results := make(chan error)
		for range n {
			go func() {
				_, err := c.Publish(t.Context(), &Message{Topic: "a", QoS: 1})
				results <- err
			}()
		}
		go func() {
			for range n {
				s.send(&mqtt.Puback{PacketID: want[*mqtt.Publish](s, "one at a time").PacketID})
			}
		}()
		for range n {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestCloseSendsWhatIsUnderWayAndDisconnects(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		pending, err := c.Enqueue(&Message{Topic: "a", QoS: 1})
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- c.Close(t.Context()) }()
		p := want[*mqtt.Publish](s, "before the end")
		synctest.Wait()
		if _, err := c.Publish(t.Context(), &Message{Topic: "b"}); !errors.Is(err, ErrClosed) {
			t.Errorf("publish while closing: %v", err)
		}
		s.send(&mqtt.Puback{PacketID: p.PacketID})
		want[*mqtt.Disconnect](s, "the last packet")
		s.wantClose("after DISCONNECT")
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if _, err := pending.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if !errors.Is(c.Err(), ErrClosed) {
			t.Errorf("Err is %v", c.Err())
		}
	})
}

func TestCloseLeavesMessagesBehindWhenContextEnds(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		pending, _ := c.Enqueue(&Message{Topic: "a", QoS: 1})
		go func() { _, _ = s.read(); _, _ = s.read() }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		if _, err := pending.Wait(t.Context()); !errors.Is(err, ErrSessionLost) {
			t.Errorf("the message: %v", err)
		}
	})
}

func TestDeadServerIsNoticed(t *testing.T) {
	var downs []error
	opts := kept
	opts.Connect.KeepAlive = 10
	opts.OnDisconnect = func(err error) { downs = append(downs, err) }
	bubble(t, opts, mqtt.Connack{}, func(t *testing.T, c *Client, l listener, s *script) {
		start := time.Now()
		want[*mqtt.Pingreq](s, "idle")
		s.send(&mqtt.Pingresp{})
		want[*mqtt.Pingreq](s, "idle again")
		if d := time.Since(start); d < 17*time.Second || d > 20*time.Second {
			t.Errorf("two PINGREQ after %v, keep alive is 10s", d)
		}
		s.wantClose("no PINGRESP")
		again := l.serve(t, mqtt.Connack{SessionPresent: true})
		synctest.Wait()
		if len(downs) != 1 || !errors.Is(downs[0], ErrTimeout) {
			t.Errorf("told of %v", downs)
		}
		_ = again.conn.Close()
	})
}

func TestSessionTakenOverEndsClient(t *testing.T) {
	bubble(t, Options{}, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		pending, _ := c.Enqueue(&Message{Topic: "a", QoS: 1})
		want[*mqtt.Publish](s, "message")
		s.send(&mqtt.Disconnect{ReasonCode: mqtt.SessionTakenOver})
		<-c.Done()
		if !errors.Is(c.Err(), mqtt.SessionTakenOver) {
			t.Errorf("Err is %v", c.Err())
		}
		if _, err := pending.Wait(t.Context()); !errors.Is(err, ErrSessionLost) && !errors.Is(err, mqtt.SessionTakenOver) {
			t.Errorf("message under way: %v", err)
		}
		if _, err := c.Publish(t.Context(), &Message{Topic: "a"}); !errors.Is(err, mqtt.SessionTakenOver) {
			t.Errorf("publish afterwards: %v", err)
		}
	})
}

func TestMalformedPacketIsAnswered(t *testing.T) {
	bubble(t, kept, mqtt.Connack{}, func(t *testing.T, c *Client, l listener, s *script) {
		go func() { _, _ = s.conn.Write([]byte{0x36, 4, 0, 1, 'a', 0}) }()
		d := want[*mqtt.Disconnect](s, "QoS 3")
		diff(t, "reason", mqtt.MalformedPacket, d.ReasonCode)
		s.wantClose("after DISCONNECT")
		again := l.serve(t, mqtt.Connack{SessionPresent: true})
		_ = again.conn.Close()
	})
}

func TestRedirect(t *testing.T) {
	opts := kept
	asked := ""
	opts.Redirect = func(reference string) string { asked = reference; return "mqtt://" + reference }
	bubble(t, opts, mqtt.Connack{}, func(t *testing.T, c *Client, l listener, s *script) {
		s.send(&mqtt.Disconnect{ReasonCode: mqtt.ServerMoved, ServerReference: "elsewhere:1884"})
		again := l.serve(t, mqtt.Connack{})
		diff(t, "asked about", "elsewhere:1884", asked)
		_ = again.conn.Close()
	})
}

func TestAuthentication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(listener)
		m := mqtt.Some("M")
		go func() {
			s, c := l.accept(t)
			diff(t, "method", m, c.AuthenticationMethod)
			s.send(&mqtt.Auth{ReasonCode: mqtt.ContinueAuthentication, AuthenticationMethod: m, AuthenticationData: []byte("2+2")})
			a := want[*mqtt.Auth](s, "answer")
			diff(t, "answer", "4", string(a.AuthenticationData))
			s.send(&mqtt.Connack{AuthenticationMethod: m})
			want[*mqtt.Disconnect](s, "end")
			s.wantClose("after DISCONNECT")
		}()
		opts := &Options{
			Dial: l.dial, Connect: mqtt.Connect{AuthenticationMethod: m},
			Auth: func(_ context.Context, challenge []byte) ([]byte, error) {
				diff(t, "challenge", "2+2", string(challenge))
				return []byte("4"), nil
			},
		}
		c, err := Dial(t.Context(), "mqtt://server", opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
