package client

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// memoryStore is a Store that can be copied at any moment, as a kill would leave it, and that can be made to fail.
type memoryStore struct {
	mu    sync.Mutex
	pairs map[string][]byte
	fail  error
}

func (s *memoryStore) Load(each func(string, []byte) error) error {
	for k, v := range s.found() {
		if err := each(k, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *memoryStore) Commit(changes []Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(s.pairs, c.Key)
			continue
		}
		if s.pairs == nil {
			s.pairs = map[string][]byte{}
		}
		s.pairs[c.Key] = bytes.Clone(c.Value)
	}
	return nil
}

func (s *memoryStore) found() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pairs)
}

func (s *memoryStore) breakWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// lasting is a Session that a Store is of use for.
func lasting(s Store) Options {
	return Options{Store: s, Connect: mqtt.Connect{ClientID: "dev", SessionExpiryInterval: mqtt.SessionNeverExpires}}
}

func enqueue(t *testing.T, c *Client, topic string, qos mqtt.QoS) {
	t.Helper()
	if _, err := c.Enqueue(&Message{Topic: topic, QoS: qos, Payload: []byte("payload of " + topic), ContentType: mqtt.Some("text")}); err != nil {
		t.Fatal(err)
	}
}

// midway leaves what a process leaves that is killed with a message released (a), two sent (b, c), one waiting (d), and one received (9).
func midway(t *testing.T) (store *memoryStore, ids map[string]uint16) {
	t.Helper()
	live, killed := new(memoryStore), new(memoryStore)
	ids = map[string]uint16{}
	bubble(t, lasting(live), mqtt.Connack{ReceiveMaximum: 3}, func(t *testing.T, c *Client, _ listener, s *script) {
		go func() {
			for _, topic := range []string{"a", "b"} {
				enqueue(t, c, topic, mqtt.ExactlyOnce)
			}
			for _, topic := range []string{"c", "d"} {
				enqueue(t, c, topic, mqtt.AtLeastOnce)
			}
		}()
		for range 3 {
			p := want[*mqtt.Publish](s, "a message")
			ids[p.Topic] = p.PacketID
		}
		s.send(&mqtt.Pubrec{PacketID: ids["a"]})
		want[*mqtt.Pubrel](s, "the answer to PUBREC")
		s.send(&mqtt.Publish{Topic: "in", QoS: mqtt.ExactlyOnce, PacketID: 9})
		want[*mqtt.Pubrec](s, "the answer to PUBLISH")
		synctest.Wait()
		killed.pairs = live.found()
	})
	return killed, ids
}

// TestNextProcessGoesOn kills a client in the middle of everything. The next one sends again what is not acknowledged, in order and under the same Packet
// Identifiers, and takes no message twice.
func TestNextProcessGoesOn(t *testing.T) {
	store, ids := midway(t)
	opts := lasting(store)
	opts.KeepUnclaimed = true
	opts.Connect.ClientID = "" // the Store knows
	bubble(t, opts, mqtt.Connack{SessionPresent: true, ReceiveMaximum: 3}, func(t *testing.T, c *Client, _ listener, s *script) {
		if id := c.ClientID(); id != "dev" {
			t.Errorf("Client Identifier %q", id)
		}
		diff(t, "PUBREL", ids["a"], want[*mqtt.Pubrel](s, "what was released comes first").PacketID)
		for _, topic := range []string{"b", "c"} {
			p := want[*mqtt.Publish](s, "what was sent comes again")
			if p.Topic != topic || p.PacketID != ids[topic] || !p.Dup || string(p.Payload) != "payload of "+topic || p.ContentType.Value != "text" {
				t.Errorf("%+v", p)
			}
		}
		restored := c.Restored()
		var topics []string
		for _, r := range restored {
			topics = append(topics, r.Message().Topic)
		}
		diff(t, "restored", []string{"a", "b", "c", "d"}, topics)
		s.send(&mqtt.Pubcomp{PacketID: ids["a"]})
		if p := want[*mqtt.Publish](s, "what waited"); p.Topic != "d" || p.Dup {
			t.Errorf("%+v", p)
		} else {
			ids["d"] = p.PacketID
		}
		if ids["d"] == ids["b"] || ids["d"] == ids["c"] {
			t.Errorf("Packet Identifiers %v", ids)
		}
		s.send(&mqtt.Pubrec{PacketID: ids["b"]}, &mqtt.Puback{PacketID: ids["c"]}, &mqtt.Puback{PacketID: ids["d"], ReasonCode: mqtt.QuotaExceeded})
		want[*mqtt.Pubrel](s, "the answer to PUBREC")
		s.send(&mqtt.Pubcomp{PacketID: ids["b"]})
		for i, r := range restored {
			if _, err := r.Wait(t.Context()); (err != nil) != (i == 3) || i == 3 && !errors.Is(err, mqtt.QuotaExceeded) {
				t.Errorf("message %d: %v", i, err)
			}
		}
		noneTwice(t, c, s)
	})
	diff(t, "left in the store", []string{"c"}, slices.Collect(maps.Keys(store.found())))
}

// noneTwice sends the message 9 again, which the process before had acknowledged, and then a new one under the same Packet Identifier.
func noneTwice(t *testing.T, c *Client, s *script) {
	s.send(&mqtt.Publish{Topic: "in", QoS: mqtt.ExactlyOnce, PacketID: 9, Dup: true})
	want[*mqtt.Pubrec](s, "the answer to a repeated PUBLISH")
	s.send(&mqtt.Pubrel{PacketID: 9})
	if k := want[*mqtt.Pubcomp](s, "the answer to PUBREL"); k.ReasonCode != mqtt.Success {
		t.Errorf("PUBCOMP with %v", k.ReasonCode)
	}
	s.send(&mqtt.Publish{Topic: "new", QoS: mqtt.ExactlyOnce, PacketID: 9})
	for m, err := range c.Unclaimed().Messages(t.Context()) {
		if err != nil || m.Topic != "new" {
			t.Errorf("received %v, %v", m, err)
		}
		m.Ack(mqtt.Success)
		break
	}
	want[*mqtt.Pubrec](s, "the answer to a new PUBLISH")
	s.send(&mqtt.Pubrel{PacketID: 9})
	want[*mqtt.Pubcomp](s, "the answer to PUBREL")
}

func TestServerHasForgotten(t *testing.T) {
	store, _ := midway(t)
	bubble(t, lasting(store), mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		if p := want[*mqtt.Publish](s, "what was never sent"); p.Topic != "d" || p.Dup {
			t.Errorf("%+v", p)
		} else {
			s.send(&mqtt.Puback{PacketID: p.PacketID})
		}
		for i, r := range c.Restored() {
			if _, err := r.Wait(t.Context()); errors.Is(err, ErrSessionLost) != (i < 3) {
				t.Errorf("message %d: %v", i, err)
			}
		}
	})
	diff(t, "left in the store", []string{"c"}, slices.Collect(maps.Keys(store.found())))
}

func TestServerHasForgottenAndMessagesAreSentAnew(t *testing.T) {
	store, _ := midway(t)
	opts := lasting(store)
	opts.Requeue = true
	bubble(t, opts, mqtt.Connack{}, func(t *testing.T, _ *Client, _ listener, s *script) {
		for _, topic := range []string{"a", "b", "c", "d"} {
			if p := want[*mqtt.Publish](s, "a message"); p.Topic != topic || p.Dup || string(p.Payload) != "payload of "+topic {
				t.Errorf("%+v", p)
			}
		}
	})
}

func TestNothingIsSentThatIsNotStored(t *testing.T) {
	store := new(memoryStore)
	full := errors.New("disk full")
	bubble(t, lasting(store), mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		synctest.Wait() // the Client Identifier is stored
		store.breakWith(full)
		failed := make(chan error, 1)
		go func() {
			_, err := c.Enqueue(&Message{Topic: "a", QoS: 1})
			failed <- err
		}()
		s.wantClose("instead of PUBLISH")
		if err := <-failed; !errors.Is(err, ErrNotKept) || !errors.Is(err, full) {
			t.Errorf("Enqueue: %v", err)
		}
		<-c.Done()
		if err := c.Err(); !errors.Is(err, full) {
			t.Errorf("the client ended with %v", err)
		}
		if err := c.Close(t.Context()); !errors.Is(err, full) {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestEnqueueIsStoredWithoutConnection(t *testing.T) {
	store := new(memoryStore)
	bubble(t, lasting(store), mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		_ = s.conn.Close()
		synctest.Wait()
		if _, connected := c.Limits(); connected {
			t.Fatal("still connected")
		}
		enqueue(t, c, "a", 1)
		if n := len(store.found()); n != 2 {
			t.Errorf("%d pairs in the store when Enqueue returned", n)
		}
	})
}

func TestStoreMistakes(t *testing.T) {
	message := string(append([]byte{keyMessage}, make([]byte, 8)...))
	with := func(change func(*Options), pairs map[string][]byte) error {
		opts := lasting(&memoryStore{pairs: pairs})
		change(&opts)
		_, err := Dial(t.Context(), "mqtt://127.0.0.1:1", &opts)
		return err
	}
	none := func(*Options) {}
	for want, err := range map[string]error{
		"clean start forgets":                 with(func(o *Options) { o.Connect.CleanStart = true }, nil),
		"needs Connect.SessionExpiryInterval": with(func(o *Options) { o.Connect.SessionExpiryInterval = 0 }, nil),
		`the Session of client "other"`:       with(none, map[string][]byte{"c": []byte("other")}),
		"has not written":                     errors.Join(with(none, map[string][]byte{"z": {}})),
		"earlier process":                     with(none, map[string][]byte{message: []byte("too short")}),
		"this program":                        with(none, map[string][]byte{"x" + message[1:]: make([]byte, 10)}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// FuzzStored gives the client what a Store may hold that something else has written: it is refused, or can be worked with.
func FuzzStored(f *testing.F) {
	p := &mqtt.Publish{Topic: "t", QoS: 2, Payload: []byte("x"), UserProperties: []mqtt.UserProperty{{Name: "n", Value: "v"}}}
	f.Add(tokenKey(keyMessage, 1), encodeMessage(p, time.Unix(5, 0)), tokenKey(keyExchange, 1), exchange{7, 1}.encode())
	f.Add("c", []byte("dev"), receivedKey(9), []byte{})
	f.Fuzz(func(t *testing.T, k1 string, v1 []byte, k2 string, v2 []byte) {
		opts := lasting(&memoryStore{pairs: map[string][]byte{k1: v1, k2: v2}})
		opts.Connect.ClientID = ""
		c, err := newClient(&opts, &target{})
		if err != nil {
			return
		}
		for _, r := range c.Restored() {
			if m := r.Message(); m.QoS == 0 || m.QoS > 2 {
				t.Errorf("restored %+v", m)
			}
		}
		c.m.Opened(time.Now(), opts.connect(&target{}))
		c.m.Receive(time.Now(), &mqtt.Connack{SessionPresent: true})
	})
}
