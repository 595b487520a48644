package transport_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// serve starts a broker that listens on all transports, and returns their URLs by scheme.
func serve(t *testing.T, ca *authority) map[string]string {
	t.Helper()
	b, err := broker.New(broker.Config{})
	must(t, err)
	lc := &transport.ListenConfig{TLS: ca.server()}
	urls := make(map[string]string)
	for _, scheme := range []string{"mqtt", "mqtts", "ws", "wss", "mqtt+unix"} {
		u := scheme + "://127.0.0.1:0"
		if scheme == "mqtt+unix" {
			u = "mqtt+unix://" + ca.dir + "/socket"
		}
		ln, err := lc.Listen(t.Context(), u)
		must(t, err)
		urls[scheme] = transport.URL(ln)
		go b.Serve(context.Background(), ln)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("the broker did not close in time: %v", err)
		}
	})
	return urls
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// payload is large enough to take several reads.
var payload = strings.Repeat("0123456789", 10_000)

func TestOwnClient(t *testing.T) {
	ca := newAuthority(t)
	trust, err := transport.ClientTLS(ca.file, "", "")
	must(t, err)
	for scheme, u := range serve(t, ca) {
		ctx := within(t)
		c, err := client.Dial(ctx, u, &client.Options{TLS: trust})
		if err != nil {
			t.Errorf("%s: %v", scheme, err)
			continue
		}
		sub, err := c.Subscribe(ctx, client.Filter{TopicFilter: "a/#", QoS: mqtt.ExactlyOnce})
		must(t, err)
		for range 3 {
			_, err = c.Publish(ctx, &client.Message{Topic: "a/b", QoS: mqtt.ExactlyOnce, Payload: []byte(payload)})
			must(t, err)
		}
		n := 0
		for m, err := range sub.Messages(ctx) {
			must(t, err)
			if string(m.Payload) != payload {
				t.Errorf("%s: the payload was changed", scheme)
			}
			if n++; n == 3 {
				break
			}
		}
		if err := c.Close(ctx); err != nil {
			t.Errorf("%s: closing: %v", scheme, err)
		}
	}
}

// TestPaho exchanges messages with the client of 3.1.1 that is most used in Go.
func TestPaho(t *testing.T) {
	ca := newAuthority(t)
	trust, err := transport.ClientTLS(ca.file, "", "")
	must(t, err)
	for scheme, u := range serve(t, ca) {
		u = strings.NewReplacer("mqtt+unix", "unix", "mqtts", "ssl", "mqtt", "tcp").Replace(u)
		got := make(chan string, 1)
		c := paho3.NewClient(paho3.NewClientOptions().AddBroker(u).SetTLSConfig(trust).SetConnectRetry(false))
		wait := func(token paho3.Token) {
			t.Helper()
			if !token.WaitTimeout(time.Minute) || token.Error() != nil {
				t.Fatalf("%s: %v", scheme, token.Error())
			}
		}
		wait(c.Connect())
		wait(c.Subscribe("a/b", 2, func(_ paho3.Client, m paho3.Message) { got <- string(m.Payload()) }))
		wait(c.Publish("a/b", 2, false, payload))
		if <-got != payload {
			t.Errorf("%s: the payload was changed", scheme)
		}
		c.Disconnect(100)
	}
}

// TestPahoV5 does the same with that of 5.0.
func TestPahoV5(t *testing.T) {
	ca := newAuthority(t)
	trust, err := transport.ClientTLS(ca.file, "", "")
	must(t, err)
	for scheme, raw := range serve(t, ca) {
		if scheme == "mqtt+unix" { // which it does not have
			continue
		}
		u, err := url.Parse(raw)
		must(t, err)
		ctx := within(t)
		got := make(chan string, 1)
		c, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
			ServerUrls: []*url.URL{u}, TlsCfg: trust, KeepAlive: 20,
			ClientConfig: paho.ClientConfig{
				ClientID: "v5",
				OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
					got <- string(p.Packet.Payload)
					return true, nil
				}},
			},
		})
		must(t, err)
		must(t, c.AwaitConnection(ctx))
		_, err = c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "a/b", QoS: 2}}})
		must(t, err)
		_, err = c.Publish(ctx, &paho.Publish{Topic: "a/b", QoS: 2, Payload: []byte(payload)})
		must(t, err)
		if <-got != payload {
			t.Errorf("%s: the payload was changed", scheme)
		}
		must(t, c.Disconnect(ctx))
	}
}

func TestMosquittoPub(t *testing.T) {
	path, err := exec.LookPath("mosquitto_pub")
	if err != nil {
		t.Skip("mosquitto_pub is not installed")
	}
	ca := newAuthority(t)
	urls := serve(t, ca)
	ctx := within(t)
	c, err := client.Dial(ctx, urls["mqtt"], nil)
	must(t, err)
	sub, err := c.Subscribe(ctx, client.Filter{TopicFilter: "a"})
	must(t, err)
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(urls["mqtts"], "mqtts://"))
	for _, version := range []string{"tlsv1.2", "tlsv1.3"} {
		cmd := exec.CommandContext(ctx, path, "-h", host, "-p", port, "--cafile", ca.file, "--tls-version", version, "-t", "a", "-m", version, "-q", "1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("mosquitto_pub: %v: %s", err, out)
		}
		for m, err := range sub.Messages(ctx) {
			must(t, err)
			if string(m.Payload) != version {
				t.Errorf("got %q", m.Payload)
			}
			break
		}
	}
	must(t, c.Close(ctx))
}

// TestSocketsUnderTLS shows that TLS and WebSocket run on top of the sockets that the caller opens.
func TestSocketsUnderTLS(t *testing.T) {
	ca := newAuthority(t)
	trust, err := transport.ClientTLS(ca.file, "", "")
	must(t, err)
	for scheme, u := range serve(t, ca) {
		opened := 0
		d := transport.Dialer{TLS: trust, Socket: func(ctx context.Context, network, address string) (net.Conn, error) {
			opened++
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
		c, err := d.Dial(within(t), u)
		must(t, err)
		if _, secure := c.(*tls.Conn); opened != 1 || secure != (scheme == "mqtts") {
			t.Errorf("%s: %d sockets opened, a %T returned", scheme, opened, c)
		}
		c.Close()
	}
}
