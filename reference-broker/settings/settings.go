package settings

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"mqttlab/reference-broker/auth"
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/store"
	"mqttlab/reference-broker/transport"
)

// environmentPrefix begins the names of environment variables.
const environmentPrefix = "MQTTLAB_BROKER_"

const (
	// defaultSysInterval is that of mosquitto.
	defaultSysInterval = 10 * time.Second
	// defaultDrain is enough to write a DISCONNECT to slow clients; service managers kill after 10 s or more.
	defaultDrain = 5 * time.Second
	// defaultConnectRate costs a tenth of a core in TLS handshakes with RSA keys. Devices behind one address that come back all at once have
	// defaultConnectBurst.
	defaultConnectRate  = 100
	defaultConnectBurst = transport.DefaultHandshakes
)

// Settings is all that an operator decides. All names of files are absolute.
type Settings struct {
	// Listeners are never empty after Load.
	Listeners []Listener
	// TLS is for listeners with TLS that name no certificate of their own.
	TLS Certificate
	// Origins names the hosts whose web pages may connect; see transport.ListenConfig.
	Origins []string
	// HandshakeTimeout and Handshakes bound the handshakes of TLS and WebSocket; see transport.ListenConfig.
	HandshakeTimeout time.Duration
	Handshakes       int
	// ConnectRate and ConnectBurst bound the connections of one source; see transport.NewThrottle. A rate of math.MaxInt stands for no limit.
	ConnectRate, ConnectBurst int
	// Users and Rules are the password file and the file of access rules; empty: none.
	Users, Rules string
	// Anonymous lets clients in that name no user.
	Anonymous bool
	// FailureTime, Hashing and Waiting bound what logins cost; see auth.DoorConfig.
	FailureTime      time.Duration
	Hashing, Waiting int
	// LogLevel is debug, info, warn or error; LogFormat is text or json.
	LogLevel, LogFormat string
	// HTTP is the address of /metrics and /healthz; empty: none.
	HTTP string
	// SysInterval is the time between two publications of the $SYS topics; 0: none.
	SysInterval time.Duration
	// Drain is how long clients may take to go when the broker is stopped.
	Drain time.Duration
	// Store is the folder of what must outlive the process; empty: all is kept in memory.
	Store string
	// MinimumFree is how many bytes must stay free on its disk; negative: any. See store.Options.
	MinimumFree int
	// Broker holds limits, features and choices, with defaults filled in. Seed, Authenticator, Authorize and Logger are left to the caller.
	Broker broker.Config

	base        string // folder that names of files are relative to; empty: the working directory
	anonymousBy string // what was said of Anonymous: true, false or auto
}

// Listener is an address to listen on.
type Listener struct {
	URL string
	Certificate
}

// Certificate names PEM files.
type Certificate struct {
	// Chain and Key are a Server's certificate chain and its private key.
	Chain, Key string
	// ClientCA are authorities: clients must have a certificate that one of them has signed. Empty: they need none.
	ClientCA string
}

// ServerTLS returns the certificate that holds for a listener: its own files, and for those it does not name those of Settings.TLS. The zero value
// for one without TLS.
func (s *Settings) ServerTLS(l Listener) Certificate {
	if !l.secure() {
		return Certificate{}
	}
	c := l.Certificate
	if c.Chain == "" && c.Key == "" {
		c.Chain, c.Key = s.TLS.Chain, s.TLS.Key
	}
	if c.ClientCA == "" {
		c.ClientCA = s.TLS.ClientCA
	}
	return c
}

// Door reports whether package auth has to decide on clients. Otherwise all are let in and nobody's name means anything.
func (s *Settings) Door() bool {
	guarded := !s.Anonymous || s.Users != "" || s.Rules != ""
	for _, l := range s.Listeners {
		guarded = guarded || s.ServerTLS(l).ClientCA != ""
	}
	return guarded
}

// Default returns the settings that hold where nobody says anything.
func Default() *Settings {
	return &Settings{
		Listeners:        []Listener{{URL: "mqtt://127.0.0.1:" + transport.DefaultPort}},
		HandshakeTimeout: transport.DefaultHandshakeTimeout, Handshakes: transport.DefaultHandshakes,
		ConnectRate: defaultConnectRate, ConnectBurst: defaultConnectBurst, MinimumFree: store.DefaultMinimumFree,
		FailureTime: auth.DefaultFailureTime, Waiting: auth.DefaultWaiting,
		LogLevel: "warn", LogFormat: "text",
		SysInterval: defaultSysInterval, Drain: defaultDrain,
		Broker:      withoutLogger(broker.Config{}.WithDefaults()),
		anonymousBy: auto,
	}
}

func withoutLogger(c broker.Config) broker.Config {
	c.Logger = nil
	return c
}

// Override is a value from outside of the file.
type Override struct {
	Name  string // what the user wrote, for errors: "--http"
	Key   string // of the file: "http"
	Value string
}

// Sources are what Load reads, the weakest first. The zero value gives the defaults.
type Sources struct {
	File string // name of the YAML file; relative names in it begin at its folder
	Text []byte // of the file; nil: there is none
	// Environ is in the form of os.Environ. Variables that do not begin with MQTTLAB_BROKER_ are ignored, and those in Ignore.
	Environ []string
	// Overrides are flags, usually.
	Overrides []Override
}

// Load reads all sources. The error holds all mistakes, each on a line of its own with the place where it was made.
func Load(src Sources) (*Settings, error) {
	s := Default()
	l := &loader{s: s, table: s.table(), origins: map[string]origin{}}
	if src.Text != nil {
		s.base = filepath.Dir(src.File)
		l.file(src.File, src.Text)
		s.base = ""
	}
	for _, v := range src.Environ {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, environmentPrefix) {
			l.environment(name, value)
		}
	}
	for _, o := range src.Overrides {
		l.override(o.Key, o.Value, origin{name: o.Name})
	}
	l.check()
	if len(l.mistakes) > 0 {
		return nil, errors.Join(l.sorted()...)
	}
	return s, nil
}
