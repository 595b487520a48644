package transport_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.golang/paho/session/state"
	"github.com/google/go-cmp/cmp"
	"github.com/xdg-go/scram"

	"mqttlab/reference-broker/auth"
	"mqttlab/reference-broker/broker"
)

// pahoClient is paho.golang's client of 5.0, one Network Connection of it.
type pahoClient struct {
	*paho.Client
	t       *testing.T
	ctx     context.Context
	conn    net.Conn
	connack *paho.Connack
	got     chan *paho.Publish
	told    chan *paho.Disconnect // of the Server
}

// dialPaho connects to a broker that runs in this process.
func dialPaho(t *testing.T, b *broker.Broker, cp *paho.Connect, change ...func(*paho.ClientConfig)) *pahoClient {
	t.Helper()
	conn, err := b.Pipe()
	must(t, err)
	c := &pahoClient{
		t: t, ctx: within(t), conn: packets.NewThreadSafeConn(conn), got: make(chan *paho.Publish, 100), told: make(chan *paho.Disconnect, 1),
	}
	t.Cleanup(func() { conn.Close() })
	config := paho.ClientConfig{
		Conn: c.conn, PacketTimeout: time.Minute,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			c.got <- p.Packet
			return true, nil
		}},
		OnServerDisconnect: func(d *paho.Disconnect) { c.told <- d },
	}
	for _, f := range change {
		f(&config)
	}
	c.Client = paho.NewClient(config)
	c.connack, err = c.Connect(c.ctx, cp)
	must(t, err)
	return c
}

func (c *pahoClient) subscribe(p *paho.Subscribe) {
	c.t.Helper()
	_, err := c.Subscribe(c.ctx, p)
	must(c.t, err)
}

func (c *pahoClient) subscribeTo(filter string, qos byte) {
	c.t.Helper()
	c.subscribe(&paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: qos}}})
}

func (c *pahoClient) publish(p *paho.Publish) {
	c.t.Helper()
	_, err := c.Publish(c.ctx, p)
	must(c.t, err)
}

// say publishes a plain message with QoS 1.
func (c *pahoClient) say(topic, text string) {
	c.t.Helper()
	c.publish(&paho.Publish{Topic: topic, QoS: 1, Payload: []byte(text)})
}

func (c *pahoClient) next() *paho.Publish {
	c.t.Helper()
	select {
	case p := <-c.got:
		return p
	case <-c.ctx.Done():
		c.t.Fatal("a message did not come")
		return nil
	}
}

// hears wants these payloads next.
func (c *pahoClient) hears(why string, texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if p := c.next(); string(p.Payload) != want {
			c.t.Fatalf("%s: %q came on %s, want %q", why, p.Payload, p.Topic, want)
		}
	}
}

func some[T any](v T) *T { return &v }

// lasting is a CONNECT for a Session that outlives its Network Connection.
func lasting(id string) *paho.Connect {
	return &paho.Connect{ClientID: id, KeepAlive: 60, Properties: &paho.ConnectProperties{SessionExpiryInterval: some(uint32(1000))}}
}

func plain(id string) *paho.Connect {
	return &paho.Connect{ClientID: id, KeepAlive: 60, CleanStart: true}
}

// TestPahoV5Features has paho.golang use each feature of 5.0 that it has.
func TestPahoV5Features(t *testing.T) {
	for name, feature := range map[string]func(*testing.T, *broker.Broker){
		"each QoS": eachQoS, "will": will, "will delay": willDelay, "retained": retained, "retain handling": retainHandling, "no local": noLocal,
		"shared subscription": sharedSubscription, "subscription identifier": subscriptionIdentifier, "topic alias": topicAlias,
		"message expiry": messageExpiry, "request and response": requestAndResponse, "properties": properties, "receive maximum": receiveMaximum,
		"session resumed": sessionResumed, "taken over": takenOver, "unsubscribe": unsubscribe, "assigned client id": assignedClientID,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := broker.Config{}
			cfg.Server.ResponseInformation = "reply/"
			feature(t, startBroker(t, cfg))
		})
	}
}

func startBroker(t *testing.T, cfg broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.New(cfg)
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		must(t, b.Close(ctx))
	})
	return b
}

func eachQoS(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	for sub := range byte(3) {
		for pub := range byte(3) {
			topic := fmt.Sprintf("qos/%d/%d", sub, pub)
			c.subscribeTo(topic, sub)
			c.publish(&paho.Publish{Topic: topic, QoS: pub, Payload: []byte(topic)})
			if p := c.next(); string(p.Payload) != topic || p.QoS != min(sub, pub) {
				t.Errorf("%s: %q came with QoS %d", topic, p.Payload, p.QoS)
			}
		}
	}
}

func withWill(cp *paho.Connect, delay uint32) *paho.Connect {
	cp.WillMessage = &paho.WillMessage{Topic: "will", QoS: 1, Payload: []byte(cp.ClientID + " is gone")}
	cp.WillProperties = &paho.WillProperties{WillDelayInterval: &delay, User: paho.UserProperties{{Key: "k", Value: "v"}}} // paho.golang sends no Content Type here
	return cp
}

func will(t *testing.T, b *broker.Broker) {
	heir := dialPaho(t, b, plain("heir"))
	heir.subscribeTo("will", 1)
	cut := dialPaho(t, b, withWill(plain("cut"), 0))
	cut.conn.Close()
	if p := heir.next(); string(p.Payload) != "cut is gone" || p.Properties.User.Get("k") != "v" {
		t.Errorf("%q came, %+v", p.Payload, p.Properties)
	}
	must(t, dialPaho(t, b, withWill(plain("polite"), 0)).Disconnect(&paho.Disconnect{}))
	must(t, dialPaho(t, b, withWill(plain("last"), 0)).Disconnect(&paho.Disconnect{ReasonCode: 4}))
	heir.hears("only DISCONNECT with 0x04 leaves the Will", "last is gone")
}

// willDelay loses a connection and comes back: the Will is not published. Where the Session ends first it is, at once.
func willDelay(t *testing.T, b *broker.Broker) {
	heir := dialPaho(t, b, plain("heir"))
	heir.subscribeTo("will", 1)
	dialPaho(t, b, withWill(lasting("back"), 900)).conn.Close()
	back := dialPaho(t, b, lasting("back"))
	back.say("will", "back again")
	heir.hears("the Will of one who came back is not published", "back again")
	dialPaho(t, b, withWill(lasting("late"), 1)).conn.Close()
	heir.hears("the delay is over", "late is gone")
	dialPaho(t, b, withWill(plain("ended"), 900)).conn.Close()
	heir.hears("the Session is over", "ended is gone")
}

func retained(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	c.publish(&paho.Publish{Topic: "r", QoS: 1, Retain: true, Payload: []byte("kept")})
	c.subscribe(&paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "r", QoS: 1}, {Topic: "+", QoS: 1, RetainAsPublished: true}}})
	for range 2 {
		if p := c.next(); !p.Retain || string(p.Payload) != "kept" {
			t.Errorf("%q came with RETAIN %t", p.Payload, p.Retain)
		}
	}
	_, err := c.Unsubscribe(c.ctx, &paho.Unsubscribe{Topics: []string{"r"}})
	must(t, err)
	c.publish(&paho.Publish{Topic: "r", QoS: 1, Retain: true})
	if p := c.next(); !p.Retain || len(p.Payload) > 0 {
		t.Errorf("Retain As Published: %q came with RETAIN %t", p.Payload, p.Retain)
	}
	other := dialPaho(t, b, plain("other"))
	other.subscribeTo("#", 1)
	other.say("end", "end")
	other.hears("an empty message removes the retained one", "end")
}

func retainHandling(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	c.publish(&paho.Publish{Topic: "r", QoS: 1, Retain: true, Payload: []byte("kept")})
	for i, want := range []struct {
		handling byte
		hears    []string
	}{{2, []string{"end"}}, {0, []string{"kept", "end"}}, {1, []string{"end"}}, {0, []string{"kept", "end"}}} {
		c.subscribe(&paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "r", QoS: 1, RetainHandling: want.handling}, {Topic: "end", QoS: 1}}})
		c.say("end", "end")
		c.hears(fmt.Sprintf("SUBSCRIBE %d with Retain Handling %d", i, want.handling), want.hears...)
	}
}

func noLocal(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	c.subscribe(&paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "a", QoS: 1, NoLocal: true}, {Topic: "end", QoS: 1}}})
	c.say("a", "mine")
	dialPaho(t, b, plain("other")).say("a", "another's")
	c.hears("No Local", "another's")
}

func sharedSubscription(t *testing.T, b *broker.Broker) {
	members := []*pahoClient{dialPaho(t, b, plain("one")), dialPaho(t, b, plain("two"))}
	for _, m := range members {
		m.subscribeTo("$share/group/jobs/+", 1)
	}
	pub := dialPaho(t, b, plain("pub"))
	times := map[string]int{}
	const jobs = 20
	for i := range jobs {
		pub.say(fmt.Sprint("jobs/", i), fmt.Sprint(i))
	}
	for range jobs {
		select {
		case p := <-members[0].got:
			times[string(p.Payload)]++
		case p := <-members[1].got:
			times[string(p.Payload)]++
		case <-pub.ctx.Done():
			t.Fatalf("only %v came", times)
		}
	}
	if len(times) != jobs {
		t.Errorf("%v came", times)
	}
	members[0].conn.Close()
	pub.say("jobs/x", "x")
	members[1].hears("the member that is left", "x")
}

func subscriptionIdentifier(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	for i, filter := range []string{"a/+", "b/+"} {
		c.subscribe(&paho.Subscribe{Properties: &paho.SubscribeProperties{SubscriptionIdentifier: some(i + 1)}, Subscriptions: []paho.SubscribeOptions{{Topic: filter, QoS: 1}}})
	}
	for i, topic := range []string{"a/x", "b/x"} {
		c.say(topic, topic)
		if p := c.next(); p.Properties.SubscriptionIdentifier == nil || *p.Properties.SubscriptionIdentifier != i+1 {
			t.Errorf("%s: %+v", topic, p.Properties)
		}
	}
}

// topicAlias uses aliases in both directions.
func topicAlias(t *testing.T, b *broker.Broker) {
	cp := plain("c")
	cp.Properties = &paho.ConnectProperties{TopicAliasMaximum: some(uint16(5))}
	c := dialPaho(t, b, cp)
	if m := c.connack.Properties.TopicAliasMaximum; m == nil || *m == 0 {
		t.Fatalf("Topic Alias Maximum %v", m)
	}
	c.subscribeTo("long/name", 1)
	c.publish(&paho.Publish{Topic: "long/name", QoS: 1, Payload: []byte("1"), Properties: &paho.PublishProperties{TopicAlias: some(uint16(3))}})
	c.publish(&paho.Publish{QoS: 1, Payload: []byte("2"), Properties: &paho.PublishProperties{TopicAlias: some(uint16(3))}})
	first, second := c.next(), c.next()
	if first.Topic != "long/name" || first.Properties.TopicAlias == nil || string(first.Payload) != "1" {
		t.Errorf("first message %+v", first)
	}
	if second.Topic != "" || *second.Properties.TopicAlias != *first.Properties.TopicAlias || string(second.Payload) != "2" {
		t.Errorf("second message %+v", second)
	}
}

func messageExpiry(t *testing.T, b *broker.Broker) {
	away := dialPaho(t, b, lasting("away"))
	away.subscribeTo("a", 1)
	away.conn.Close()
	pub := dialPaho(t, b, plain("pub"))
	for text, seconds := range map[string]uint32{"expires": 1, "stays": 1000} {
		pub.publish(&paho.Publish{Topic: "a", QoS: 1, Payload: []byte(text), Properties: &paho.PublishProperties{MessageExpiry: &seconds}})
	}
	time.Sleep(1100 * time.Millisecond)
	back := dialPaho(t, b, lasting("away"))
	if p := back.next(); string(p.Payload) != "stays" || *p.Properties.MessageExpiry >= 1000 {
		t.Errorf("%q came, with %d s left", p.Payload, *p.Properties.MessageExpiry)
	}
}

func requestAndResponse(t *testing.T, b *broker.Broker) {
	cp := plain("asker")
	cp.Properties = &paho.ConnectProperties{RequestResponseInfo: true}
	asker := dialPaho(t, b, cp)
	topic := asker.connack.Properties.ResponseInfo
	if topic == "" {
		t.Fatal("no Response Information")
	}
	asker.subscribeTo(topic, 1)
	answerer := dialPaho(t, b, plain("answerer"))
	answerer.subscribeTo("questions", 1)
	asker.publish(&paho.Publish{
		Topic: "questions", QoS: 1, Payload: []byte("6 * 7"),
		Properties: &paho.PublishProperties{ResponseTopic: topic, CorrelationData: []byte{0, 1, 2}},
	})
	q := answerer.next()
	answerer.publish(&paho.Publish{
		Topic: q.Properties.ResponseTopic, QoS: 1, Payload: []byte("42"), Properties: &paho.PublishProperties{CorrelationData: q.Properties.CorrelationData},
	})
	if a := asker.next(); string(a.Payload) != "42" || string(a.Properties.CorrelationData) != "\x00\x01\x02" {
		t.Errorf("the answer is %q, %+v", a.Payload, a.Properties)
	}
}

func properties(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	c.subscribeTo("a", 2)
	sent := &paho.PublishProperties{
		ContentType: "text/plain", PayloadFormat: some(byte(1)), ResponseTopic: "r", CorrelationData: []byte("c"),
		User: paho.UserProperties{{Key: "k", Value: "1"}, {Key: "other", Value: ""}, {Key: "k", Value: "2"}},
	}
	c.publish(&paho.Publish{Topic: "a", QoS: 2, Payload: []byte("ä"), Properties: sent})
	if diff := cmp.Diff(sent, c.next().Properties); diff != "" {
		t.Errorf("properties (-sent +received):\n%s", diff)
	}
}

// receiveMaximum leaves a message unacknowledged: the next waits, and QoS 0 does not.
func receiveMaximum(t *testing.T, b *broker.Broker) {
	cp := plain("c")
	cp.Properties = &paho.ConnectProperties{ReceiveMaximum: some(uint16(1))}
	c := dialPaho(t, b, cp, func(c *paho.ClientConfig) { c.EnableManualAcknowledgment, c.SendAcksInterval = true, time.Millisecond })
	c.subscribeTo("a", 1)
	pub := dialPaho(t, b, plain("pub"))
	pub.say("a", "first")
	pub.say("a", "second")
	pub.publish(&paho.Publish{Topic: "a", Payload: []byte("QoS 0")})
	first := c.next()
	c.hears("the quota is used up", "QoS 0")
	must(t, c.Ack(first))
	c.hears("there is quota again", "second")
}

func sessionResumed(t *testing.T, b *broker.Broker) {
	kept := state.NewInMemory()
	memory := func(c *paho.ClientConfig) { c.Session = kept }
	c := dialPaho(t, b, lasting("c"), memory)
	if c.connack.SessionPresent {
		t.Error("a Session is present before the first CONNECT")
	}
	c.subscribeTo("a", 2)
	c.conn.Close()
	<-c.Done()
	pub := dialPaho(t, b, plain("pub"))
	for _, text := range []string{"1", "2", "3"} {
		pub.publish(&paho.Publish{Topic: "a", QoS: 2, Payload: []byte(text)})
	}
	c = dialPaho(t, b, lasting("c"), memory)
	if !c.connack.SessionPresent {
		t.Error("the Session is not present")
	}
	c.hears("what came meanwhile", "1", "2", "3")
}

func takenOver(t *testing.T, b *broker.Broker) {
	first := dialPaho(t, b, plain("c"))
	dialPaho(t, b, plain("c"))
	select {
	case d := <-first.told:
		if d.ReasonCode != packets.DisconnectSessionTakenOver {
			t.Errorf("told 0x%02X", d.ReasonCode)
		}
	case <-first.ctx.Done():
		t.Error("the first connection was not told")
	}
}

func unsubscribe(t *testing.T, b *broker.Broker) {
	c := dialPaho(t, b, plain("c"))
	c.subscribeTo("a", 1)
	c.subscribeTo("end", 1)
	ack, err := c.Unsubscribe(c.ctx, &paho.Unsubscribe{Topics: []string{"a", "nosuch"}})
	must(t, err)
	if diff := cmp.Diff([]byte{0, 0x11}, ack.Reasons); diff != "" {
		t.Error(diff)
	}
	c.say("a", "unwanted")
	c.say("end", "end")
	c.hears("after UNSUBSCRIBE", "end")
}

func assignedClientID(t *testing.T, b *broker.Broker) {
	one, two := dialPaho(t, b, plain("")), dialPaho(t, b, plain(""))
	if a, b := one.connack.Properties.AssignedClientID, two.connack.Properties.AssignedClientID; a == "" || a == b {
		t.Errorf("assigned %q and %q", a, b)
	}
}

// scramAuther answers for paho.golang with the client's half of a SCRAM that is not ours.
type scramAuther struct{ conversation *scram.ClientConversation }

func (s *scramAuther) Authenticate(a *paho.Auth) *paho.Auth {
	answer, _ := s.conversation.Step(string(a.Properties.AuthData)) // what is wrong the Server refuses
	return &paho.Auth{ReasonCode: packets.AuthContinueAuthentication, Properties: &paho.AuthProperties{AuthMethod: auth.SCRAMSHA256Method, AuthData: []byte(answer)}}
}

func (*scramAuther) Authenticated() {}

// begin starts an exchange and returns its first message.
func (s *scramAuther) begin(t *testing.T, password string) []byte {
	c, err := scram.SHA256.NewClient("ann", password, "")
	must(t, err)
	s.conversation = c.NewConversation()
	first, err := s.conversation.Step("")
	must(t, err)
	return []byte(first)
}

// TestPahoV5Authenticates lets paho.golang prove a password by SCRAM, and again on the same connection.
func TestPahoV5Authenticates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	must(t, auth.SetPassword(file, "ann", []byte("secret"), auth.SCRAMSHA256))
	users, err := auth.OpenUsers(file)
	must(t, err)
	b := startBroker(t, broker.Config{Authenticator: auth.NewDoor(auth.DoorConfig{Users: users, FailureTime: time.Millisecond})})
	s := new(scramAuther)
	cp := plain("c")
	cp.Properties = &paho.ConnectProperties{AuthMethod: auth.SCRAMSHA256Method, AuthData: s.begin(t, "secret")}
	c := dialPaho(t, b, cp, func(c *paho.ClientConfig) { c.AuthHandler = s })
	if _, err := s.conversation.Step(string(c.connack.Properties.AuthData)); err != nil || !s.conversation.Valid() {
		t.Errorf("the broker does not prove that it knows the keys: %v", err)
	}
	again := &paho.Auth{ReasonCode: packets.AuthReauthenticate, Properties: &paho.AuthProperties{AuthMethod: auth.SCRAMSHA256Method, AuthData: s.begin(t, "secret")}}
	if r, err := c.Authenticate(c.ctx, again); err != nil || !r.Success {
		t.Errorf("authenticating again: %+v, %v", r, err)
	}
	conn, err := b.Pipe()
	must(t, err)
	defer conn.Close()
	cp.Properties.AuthData = s.begin(t, "wrong")
	wrong := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn), PacketTimeout: time.Minute, AuthHandler: s})
	if k, err := wrong.Connect(within(t), cp); err == nil || k.ReasonCode != packets.ConnackNotAuthorized {
		t.Errorf("the wrong password: %v, %v", k, err)
	}
}
