package transport_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	paho3 "github.com/eclipse/paho.mqtt.golang"

	"mqttlab/reference-broker/broker"
)

// paho3Client is paho.mqtt.golang's client of 3.1 and 3.1.1.
type paho3Client struct {
	paho3.Client
	t   *testing.T
	got chan paho3.Message

	mu   sync.Mutex // guards conn
	conn net.Conn
}

// dialPaho3 connects to a broker that runs in this process.
func dialPaho3(t *testing.T, b *broker.Broker, version uint, id string, change ...func(*paho3.ClientOptions)) *paho3Client {
	t.Helper()
	c := &paho3Client{t: t, got: make(chan paho3.Message, 100)}
	o := paho3.NewClientOptions().AddBroker("tcp://pipe").SetClientID(id).SetProtocolVersion(version).SetAutoReconnect(false).SetOrderMatters(true)
	o.SetCustomOpenConnectionFn(func(*url.URL, paho3.ClientOptions) (net.Conn, error) {
		conn, err := b.Pipe()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conn = conn
		return conn, err
	})
	o.SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) { c.got <- m })
	for _, f := range change {
		f(o)
	}
	c.Client = paho3.NewClient(o)
	c.wait(c.Connect())
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// cut ends the connection without DISCONNECT.
func (c *paho3Client) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn.Close()
}

func (c *paho3Client) wait(token paho3.Token) {
	c.t.Helper()
	if !token.WaitTimeout(time.Minute) || token.Error() != nil {
		c.t.Fatalf("%T: %v", token, token.Error())
	}
}

func (c *paho3Client) subscribe(filter string, qos byte) {
	c.t.Helper()
	c.wait(c.Subscribe(filter, qos, nil))
}

func (c *paho3Client) say(topic, text string) {
	c.t.Helper()
	c.wait(c.Publish(topic, 1, false, text))
}

func (c *paho3Client) next() paho3.Message {
	c.t.Helper()
	select {
	case m := <-c.got:
		return m
	case <-time.After(time.Minute):
		c.t.Fatal("a message did not come")
		return nil
	}
}

func (c *paho3Client) hears(why string, texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if m := c.next(); string(m.Payload()) != want {
			c.t.Fatalf("%s: %q came on %s, want %q", why, m.Payload(), m.Topic(), want)
		}
	}
}

// TestPahoFeatures has paho.mqtt.golang use each feature that it has, in 3.1 and in 3.1.1.
func TestPahoFeatures(t *testing.T) {
	for version, name := range map[uint]string{3: "3.1", 4: "3.1.1"} {
		t.Run(name, func(t *testing.T) {
			dial := func(t *testing.T, b *broker.Broker, id string, change ...func(*paho3.ClientOptions)) *paho3Client {
				return dialPaho3(t, b, version, id, change...)
			}
			t.Run("each QoS", func(t *testing.T) { paho3QoS(dial(t, startBroker(t, broker.Config{}), "c")) })
			t.Run("will", func(t *testing.T) {
				b := startBroker(t, broker.Config{})
				heir := dial(t, b, "heir")
				heir.subscribe("will", 1)
				leave := func(o *paho3.ClientOptions) { o.SetWill("will", o.ClientID, 1, true) }
				dial(t, b, "polite", leave).Disconnect(1000)
				dial(t, b, "cut", leave).cut()
				heir.hears("only a lost connection leaves the Will", "cut")
				late := dial(t, b, "late")
				late.subscribe("will", 1)
				if m := late.next(); !m.Retained() || string(m.Payload()) != "cut" {
					t.Errorf("%q came, retained %t", m.Payload(), m.Retained())
				}
			})
			t.Run("session resumed", func(t *testing.T) {
				b := startBroker(t, broker.Config{})
				keep := func(o *paho3.ClientOptions) { o.SetCleanSession(false) }
				away := dial(t, b, "away", keep)
				away.subscribe("a", 2)
				away.Disconnect(1000)
				pub := dial(t, b, "pub")
				pub.say("a", "1")
				pub.say("a", "2")
				dial(t, b, "away", keep).hears("what came meanwhile", "1", "2")
			})
			t.Run("unsubscribe", func(t *testing.T) {
				c := dial(t, startBroker(t, broker.Config{}), "c")
				c.subscribe("a", 1)
				c.subscribe("end", 1)
				c.wait(c.Unsubscribe("a"))
				c.say("a", "unwanted")
				c.say("end", "end")
				c.hears("after UNSUBSCRIBE", "end")
			})
		})
	}
}

func paho3QoS(c *paho3Client) {
	for sub := range byte(3) {
		for pub := range byte(3) {
			topic := string([]byte{'0' + sub, '/', '0' + pub})
			c.subscribe(topic, sub)
			c.wait(c.Publish(topic, pub, false, topic))
			if m := c.next(); string(m.Payload()) != topic || m.Qos() != min(sub, pub) {
				c.t.Errorf("%s: %q came with QoS %d", topic, m.Payload(), m.Qos())
			}
		}
	}
}
