package client

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/mqtt"
)

func TestThoseInLineMeetTheLimitsOfTheNextConnection(t *testing.T) {
	opts := kept
	opts.MaxQueued = 1
	bubble(t, opts, mqtt.Connack{ReceiveMaximum: 1}, func(t *testing.T, c *Client, l listener, s *script) {
		results := make([]chan error, 4)
		for i := range results {
			results[i] = make(chan error, 1)
			go func() {
				_, err := c.Publish(t.Context(), &Message{Topic: "a", QoS: 1 + mqtt.QoS(i/3)}) // the last has QoS 2
				results[i] <- err
			}()
			synctest.Wait()
		}
		_ = s.conn.Close()
		s = l.serve(t, mqtt.Connack{SessionPresent: true, MaximumQoS: mqtt.Some(mqtt.AtLeastOnce)})
		for range 3 {
			s.send(&mqtt.Puback{PacketID: wantPublish(s).PacketID})
		}
		for i, want := range []error{nil, nil, nil, mqtt.QoSNotSupported} {
			if err := <-results[i]; !errors.Is(err, want) {
				t.Errorf("message %d: %v, want %v", i, err, want)
			}
		}
		_ = s.conn.Close()
	})
}

func TestRedirectThatLeadsNowhereIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(listener)
		var dialled []string
		opts := &Options{
			Seed:     1,
			Redirect: func(reference string) string { return "mqtt://" + reference },
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				if address != "home:1883" {
					return nil, errors.New("no such host")
				}
				return l.dial(ctx, network, address)
			},
		}
		go func() {
			s := l.serve(t, mqtt.Connack{})
			s.send(&mqtt.Disconnect{ReasonCode: mqtt.UseAnotherServer, ServerReference: "nowhere"})
			s.wantClose("after DISCONNECT")
			s = l.serve(t, mqtt.Connack{})
			want[*mqtt.Disconnect](s, "the test is over")
			s.wantClose("after DISCONNECT")
		}()
		connected := make(chan struct{}, 2)
		opts.OnConnect = func(*mqtt.Connack) { connected <- struct{}{} }
		c, err := Dial(t.Context(), "mqtt://home", opts)
		if err != nil {
			t.Fatal(err)
		}
		<-connected
		<-connected
		diff(t, "dialled", []string{"home:1883", "nowhere:1883", "home:1883"}, dialled)
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestEachConnectionBeginsItsOwnAuthentication(t *testing.T) {
	begun := 0
	opts := kept
	opts.Connect.AuthenticationMethod = mqtt.Some("m")
	opts.AuthStart = func(context.Context) ([]byte, error) { begun++; return []byte{byte(begun)}, nil }
	opts.Auth = func(context.Context, []byte) ([]byte, error) { return nil, nil }
	answer := mqtt.Connack{AuthenticationMethod: mqtt.Some("m"), SessionPresent: true}
	first := answer
	first.SessionPresent = false
	bubble(t, opts, first, func(t *testing.T, _ *Client, l listener, s *script) {
		_ = s.conn.Close()
		s, connect := l.accept(t)
		diff(t, "data of the second CONNECT", []byte{2}, connect.AuthenticationData)
		s.send(&answer)
		synctest.Wait()
		_ = s.conn.Close()
	})
}

// socketLike is a pipe whose errors are those of sockets.
type socketLike struct{ net.Conn }

func (c socketLike) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}

// TestDialIsNotInterruptedByItself lets the time of Dial run out in the middle of a handshake and in the wait for CONNACK: the error is that, not what
// giving up looks like from inside.
func TestDialIsNotInterruptedByItself(t *testing.T) {
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"handshake": func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		"CONNACK": func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, far) }()
			return socketLike{near}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := Dial(ctx, "mqtt://server", &Options{Dial: dial})
				if want := "connecting to server:1883: context deadline exceeded"; !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		})
	}
}

// TestWhatToDoAboutNoCONNACK holds the advice about a server that says something else than CONNACK, or nothing before it goes.
func TestWhatToDoAboutNoCONNACK(t *testing.T) {
	for name, answer := range map[string][]byte{"closes": nil, "alert of TLS": {21, 3, 1, 0, 2, 2, 22}, "HTTP": []byte("HTTP/1.1 400 Bad Request\r\n\r\n")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := make(listener)
				go func() {
					s, _ := l.accept(t)
					_, _ = s.conn.Write(answer)
					_ = s.conn.Close()
				}()
				_, err := Dial(t.Context(), "mqtt://server", &Options{Dial: l.dial})
				if err == nil || !strings.Contains(err.Error(), "server:1883 did not answer CONNECT: ") || !strings.Contains(err.Error(), "does it want TLS (mqtts://)") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
