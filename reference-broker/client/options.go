package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// Defaults of [Options].
const (
	// DefaultKeepAlive is a minute, as mosquitto_sub has it.
	DefaultKeepAlive = 60 * time.Second
	// DefaultReceiveMaximum bounds the unacknowledged incoming messages. It covers 20,000 messages per second over a round trip of 10 ms.
	DefaultReceiveMaximum = 200
	// DefaultMaxInflight bounds the messages under way where the Server announces no Receive Maximum. libmosquitto has the same; servers close
	// on more than they like (mosquitto 2.0 on some 300 open QoS 2 messages).
	DefaultMaxInflight = 20
	// DefaultBuffer bounds the QoS 0 messages that wait for the application, per Subscription.
	DefaultBuffer = 1000
)

// maxUnwritten is how many bytes may wait for the Network Connection before Publish waits: enough to keep a fast link busy.
const maxUnwritten = 1 << 20

// Backoff is the policy of waiting between attempts to connect.
type Backoff = core.Backoff

// Options says how a [Client] behaves. The zero value is a 5.0 client with a Session that ends with its Network Connection. Options are not modified.
type Options struct {
	// Connect holds what CONNECT carries: Client Identifier, Clean Start, Will, user name, properties. Version 0 is 5.0, KeepAlive 0 is
	// DefaultKeepAlive (see NoKeepAlive), ReceiveMaximum 0 is DefaultReceiveMaximum. Clean Start is for the first connection only; in 3.1 and 3.1.1
	// it is Clean Session and holds for all.
	Connect mqtt.Connect
	// NoKeepAlive turns Keep Alive off.
	NoKeepAlive bool
	// TLS is for mqtts:// and wss://. nil: the system's certificate authorities are trusted, and the name in the URL is checked.
	TLS *tls.Config
	// Dial opens sockets; TLS and WebSocket run on top of what it returns. nil: those of the system. The network is "tcp" or "unix".
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// ConnectTimeout bounds one attempt up to CONNACK. 0: core/client's DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// PingTimeout is the longest silence after PINGREQ. 0: half the Keep Alive, at least 5 s.
	PingTimeout time.Duration
	// RetryFirst makes Dial try until its context ends, instead of once.
	RetryFirst bool
	// Backoff is the wait between attempts. The zero value is 1 s to 2 min, half of it random.
	Backoff Backoff
	// Seed makes the jitter of Backoff repeatable. 0: random.
	Seed uint64
	// Retry decides whether to connect again after err. nil: unless the Server refused for a reason that will hold, such as
	// NotAuthorized, or gave the Session to another client (SessionTakenOver).
	Retry func(err error) bool
	// Redirect is asked where to go when the Server says UseAnotherServer or ServerMoved and names a reference; it returns a URL, or "" to stay.
	// nil: stay. If the new place does not let the client in, it goes back to the URL of Dial. A reference comes over the network: do not follow it
	// blindly.
	Redirect func(reference string) string
	// AuthStart returns the Authentication Data of each CONNECT, for methods that want new data each time. nil: that of Connect.
	AuthStart func(ctx context.Context) (data []byte, err error)
	// Auth answers a challenge of the enhanced authentication that Connect.AuthenticationMethod names.
	Auth func(ctx context.Context, challenge []byte) (answer []byte, err error)
	// MaxQueued is how many messages may wait to be sent. 0: core/client's DefaultMaxQueued.
	MaxQueued int
	// MaxInflight bounds the QoS 1 and 2 messages under way. 0: the Server's Receive Maximum, and DefaultMaxInflight in 3.1 and 3.1.1.
	MaxInflight uint16
	// QueueQoS0 lets QoS 0 messages wait for a Network Connection too.
	QueueQoS0 bool
	// Requeue sends messages anew whose Session was lost, instead of ending them with ErrSessionLost; the Server may see them twice.
	Requeue bool
	// Store keeps QoS 1 and 2 messages, and how far their exchanges are, over the end of the process: the next client with the same Store goes on. It
	// needs a Session that lasts, so Clean Start is off and, in 5.0, there is a Session Expiry Interval. nil: all ends with the process.
	Store Store
	// TopicAliases sends Topic Aliases as far as the Server allows.
	TopicAliases bool
	// Buffer bounds the QoS 0 messages that wait for the application, per Subscription. 0: DefaultBuffer.
	Buffer int
	// ManualAck leaves acknowledgements to Message.Ack. Otherwise a message is acknowledged when the loop over Messages asks for the next one, or
	// the function given to Handle has returned.
	ManualAck bool
	// KeepUnclaimed collects messages that belong to no Subscription, such as those of an earlier program that had the same Session, for
	// Client.Unclaimed. Otherwise they are acknowledged and dropped.
	KeepUnclaimed bool
	// OnConnect and OnDisconnect are told of each connection. They may call the client, but not Close; the next event waits for them.
	OnConnect    func(*mqtt.Connack)
	OnDisconnect func(error)
	// Logger gets connection events (Info), what the client worked around (Warn) and, if it wants Debug, every packet without its payload. nil:
	// silent.
	Logger *slog.Logger
}

// connect returns the CONNECT with defaults filled in.
func (o *Options) connect(target *target) *mqtt.Connect {
	c := o.Connect
	if c.Version == 0 {
		c.Version = mqtt.V5
	}
	if c.KeepAlive == 0 && !o.NoKeepAlive {
		c.KeepAlive = uint16(DefaultKeepAlive / time.Second)
	}
	if c.ReceiveMaximum == 0 {
		c.ReceiveMaximum = DefaultReceiveMaximum
	}
	if !c.Username.Set {
		c.Username = target.username
		if !c.Password.Set {
			c.Password = target.password
		}
	}
	return &c
}

func (o *Options) maxInflight() uint16 {
	if v := o.Connect.Version; o.MaxInflight == 0 && (v == mqtt.V31 || v == mqtt.V311) {
		return DefaultMaxInflight
	}
	return o.MaxInflight
}

func (o *Options) buffer() int {
	if o.Buffer > 0 {
		return o.Buffer
	}
	return DefaultBuffer
}

func (o *Options) connectTimeout() time.Duration {
	if o.ConnectTimeout > 0 {
		return o.ConnectTimeout
	}
	return core.DefaultConnectTimeout
}

func (o *Options) backoff() Backoff {
	if o.Backoff == (Backoff{}) {
		return Backoff{Jitter: 0.5}
	}
	return o.Backoff
}

func (o *Options) dial(ctx context.Context, t *target) (net.Conn, error) {
	return (&transport.Dialer{TLS: o.TLS, Socket: o.Dial}).Dial(ctx, t.url)
}

// check returns all mistakes at once.
func (o *Options) check() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	v311 := o.Connect.Version == mqtt.V31 || o.Connect.Version == mqtt.V311
	errs = append(errs, core.CheckConnect(o.connect(&target{})))
	bad(o.Connect.AuthenticationMethod.Set || o.AuthStart == nil, "AuthStart needs Connect.AuthenticationMethod")
	bad(!o.Connect.AuthenticationMethod.Set || o.Auth != nil, "Connect.AuthenticationMethod needs Auth to answer the server's challenges")
	bad(o.MaxQueued >= 0, "MaxQueued %d is negative", o.MaxQueued)
	bad(o.Buffer >= 0, "Buffer %d is negative", o.Buffer)
	bad(o.Store == nil || !o.Connect.CleanStart, "Store and Connect.CleanStart contradict each other: a clean start forgets what is stored")
	bad(o.Store == nil || o.Connect.SessionExpiryInterval > 0 || v311, "Store needs Connect.SessionExpiryInterval: without it the server forgets its half with the connection")
	bad(!o.NoKeepAlive || o.Connect.KeepAlive == 0, "NoKeepAlive and Connect.KeepAlive %d contradict each other", o.Connect.KeepAlive)
	return errors.Join(errs...)
}

// target is where to connect to.
type target struct {
	url      string // for package transport, without user name and password
	address  string // for errors
	username mqtt.Opt[string]
	password mqtt.Opt[[]byte]
}

// parseTarget reads a URL of package transport that may have user[:password]@ before the host. tcp:// is taken for mqtt://. There is no
// password in its errors.
func parseTarget(s string) (*target, error) {
	u, err := url.Parse(s)
	if err != nil && !strings.Contains(s, "://") {
		return nil, fmt.Errorf("%w: it begins with a scheme, as in mqtt://127.0.0.1:1883", ErrURL)
	}
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return nil, fmt.Errorf("%w: %w", ErrURL, e.Err)
	}
	t := &target{}
	if u.User != nil {
		t.username = mqtt.Some(u.User.Username())
		if password, ok := u.User.Password(); ok {
			t.password = mqtt.Some([]byte(password))
		}
		u.User = nil
	}
	if u.Scheme == "tcp" {
		u.Scheme = "mqtt"
	}
	t.url = u.String()
	network, address, err := transport.Address(t.url)
	if err != nil {
		return nil, fmt.Errorf("%w %w", ErrURL, err)
	}
	if network == "tcp" && u.Hostname() == "" {
		return nil, fmt.Errorf("%w %q has no host", ErrURL, u)
	}
	t.address = address
	return t, nil
}
