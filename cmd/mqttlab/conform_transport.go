package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"mqttlab/reference-broker/transport"
	"mqttlab/spec/target"
	"mqttlab/spec/target/launch"
	"mqttlab/spec/target/profile"
)

// transportFlags say over what conform reaches a target. It is the command that connects: spec must not know the
// transports of the broker it judges.
type transportFlags struct {
	tlsFlags
	transport string
}

// allTransports stands for all that a target has.
const allTransports = "all"

func (f *transportFlags) register(fs *pflag.FlagSet) {
	f.tlsFlags.register(fs)
	fs.StringVar(&f.transport, "transport", "", `judge over these, as in "tcp,ws", of `+strings.Join(target.Transports, ", ")+
		`, or over "all" that the target has; empty: that of its address, else tcp`)
}

// names are the transports wanted; none: that of the target's address.
func (f *transportFlags) names() []string {
	if f.transport == "" {
		return nil
	}
	return strings.Split(f.transport, ",")
}

// wants says whether a transport is to be judged, that of the target's address aside.
func (f *transportFlags) wants(name string) bool {
	return f.transport == allTransports || slices.Contains(f.names(), name)
}

// check finds mistakes before anything is started.
func (f *transportFlags) check(reference bool) error {
	if reference && f.tlsFlags != (tlsFlags{}) {
		return errors.New(`--cafile, --cert and --key are for targets other than "reference", which has a certificate of its own`)
	}
	if f.transport == allTransports {
		return nil
	}
	for i, name := range f.names() {
		if !slices.Contains(target.Transports, name) {
			return fmt.Errorf("--transport %q: there are %s, and %s", name, strings.Join(target.Transports, ", "), allTransports)
		}
		if slices.Contains(f.names()[:i], name) {
			return fmt.Errorf("--transport %s: %s is there twice", f.transport, name)
		}
	}
	return nil
}

// connect returns the target once for each transport that is wanted. d opens the connections of those that need it.
func (f *transportFlags) connect(t *target.Target, d *transport.Dialer) ([]*target.Target, error) {
	have := []*target.Target{t}
	for _, address := range t.Listeners {
		over, err := t.At(address)
		if err != nil {
			return nil, err
		}
		have = append(have, over)
	}
	for _, over := range have {
		if over.Network == "tcp" {
			continue
		}
		if _, _, err := transport.Address(over.Address); err != nil {
			return nil, fmt.Errorf("target %w", err)
		}
		dialBy(over, d)
	}
	if f.transport == allTransports {
		return have, nil
	}
	names := f.names()
	if names == nil {
		return have[:1], nil
	}
	var chosen []*target.Target
	for _, name := range names {
		i := slices.IndexFunc(have, func(t *target.Target) bool { return over(t) == name })
		if i < 0 {
			return nil, fmt.Errorf("--transport %s: %s is not known to be reached over %s; a target file or profile names such addresses under listeners", f.transport, t.URL, name)
		}
		chosen = append(chosen, have[i])
	}
	return chosen, nil
}

// over names the transport of a target.
func over(t *target.Target) string { return cmp.Or(t.Transport(), "tcp") }

// dialer opens connections with the certificates of the flags.
func (f *transportFlags) dialer() (*transport.Dialer, error) {
	config, err := f.config()
	return &transport.Dialer{TLS: config}, err
}

// checkTLS refuses certificates where nothing is encrypted.
func (f *transportFlags) checkTLS(ts []*target.Target) error {
	if f.tlsFlags == (tlsFlags{}) || slices.ContainsFunc(ts, func(t *target.Target) bool { return t.Network == "mqtts" || t.Network == "wss" }) {
		return nil
	}
	return fmt.Errorf("--cafile, --cert and --key need TLS: write mqtts:// or wss:// in %s", ts[0].URL)
}

// dialBy lets the transports of package transport open the connections to the target, whose Address is a URL.
func dialBy(t *target.Target, d *transport.Dialer) {
	t.Dial = func(ctx context.Context, _, url string) (net.Conn, error) {
		for {
			conn, err := d.Dial(ctx, url)
			if !errors.Is(err, syscall.EAGAIN) {
				return conn, err
			}
			select { // a Unix socket whose queue is full says so at once, where TCP would wait
			case <-ctx.Done():
				return nil, err
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	under, web := map[string]string{"ws": "mqtt", "wss": "mqtts"}[t.Network]
	if !web {
		return
	}
	t.Socket = func(ctx context.Context) (net.Conn, error) {
		u, err := url.Parse(t.Address)
		if err != nil {
			return nil, err
		}
		if u.Port() == "" {
			u.Host = net.JoinHostPort(u.Hostname(), map[string]string{"ws": "80", "wss": "443"}[t.Network])
		}
		return d.Dial(ctx, under+"://"+u.Host)
	}
}

// placeholderListeners are where a broker without a profile listens if its command or configuration has their placeholders.
var placeholderListeners = []struct{ placeholder, url string }{
	{"port_tls", "mqtts://{host}:{port_tls}"}, {"port_ws", "ws://{host}:{port_ws}/mqtt"}, {"port_wss", "wss://{host}:{port_wss}/mqtt"},
}

// addListeners adds the further transports that are wanted to a recipe, and the certificate {cert.pem} with its key {key.pem} to one that
// names it. Without certificates of the user's own, d trusts it.
func addListeners(r *launch.Recipe, p *profile.Profile, f *transportFlags, d *transport.Dialer) error {
	var listeners []profile.Listener
	if p != nil {
		listeners = p.Listeners
	}
	for _, l := range placeholderListeners {
		if r.Names(l.placeholder) {
			listeners = append(listeners, profile.Listener{URL: l.url})
		}
	}
	for _, l := range listeners {
		scheme, _, _ := strings.Cut(l.URL, "://")
		name := over(&target.Target{Network: scheme})
		if !f.wants(name) || name == "unix" && r.Image != "" { // a socket file in a container is out of reach
			continue
		}
		r.Listeners = append(r.Listeners, l.URL)
		if l.Config != "" {
			r.Files[0].Text += l.Config
		}
	}
	if !r.Names("cert.pem") && !r.Names("key.pem") {
		return nil
	}
	cert, key, client, err := throwAwayCertificate()
	r.Files = append(r.Files, launch.File{Name: "cert.pem", Text: string(cert)}, launch.File{Name: "key.pem", Text: string(key)})
	if f.tlsFlags == (tlsFlags{}) {
		d.TLS = client
	}
	return err
}
