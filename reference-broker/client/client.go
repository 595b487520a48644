package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
)

// Client is one Session with a Server. Its methods may be called from any goroutine.
type Client struct {
	opts   Options
	target *target
	log    *slog.Logger
	rnd    *rand.Rand // the run goroutine's

	cancel context.CancelFunc // ends the run goroutine
	up     chan struct{}      // closed with the first CONNACK of Success
	ended  chan struct{}      // closed when all goroutines are gone and err is set
	err    error
	// restored are messages of an earlier process, oldest first, but those before the others whose PUBREC had come.
	restored []*Pending
	poke     chan struct{} // tells the run goroutine of an earlier deadline or an event

	mu      sync.Mutex // guards what follows; held for the machine and for appending bytes, never during I/O or foreign code
	m       *core.Machine
	link    *link // nil: no Network Connection
	version mqtt.Version
	armed   time.Time // when the run goroutine wakes by itself; zero: not
	events  []event
	ops     map[core.Token]*op
	token   core.Token
	line    line
	packets packetLog
	journal journal
	closing bool
	subs
}

// event is something the run goroutine has to tell the application.
type event struct {
	connack   *mqtt.Connack
	down      error
	isDown    bool
	challenge []byte
	auth      bool
}

// Dial connects to the Server at url and returns when it has accepted the connection. The URL is one of package transport, with user[:password]@
// before the host if wanted. ctx bounds Dial only. nil options mean the zero value. An error tells why the first attempt did not succeed, or with
// Options.RetryFirst the last.
func Dial(ctx context.Context, url string, opts *Options) (*Client, error) {
	if opts == nil {
		opts = &Options{}
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	t, err := parseTarget(url)
	if err != nil {
		return nil, err
	}
	c, err := newClient(opts, t)
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.run(life)
	select {
	case <-c.up:
		return c, nil
	case <-c.ended:
		return nil, c.err
	case <-ctx.Done():
		cancel()
		<-c.ended
		last := c.err
		if errors.Is(last, context.Canceled) || errors.Is(last, net.ErrClosed) {
			last = nil // that was us
		}
		return nil, fmt.Errorf("connecting to %s: %w", t.address, errors.Join(ctx.Err(), last))
	}
}

func newClient(opts *Options, t *target) (*Client, error) {
	c := &Client{
		opts: *opts, target: t, log: opts.Logger, version: opts.Connect.Version,
		up: make(chan struct{}), ended: make(chan struct{}), poke: make(chan struct{}, 1),
		ops: make(map[core.Token]*op),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.packets.on = c.log.Enabled(context.Background(), slog.LevelDebug)
	if c.version == 0 {
		c.version = mqtt.V5
	}
	seed := opts.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	c.rnd = rand.New(rand.NewPCG(seed, 0))
	c.journal.store = opts.Store
	err := c.restore(&core.Config{
		ConnectTimeout: opts.connectTimeout(), PingTimeout: opts.PingTimeout, MaxQueued: opts.MaxQueued,
		MaxInflight: opts.maxInflight(), QueueQoS0: opts.QueueQoS0,
		ManualAck: true, TopicAliases: opts.TopicAliases, Requeue: opts.Requeue,
	})
	if opts.KeepUnclaimed {
		c.unclaimed = c.newSubscription(nil)
	}
	return c, err
}

// ClientID returns the Client Identifier: the one given in Options or the one the Server assigned.
func (c *Client) ClientID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.ClientID()
}

// Limits returns what the Server allows, and whether there is a connection that tells.
func (c *Client) Limits() (l core.Limits, connected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.m.Limits(), c.m.State() == core.Connected
}

// Restored returns the messages of an earlier process that the Store of Options had: they are on their way again.
func (c *Client) Restored() []*Pending { return slices.Clone(c.restored) }

// Done returns a channel that is closed when the client has ended: after Close, or by itself for the reason that Err gives.
func (c *Client) Done() <-chan struct{} { return c.ended }

// Err returns why the client ended: ErrClosed after Close, or what made connecting again pointless. It is nil before Done.
func (c *Client) Err() error {
	select {
	case <-c.ended:
		return c.err
	default:
		return nil
	}
}

// Close waits until no message is under way any more or ctx ends, sends DISCONNECT and ends the client. No goroutine of it is left when
// Close returns. The error is that of ctx if messages were left behind; those in a Store of Options are left to the next process.
func (c *Client) Close(ctx context.Context) error {
	return c.Disconnect(ctx, &mqtt.Disconnect{})
}

// Disconnect is Close with a DISCONNECT of the caller's: Reason Code DisconnectWithWill makes the Server publish the Will,
// SessionExpiryInterval changes how long it keeps the Session.
func (c *Client) Disconnect(ctx context.Context, d *mqtt.Disconnect) error {
	c.mu.Lock()
	c.closing = true
	c.dismissLine(ErrClosed)
	c.mu.Unlock()
	waited := c.drained(ctx)
	c.mu.Lock()
	err := c.m.Disconnect(time.Now(), d)
	c.carryOut()
	c.mu.Unlock()
	if errors.Is(err, core.ErrNotConnected) {
		err = nil
	}
	c.cancel()
	<-c.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(waited, err, c.journal.failure)
}

// drained waits until the machine has nothing under way.
func (c *Client) drained(ctx context.Context) error {
	for {
		c.mu.Lock()
		queued, inflight := c.m.Unfinished()
		changed := c.changes()
		c.mu.Unlock()
		if queued+inflight == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-c.ended:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("closed with %d messages under way: %w", queued+inflight, ctx.Err())
		}
	}
}

// Reauthenticate starts a new enhanced authentication on the present connection, by the method of Options.Connect and with data as its first step;
// Options.Auth answers what the Server asks then. If the Server does not agree, it ends the connection.
func (c *Client) Reauthenticate(data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.m.Authenticate(time.Now(), &mqtt.Auth{ReasonCode: mqtt.ReAuthenticate, AuthenticationData: data})
	c.carryOut()
	return err
}
