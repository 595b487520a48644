package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/store"
)

// Config is what an operator decides. The zero value is a broker with all features, safe limits and no log.
type Config struct {
	// Server is the protocol: features, limits and choices that the standards leave open.
	Server server.Config

	// MaximumConnections is how many Network Connections may be open at once; more are closed as soon as they are accepted. 0 means 1,000,000,
	// which leaves the limit to the system.
	MaximumConnections int

	// SlowLimit is how many bytes may wait for one client before QoS 0 messages for it are dropped and its packets are no longer read. 0 means 1 MiB.
	SlowLimit int

	// OutgoingLimit is how many bytes may wait for one client before its connection is closed. 0 means 64 MiB; less than SlowLimit is a
	// mistake. It must hold the retained messages of one SUBSCRIBE.
	OutgoingLimit int

	// Linger is how long a connection that the broker closes may take to read what was sent before. 0 means 2 s.
	Linger time.Duration

	// Authenticator decides who may connect. nil: everyone.
	Authenticator Authenticator

	// Store keeps what an acknowledgement promises over the end of the process, and New goes on with what it has. Its owner closes it after the
	// broker. nil: everything is forgotten.
	Store *store.Store

	// Tap sees and may change all bytes, for tests of clients and of conformance checks. nil, as in production: nobody does, at no cost.
	Tap Tap

	// Logger gets connections and refusals at Info, connections lost and messages dropped at Debug. nil: silent.
	Logger *slog.Logger
}

// Authenticator decides whether a client may connect, and takes part in the enhanced authentication of 5.0. It is called from a goroutine
// of its own, may block, and must be safe for concurrent use. p is the CONNECT or, later on, an AUTH, and must not be changed.
type Authenticator interface {
	Authenticate(conn server.ConnID, p mqtt.Packet) server.Admission
}

// UserAuthenticator is an Authenticator that wants to know whom the transport has proven the client to be, by a certificate; empty: nobody in
// particular. It is called instead of Authenticate.
type UserAuthenticator interface {
	Authenticator
	AuthenticateUser(proven string, conn server.ConnID, p mqtt.Packet) server.Admission
}

const (
	defaultConnections   = 1_000_000
	defaultSlowLimit     = 1 << 20
	defaultOutgoingLimit = 64 << 20
	defaultLinger        = 2 * time.Second
)

// WithDefaults returns the Config with each 0 that means a default replaced, those of Server too. [New] does it itself; programs that show what
// holds need it too.
func (c Config) WithDefaults() Config {
	if c.MaximumConnections == 0 {
		c.MaximumConnections = defaultConnections
	}
	if c.SlowLimit == 0 {
		c.SlowLimit = defaultSlowLimit
	}
	if c.OutgoingLimit == 0 {
		c.OutgoingLimit = max(defaultOutgoingLimit, c.SlowLimit)
	}
	if c.Linger == 0 {
		c.Linger = defaultLinger
	}
	c.Server = c.Server.WithDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate returns all mistakes in the configuration at once, each naming its field.
func (c Config) Validate() error {
	var mistakes []error
	check := func(bad bool, format string, args ...any) {
		if bad {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	check(c.MaximumConnections < 0, "MaximumConnections is %d, must not be negative", c.MaximumConnections)
	check(c.SlowLimit < 0, "SlowLimit is %d bytes, must not be negative", c.SlowLimit)
	check(c.Linger < 0, "Linger is %s, must not be negative", c.Linger)
	d := c.WithDefaults()
	check(d.OutgoingLimit < d.SlowLimit, "OutgoingLimit is %d bytes, must be at least SlowLimit, %d", d.OutgoingLimit, d.SlowLimit)
	mistakes = append(mistakes, c.Server.Validate())
	return errors.Join(mistakes...)
}
