package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reports/model"
	"mqttlab/simulator/scenario"
	"mqttlab/simulator/secure"
)

// UnreachableError says that the run did not begin, because the target could not be reached or did not let a sink in or subscribe.
type UnreachableError struct {
	Target string // as given, without credentials
	Err    error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	if code := mqtt.ReasonCode(0); errors.As(e.Err, &code) {
		return fmt.Sprintf("target %s does not let the fleet's sink in: %v", e.Target, e.Err)
	}
	return fmt.Sprintf("target %s can't be reached: %v (does it run, and listen there?)", e.Target, e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// target is where the fleet connects to.
type target struct {
	shown    string // without credentials
	address  string // host:port
	host     string
	secure   bool // mqtts
	username mqtt.Opt[string]
	password mqtt.Opt[[]byte]
}

// defaultPort is that of a scheme.
func defaultPort(secure bool) string {
	if secure {
		return "8883"
	}
	return "1883"
}

// CheckTarget says what is wrong with the URL of a target.
func CheckTarget(s string) error {
	_, err := parseTarget(s)
	return err
}

// Reach says whether a target listens, with an *UnreachableError if not; a mistake in its URL is another error. It connects and says nothing.
func Reach(ctx context.Context, s string) error {
	t, err := parseTarget(s)
	if err != nil {
		return err
	}
	c, err := (&net.Dialer{Timeout: reachTimeout}).DialContext(ctx, "tcp", t.address)
	if err != nil {
		return &UnreachableError{Target: t.shown, Err: err}
	}
	return c.Close()
}

// reachTimeout is more than a target needs that is there.
const reachTimeout = 10 * time.Second

// parseTarget reads mqtt[s]://[user[:password]@]host[:port].
func parseTarget(s string) (target, error) {
	u, err := url.Parse(s)
	if err != nil && !strings.Contains(s, "://") {
		return target{}, errors.New("target: it begins with a scheme, as in mqtt://localhost:1883 or mqtts://localhost:8883")
	}
	if err != nil {
		return target{}, fmt.Errorf("target: %w", err)
	}
	secure := u.Scheme == "mqtts" || u.Scheme == "tls" || u.Scheme == "ssl"
	if !secure && u.Scheme != "mqtt" && u.Scheme != "tcp" {
		return target{}, fmt.Errorf("target %q: want a URL such as mqtt://localhost:1883 or mqtts://localhost:8883 (fleets speak TCP, and TLS over it)", u.Redacted())
	}
	if u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return target{}, fmt.Errorf("target %q: want host and port only, such as mqtt://localhost:1883", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = defaultPort(secure)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return target{}, fmt.Errorf("target %q: the port must be 1 to 65535", u.Redacted())
	}
	t := target{address: net.JoinHostPort(u.Hostname(), port), host: u.Hostname(), secure: secure}
	if u.User != nil {
		t.username = mqtt.Some(u.User.Username())
		if p, set := u.User.Password(); set {
			t.password = mqtt.Some([]byte(p))
		}
	}
	u.User = nil
	t.shown = u.String()
	return t, nil
}

// of returns where a group connects to.
func (t target) of(g *scenario.Group) (address string, secure bool) {
	if g.TLS && !t.secure {
		return net.JoinHostPort(t.host, strconv.Itoa(int(g.TLSPort))), true
	}
	return t.address, t.secure
}

// layer returns the TLS of a run.
func (t target) layer(cfg *tls.Config) *secure.Layer {
	if cfg == nil {
		cfg = &tls.Config{}
	}
	cfg = cfg.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = t.host
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	if cfg.CurvePreferences == nil {
		// What small devices have. Go would offer a post-quantum share too, which makes a handshake 2.4 kB larger.
		cfg.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
	}
	return secure.New(cfg)
}

// record returns the form for a record. In virtual mode there is no URL.
func (t target) record() model.Target {
	if t.address == "" {
		return model.Target{Name: "mqttlab's own broker, in virtual time"}
	}
	return model.Target{URL: t.shown}
}
