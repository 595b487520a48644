package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/xdg-go/scram"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

var _ broker.Authenticator = (*Door)(nil)

// someUsers returns the users of known.
func someUsers(t *testing.T) *UserFile {
	t.Helper()
	u, err := ParseUsers("users", []byte(known))
	must(t, err)
	f := &UserFile{}
	f.current.Store(u)
	return f
}

func login(user, password string) *mqtt.Connect {
	return &mqtt.Connect{Version: mqtt.V5, Username: mqtt.Some(user), Password: mqtt.Some([]byte(password))}
}

func TestDoor(t *testing.T) {
	users := someUsers(t)
	method := func(name string) *mqtt.Connect {
		return &mqtt.Connect{Version: mqtt.V5, AuthenticationMethod: mqtt.Some(name), AuthenticationData: []byte("x")}
	}
	for _, x := range []struct {
		what   string
		cfg    DoorConfig
		proven string
		p      *mqtt.Connect
		code   mqtt.ReasonCode
		user   string
	}{
		{"right", DoorConfig{Users: users}, "", login("ann", "secret1"), mqtt.Success, "ann"},
		{"right, SCRAM hash", DoorConfig{Users: users}, "", login("user", "pencil"), mqtt.Success, "user"},
		{"wrong", DoorConfig{Users: users, Anonymous: true}, "", login("ann", "secret2"), mqtt.BadUserNameOrPassword, ""},
		{"no password", DoorConfig{Users: users}, "", &mqtt.Connect{Username: mqtt.Some("ann")}, mqtt.BadUserNameOrPassword, ""},
		{"unknown", DoorConfig{Users: users, Anonymous: true}, "", login("zoe", "secret1"), mqtt.BadUserNameOrPassword, ""},
		{"nobody", DoorConfig{Users: users}, "", &mqtt.Connect{}, mqtt.NotAuthorized, ""},
		{"anonymous", DoorConfig{Users: users, Anonymous: true}, "", &mqtt.Connect{}, mqtt.Success, ""},
		{"a name that nobody checks", DoorConfig{Anonymous: true}, "", login("ann", "x"), mqtt.Success, ""},
		{"a name without users", DoorConfig{}, "", login("ann", "x"), mqtt.BadUserNameOrPassword, ""},
		{"certificate", DoorConfig{}, "eve", &mqtt.Connect{}, mqtt.Success, "eve"},
		{"certificate and its name", DoorConfig{Users: users}, "eve", login("eve", "wrong"), mqtt.Success, "eve"},
		{"certificate and another name", DoorConfig{Users: users}, "eve", login("ann", "secret1"), mqtt.BadUserNameOrPassword, ""},
		{"another method", DoorConfig{Users: users}, "", method("GSSAPI"), mqtt.BadAuthenticationMethod, ""},
		{"no users for SCRAM", DoorConfig{Anonymous: true}, "", method(SCRAMSHA256Method), mqtt.BadAuthenticationMethod, ""},
		{"broken SCRAM", DoorConfig{Users: users}, "", method(SCRAMSHA256Method), mqtt.NotAuthorized, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			a := NewDoor(x.cfg).AuthenticateUser(x.proven, 1, x.p)
			if a.ReasonCode != x.code || a.Username != x.user {
				t.Errorf("%s: %s as %q", x.what, a.ReasonCode, a.Username)
			}
			want := time.Second
			if x.code == mqtt.Success || x.code == mqtt.BadAuthenticationMethod {
				want = 0
			}
			if took := time.Since(start); took != want {
				t.Errorf("%s: took %v", x.what, took)
			}
		})
	}
}

// slow is a hash that takes a second, and counts.
type slow struct {
	mu           *sync.Mutex
	now, highest *int
}

func (s slow) matches([]byte) bool {
	s.mu.Lock()
	*s.now++
	*s.highest = max(*s.highest, *s.now)
	s.mu.Unlock()
	time.Sleep(time.Second)
	s.mu.Lock()
	*s.now--
	s.mu.Unlock()
	return true
}

func (s slow) String() string { return "" }

func TestHashingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := slow{new(sync.Mutex), new(int), new(int)}
		f := &UserFile{}
		f.current.Store(&Users{hashes: map[string]hash{"ann": h}, decoys: []hash{h}})
		d := NewDoor(DoorConfig{Users: f, Hashing: 2, Waiting: 4, FailureTime: time.Millisecond})
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := map[mqtt.ReasonCode]int{}
		for range 10 {
			wg.Go(func() {
				a := d.Authenticate(1, login("ann", "x"))
				mu.Lock()
				count[a.ReasonCode]++
				mu.Unlock()
			})
		}
		start := time.Now()
		wg.Wait()
		if took := time.Since(start); *h.highest != 2 || took != 3*time.Second || count[mqtt.Success] != 6 || count[mqtt.ServerBusy] != 4 {
			t.Errorf("%d hashed at once, in %v: %v", *h.highest, took, count)
		}
		start = time.Now()
		if a := d.Authenticate(1, login("unknown", "x")); a.ReasonCode != mqtt.BadUserNameOrPassword || time.Since(start) != time.Second || *h.now != 0 {
			t.Errorf("unknown: %s after %v", a.ReasonCode, time.Since(start))
		}
	})
}

func TestUnknownUsersCostTheSame(t *testing.T) {
	u := someUsers(t)
	d := NewDoor(DoorConfig{Users: u})
	kinds := map[hash]bool{}
	for i := range 300 {
		name := fmt.Sprint("user", i)
		h := u.Users().decoy(d.seed, name)
		if h != u.Users().decoy(d.seed, name) {
			t.Errorf("%s has two decoys", name)
		}
		kinds[h] = true
	}
	if len(kinds) != len(passwords) {
		t.Errorf("only %d of the hashes serve as decoys", len(kinds))
	}
	empty, err := ParseUsers("users", nil)
	must(t, err)
	if _, ok := empty.decoy(d.seed, "x").(*argon); !ok {
		t.Error("without users nothing is computed")
	}
}

// begin returns a client's first message for a user.
func begin(t *testing.T, user, password string) (*scram.ClientConversation, *mqtt.Connect) {
	t.Helper()
	c, err := scram.SHA256.NewClient(user, password, "")
	must(t, err)
	conversation := c.NewConversation()
	first, err := conversation.Step("")
	must(t, err)
	return conversation, &mqtt.Connect{AuthenticationMethod: mqtt.Some(SCRAMSHA256Method), AuthenticationData: []byte(first)}
}

func answer(t *testing.T, c *scram.ClientConversation, a server.Admission) *mqtt.Auth {
	t.Helper()
	if a.ReasonCode != mqtt.ContinueAuthentication {
		t.Fatalf("no challenge: %s", a.ReasonCode)
	}
	proof, err := c.Step(string(a.AuthenticationData))
	must(t, err)
	return &mqtt.Auth{ReasonCode: mqtt.ContinueAuthentication, AuthenticationMethod: mqtt.Some(SCRAMSHA256Method), AuthenticationData: []byte(proof)}
}

func TestSCRAM(t *testing.T) {
	d := NewDoor(DoorConfig{Users: someUsers(t), FailureTime: time.Millisecond})
	c, connect := begin(t, "user", "pencil")
	auth := answer(t, c, d.Authenticate(1, connect))
	a := d.Authenticate(1, auth)
	if _, err := c.Step(string(a.AuthenticationData)); a.ReasonCode != mqtt.Success || a.Username != "user" || err != nil || !c.Valid() {
		t.Errorf("%s as %q, the server's proof: %v", a.ReasonCode, a.Username, err)
	}
	if a := d.Authenticate(1, auth); a.ReasonCode != mqtt.NotAuthorized {
		t.Errorf("the proof is good a second time: %s", a.ReasonCode)
	}
	// Again on the same connection, by AUTH.
	c, connect = begin(t, "user", "pencil")
	again := &mqtt.Auth{ReasonCode: mqtt.ReAuthenticate, AuthenticationMethod: connect.AuthenticationMethod, AuthenticationData: connect.AuthenticationData}
	if a := d.Authenticate(1, answer(t, c, d.Authenticate(1, again))); a.ReasonCode != mqtt.Success {
		t.Errorf("again: %s", a.ReasonCode)
	}
	for user, password := range map[string]string{"user": "pencils", "ann": "secret1", "zoe": "x"} {
		c, connect := begin(t, user, password)
		first := d.Authenticate(2, connect)
		if a := d.Authenticate(2, answer(t, c, first)); a.ReasonCode != mqtt.NotAuthorized || a.AuthenticationData != nil {
			t.Errorf("%s, %s: %s", user, password, a.ReasonCode)
		}
		_, connect = begin(t, user, password)
		second := d.Authenticate(2, connect)
		challenge := func(a server.Admission) string { _, s, _ := strings.Cut(string(a.AuthenticationData), ",s="); return s }
		if challenge(first) != challenge(second) || !strings.HasSuffix(challenge(first), ",i=4096") {
			t.Errorf("%s can be told from other users by %s and %s", user, challenge(first), challenge(second))
		}
	}
	// A proof from another connection, and a certificate of somebody else.
	c, connect = begin(t, "user", "pencil")
	if a := d.Authenticate(4, answer(t, c, d.Authenticate(3, connect))); a.ReasonCode != mqtt.NotAuthorized {
		t.Errorf("from another connection: %s", a.ReasonCode)
	}
	c, connect = begin(t, "user", "pencil")
	if a := d.AuthenticateUser("eve", 5, answer(t, c, d.AuthenticateUser("eve", 5, connect))); a.ReasonCode != mqtt.NotAuthorized {
		t.Errorf("with the certificate of another: %s", a.ReasonCode)
	}
}

func TestExchangesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDoor(DoorConfig{Users: someUsers(t)})
		c, connect := begin(t, "user", "pencil")
		a := d.Authenticate(1, connect)
		for i := range maxExchanges - 1 {
			_, connect := begin(t, "user", "pencil")
			if a := d.Authenticate(server.ConnID(i+2), connect); a.ReasonCode != mqtt.ContinueAuthentication {
				t.Fatalf("exchange %d: %s", i, a.ReasonCode)
			}
		}
		_, more := begin(t, "user", "pencil")
		if a := d.Authenticate(0, more); a.ReasonCode != mqtt.ServerBusy {
			t.Errorf("one too many: %s", a.ReasonCode)
		}
		time.Sleep(exchangeTime)
		if a := d.Authenticate(0, more); a.ReasonCode != mqtt.ContinueAuthentication {
			t.Errorf("when the others have run out: %s", a.ReasonCode)
		}
		if a := d.Authenticate(1, answer(t, c, a)); a.ReasonCode != mqtt.NotAuthorized {
			t.Errorf("an exchange that made room: %s", a.ReasonCode)
		}
		c, connect = begin(t, "user", "pencil")
		a = d.Authenticate(1, connect)
		time.Sleep(exchangeTime + 1)
		if a := d.Authenticate(1, answer(t, c, a)); a.ReasonCode != mqtt.NotAuthorized {
			t.Errorf("too late: %s", a.ReasonCode)
		}
	})
}

// TestWithBroker shows the whole of it, and that no secret is logged.
func TestWithBroker(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	must(t, SetPassword(path, "ann", []byte("open sesame"), Argon2id))
	must(t, SetPassword(path, "bob", []byte("hunter2"), SCRAMSHA256))
	users, err := OpenUsers(path)
	must(t, err)
	rules, err := ParseRules("rules", []byte("rules:\n- {allow: publish, user: ann, topic: \"%u/#\"}\n- {allow: all, user: bob, topic: \"%c/#\"}\n"))
	must(t, err)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b, err := broker.New(broker.Config{
		Authenticator: NewDoor(DoorConfig{Users: users, FailureTime: time.Millisecond, Logger: logger}),
		Server:        server.Config{Authorize: rules.Authorize, ReasonStrings: true}, Logger: logger,
	})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dial := func(o client.Options) (*client.Client, error) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) { return b.Pipe() }
		return client.Dial(ctx, "mqtt://broker", &o)
	}
	for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
		p := login("ann", "open sesame")
		p.Version, p.ClientID = v, "c"
		ann, err := dial(client.Options{Connect: *p})
		must(t, err)
		_, err = ann.Publish(ctx, &client.Message{Topic: "ann/x", QoS: 1})
		must(t, err)
		if _, err = ann.Publish(ctx, &client.Message{Topic: "bob/x", QoS: 1}); v == mqtt.V5 && !errors.Is(err, mqtt.NotAuthorized) {
			t.Errorf("publishing to another's topic: %v", err)
		}
		must(t, ann.Close(ctx))
		p.Password = mqtt.Some([]byte("hunter2"))
		if _, err := dial(client.Options{Connect: *p}); !errors.Is(err, mqtt.BadUserNameOrPassword) {
			t.Errorf("the wrong password: %v", err)
		}
	}
	for password, right := range map[string]bool{"hunter2": true, "open sesame": false} {
		c, err := NewSCRAMClient("bob", password)
		must(t, err)
		if err := c.Verify([]byte("v=x")); err == nil {
			t.Error("a server without proof is believed")
		}
		one, err := c.Start(ctx)
		must(t, err)
		if another, _ := c.Start(ctx); bytes.Equal(one, another) {
			t.Errorf("two exchanges begin with the same nonce: %s", one)
		}
		if _, err := c.Answer(ctx, []byte("r=x,s=c2FsdHNhbHQ=,i=2000000000")); err == nil || !strings.Contains(err.Error(), "iterations") {
			t.Errorf("a challenge that takes an hour: %v", err)
		}
		verified := make(chan error, 1)
		bob, err := dial(client.Options{
			Connect: mqtt.Connect{ClientID: "c", AuthenticationMethod: mqtt.Some(SCRAMSHA256Method)}, AuthStart: c.Start, Auth: c.Answer,
			OnConnect: func(k *mqtt.Connack) { verified <- c.Verify(k.AuthenticationData) },
		})
		if !right {
			if !errors.Is(err, mqtt.NotAuthorized) {
				t.Errorf("the wrong password in SCRAM: %v", err)
			}
			continue
		}
		must(t, err)
		must(t, <-verified)
		first, err := c.Start(ctx)
		must(t, err)
		must(t, bob.Reauthenticate(first))
		_, err = bob.Subscribe(ctx, client.Filter{TopicFilter: "c/#"})
		must(t, err)
		if _, err = bob.Subscribe(ctx, client.Filter{TopicFilter: "#"}); !errors.Is(err, mqtt.NotAuthorized) {
			t.Errorf("subscribing to everything: %v", err)
		}
		must(t, bob.Close(ctx))
	}
	must(t, b.Close(ctx))
	for _, secret := range []string{"hunter2", "sesame", "$argon2id", "$scram"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if !strings.Contains(log.String(), "login refused") || !strings.Contains(log.String(), "user=ann") {
		t.Errorf("refusals are not in the log: %s", log.String())
	}
}
