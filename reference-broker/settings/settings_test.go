package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

func load(t *testing.T, text string) *Settings {
	t.Helper()
	s, err := Load(Sources{File: "broker.yaml", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func equal(t *testing.T, got, want *Settings) {
	t.Helper()
	// Funcs are nil here, which cmp can tell.
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Settings{})); diff != "" {
		t.Error(diff)
	}
}

// everything has a value for each key that differs from the default.
const everything = `
listeners:
  - mqtt+unix:///run/mqtt.sock
  - {url: "mqtts://:8883", certificate: own.pem, key: own.key, client_ca: own-ca.pem}
http: 127.0.0.1:9090
sys_interval: 0s
drain: 1m30s
store: {folder: data, minimum_free: 1GiB}
log: {level: info, format: json}
tls: {certificate: cert.pem, key: /etc/key.pem, client_ca: ca.pem, handshake_timeout: 3s, handshakes: 10}
websocket:
  origins: ["*.example.com", b]
access: {users: users, rules: rules.yaml, anonymous: true, failure_time: 2s, hashing: 3, waiting: 4, close_unauthorized: true}
features:
  maximum_qos: 1
  retain: false
  wildcard_subscriptions: false
  shared_subscriptions: false
  subscription_identifiers: false
  topic_aliases: 0
  outbound_topic_aliases: 0
choices:
  overlapping_subscriptions: separate
  no_matching_subscribers: hidden
  qos0_offline: queued
  dollar_topics: allowed
  shared_subscriptions_311: true
  long_client_ids_31: true
  empty_client_id: refused
  check_payload_format: true
  reason_strings: true
  response_information: "reply, to/"
  keep_alive: 90s
redirect: {reference: "other:1883", permanent: true}
limits:
  maximum_connections: 1
  connect_rate: unlimited
  connect_burst: 8
  connect_timeout: 2s
  maximum_packet_size: 1MiB
  maximum_client_id: 23
  maximum_sessions: 5
  maximum_session_expiry: 24h
  receive_maximum: 6
  inflight: 7
  queue_messages: unlimited
  queue_bytes: 8KiB
  total_queue_bytes: unlimited
  subscriptions: 9
  total_subscriptions: 10
  topic_levels: 11
  retained_messages: 12
  retained_bytes: 13
  held_packets: 14
  held_bytes: 15B
  slow_bytes: 16KiB
  outgoing_bytes: 1GiB
  linger: 100ms
`

func TestEveryKeyArrives(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(here, name) }
	want := &Settings{
		Listeners: []Listener{
			{URL: "mqtt+unix:///run/mqtt.sock"},
			{URL: "mqtts://:8883", Certificate: Certificate{in("own.pem"), in("own.key"), in("own-ca.pem")}},
		},
		TLS:              Certificate{in("cert.pem"), "/etc/key.pem", in("ca.pem")},
		Origins:          []string{"*.example.com", "b"},
		HandshakeTimeout: 3 * time.Second, Handshakes: 10,
		Users: in("users"), Rules: in("rules.yaml"), Anonymous: true, FailureTime: 2 * time.Second, Hashing: 3, Waiting: 4,
		LogLevel: "info", LogFormat: "json", HTTP: "127.0.0.1:9090", Drain: 90 * time.Second, Store: in("data"), MinimumFree: 1 << 30,
		ConnectRate: noLimit, ConnectBurst: 8,
		Broker: broker.Config{
			MaximumConnections: 1, SlowLimit: 16 << 10, OutgoingLimit: 1 << 30, Linger: 100 * time.Millisecond,
			Server: server.Config{
				CloseUnauthorized: true, Redirect: server.Redirect{Reference: "other:1883", Permanent: true}, ReasonStrings: true,
				MaximumQoS: mqtt.Some[mqtt.QoS](1), NoRetain: true, NoWildcardSubscriptions: true, NoSharedSubscriptions: true, NoSubscriptionIdentifiers: true,
				SeparateCopies: true, HideNoSubscribers: true, KeepQoS0Offline: true, DollarTopics: true, Shared311: true, LongClientIDs31: true,
				RequireClientID: true, CheckPayloadFormat: true, ResponseInformation: "reply, to/", ServerKeepAlive: mqtt.Some[uint16](90),
				OutboundAliasesOff: true,
				Limits: server.Limits{
					ConnectTimeout: 2 * time.Second, MaximumSessionExpiry: 86400, MaximumSessions: 5, MaximumClientID: 23, ReceiveMaximum: 6,
					MaximumInflight: 7, MaximumPacketSize: 1 << 20, NoTopicAliases: true, QueueMessages: noLimit, QueueBytes: 8 << 10,
					TotalQueueBytes: noLimit, Subscriptions: 9, TotalSubscriptions: 10, TopicLevels: 11, RetainedMessages: 12, RetainedBytes: 13,
					HeldPackets: 14, HeldBytes: 15,
				},
			},
		},
	}
	got := load(t, everything)
	equal(t, got, want)
	for _, x := range Default().table() {
		if now, _ := (&loader{table: got.table()}).find(x.key); x.key != "listeners" && now.get() == x.get() {
			t.Errorf("%s is not in the test, or its default is", x.key)
		}
	}
}

func TestPrintedIsReadBack(t *testing.T) {
	for _, text := range []string{"", everything, "websocket: {origins: [a]}\nchoices: {response_information: 'true'}"} {
		s := load(t, text)
		printed, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Load(Sources{File: "/elsewhere/broker.yaml", Text: []byte(printed)})
		if err != nil {
			t.Fatalf("%v in\n%s", err, printed)
		}
		equal(t, back, s)
		again, err := back.YAML()
		if err != nil || again != printed {
			t.Errorf("%v: printed anew:\n%s\nwas\n%s", err, again, printed)
		}
	}
}

func TestStrongerSourcesWin(t *testing.T) {
	s, err := Load(Sources{
		File: "broker.yaml", Text: []byte("limits: {inflight: 1, subscriptions: 1, topic_levels: 1}\nlisteners: [mqtt://127.0.0.1:1]"),
		Environ:   []string{"HOME=/", "MQTTLAB_BROKER_LIMITS_SUBSCRIPTIONS=2", "MQTTLAB_BROKER_LIMITS_TOPIC_LEVELS=2", "MQTTLAB_BROKER_LISTENERS=mqtt://127.0.0.1:2, ws://127.0.0.1:3"},
		Overrides: []Override{{"--set limits.topic_levels", "limits.topic_levels", "3"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := load(t, "limits: {inflight: 1, subscriptions: 2, topic_levels: 3}\nlisteners: ['mqtt://127.0.0.1:2', 'ws://127.0.0.1:3']")
	equal(t, s, want)
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // all lines of the error
	}{
		{"limit:\n  queue: 1", `broker.yaml:1: unknown key limit: did you mean "limits"?`},
		{
			"limits:\n  queue_mesages: 1\n  inflight: 70000\nlog: {level: loud}\ndrain: 5",
			`broker.yaml:2: unknown key limits.queue_mesages: did you mean "queue_messages"?
broker.yaml:3: limits.inflight: "70000" is not a whole number from 1 to 65535
broker.yaml:4: log.level: "loud" is not one of debug, info, warn, error
broker.yaml:5: drain: "5" is not a time from 0s to 24h, such as 500ms, 10s or 1h`,
		},
		{"limits: 5", "broker.yaml:1: limits: must hold keys and values, such as maximum_connections: ..."},
		{"- a", "broker.yaml:1: must hold keys and values, such as listeners: ..."},
		{"http: [a]", "broker.yaml:1: http: must be a single value"},
		{"http:", `broker.yaml:1: http: has no value: leave the key out to get the default, or write "" for nothing`},
		{"http: 9090", `broker.yaml:1: http: "9090" is no address such as 127.0.0.1:9090`},
		{"drain: 1s\n---\ndrain: 1s", "broker.yaml: holds 2 documents: want one"},
		{"listeners: mqtt://127.0.0.1:1", "broker.yaml:1: listeners: must be a list, as in [mqtt://127.0.0.1:1883]"},
		{"listeners: []", "broker.yaml:1: listeners: none is given: nobody could connect"},
		{
			"listeners:\n- http://127.0.0.1:1\n- {url: 'mqtts://127.0.0.1:1', cert: a}\n- {url: 'mqtt://127.0.0.1:2', key: a}\n- ws://127.0.0.1:2",
			`broker.yaml:2: listeners[0]: "http://127.0.0.1:1": the scheme must be one of mqtt, mqtt+unix, mqtts, ws, wss, as in mqtt://127.0.0.1:1883
broker.yaml:3: unknown key listeners[1].cert (have url, certificate, key, client_ca)
broker.yaml:3: listeners[1]: mqtts://127.0.0.1:1 needs a certificate and its key: set both, here or for all in tls.certificate and tls.key
broker.yaml:4: listeners[2]: mqtt://127.0.0.1:2 does no TLS: use mqtts or wss, or leave the certificate out
broker.yaml:5: listeners[3]: 127.0.0.1:2 is taken by another listener`,
		},
		{
			"listeners: [mqtt://:1883]\n", "configuration: access.anonymous: listeners[0], mqtt://:1883, can be reached from a network, and nobody would need a password: " +
				"give access.users, or say true here to let everyone in",
		},
		{
			// The authorities of clients do not count where there is no TLS.
			"listeners: [mqtt://:1883]\ntls: {client_ca: ca}\naccess: {anonymous: auto}", "broker.yaml:3: access.anonymous: listeners[0], mqtt://:1883, can be reached from a network, and nobody would need a password: " +
				"give access.users, or say true here to let everyone in",
		},
		{"store: data", "broker.yaml:1: store: must hold keys and values, such as folder: ..."},
		{"limits: {connect_rate: 0}", `broker.yaml:1: limits.connect_rate: "0" is neither a whole number from 1 nor unlimited`},
		{"limits: {maximum_client_id: 22}", "broker.yaml:1: limits.maximum_client_id: 22 is too little: the standard allows clients 23"},
		{"limits: {slow_bytes: 1GiB, outgoing_bytes: 1KiB}", "broker.yaml:1: limits.outgoing_bytes: 1024 is less than limits.slow_bytes, 1073741824"},
		{"limits: {queue_bytes: 1TB}", `broker.yaml:1: limits.queue_bytes: "1TB" is no size up to 9223372036854775806 bytes: want a whole number, and KiB, MiB or GiB perhaps, or unlimited`},
		{"limits: {maximum_session_expiry: 1500ms}", `broker.yaml:1: limits.maximum_session_expiry: "1500ms" is neither never nor a time in whole seconds from 1s, such as 90s or 24h`},
		{"choices: {keep_alive: 70000s}", `broker.yaml:1: choices.keep_alive: "70000s" is neither client nor a time in whole seconds up to 65535s; 0s turns Keep Alive off`},
		{"redirect: {permanent: true}", "broker.yaml:1: redirect.permanent: needs redirect.reference"},
		{"websocket: {origins: ['[']}", `broker.yaml:1: websocket.origins: "[" is neither a host name nor a pattern such as *.example.com`},
	} {
		_, err := Load(Sources{File: "broker.yaml", Text: []byte(c.text)})
		if err == nil {
			t.Errorf("%q is taken", c.text)
		} else if diff := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(err.Error(), "\n")); diff != "" {
			t.Errorf("%q:\n%s", c.text, diff)
		}
	}
	_, err := Load(Sources{
		Environ:   []string{"MQTTLAB_BROKER_HTP=1", "MQTTLAB_BROKER_DRAIN=x"},
		Overrides: []Override{{"--set", "limits.inflght", "1"}, {"--listen", "listeners", "mqtts://127.0.0.1:1"}},
	})
	want := `MQTTLAB_BROKER_HTP: unknown variable: did you mean "MQTTLAB_BROKER_HTTP"?
MQTTLAB_BROKER_DRAIN: drain: "x" is not a time from 0s to 24h, such as 500ms, 10s or 1h
--set: unknown key "limits.inflght": did you mean "limits.inflight"?
--listen: listeners[0]: mqtts://127.0.0.1:1 needs a certificate and its key: set both, here or for all in tls.certificate and tls.key`
	if err == nil {
		t.Fatal("taken")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestWhoMayComeIn(t *testing.T) {
	for _, c := range []struct {
		text            string
		anonymous, door bool
	}{
		{"", true, false},
		{"listeners: [mqtt://localhost:1, 'mqtt://[::1]:1', mqtt+unix:///a]", true, false},
		{"access: {users: u}", false, true},
		{"access: {users: u, anonymous: true}", true, true},
		{"access: {rules: r}", true, true},
		{"access: {anonymous: false}", false, true},
		{"listeners: [mqtt://:1]\naccess: {anonymous: true}", true, false},
		{"listeners: [mqtts://:1]\ntls: {certificate: a, key: b, client_ca: c}", true, true},
	} {
		s := load(t, c.text)
		if s.Anonymous != c.anonymous || s.Door() != c.door {
			t.Errorf("%q: anonymous %t, door %t", c.text, s.Anonymous, s.Door())
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("")
	f.Add(everything)
	f.Add("listeners: [{url: x}]\nlimits: {inflight: &a 5, queue_messages: *a}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Load(Sources{File: "f", Text: []byte(text)})
		if err != nil {
			return
		}
		printed, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Load(Sources{File: "f", Text: []byte(printed)})
		if err != nil {
			t.Fatalf("%v in\n%s", err, printed)
		}
		equal(t, back, s)
	})
}
