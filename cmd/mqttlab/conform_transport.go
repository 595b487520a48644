package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"mqttlab/reference-broker/transport"
	"mqttlab/spec/target"
)

// transportFlags say how conform reaches a target that is not on plain TCP. It is the command that connects: spec must not know the
// transports of the broker it judges.
type transportFlags struct {
	tlsFlags
	transport string
}

// referenceTransports are what the embedded broker can be judged over.
var referenceTransports = []string{"tcp", "tls", "ws", "wss", "unix"}

func (f *transportFlags) register(fs *pflag.FlagSet) {
	f.tlsFlags.register(fs)
	fs.StringVar(&f.transport, "transport", "tcp", `what to judge "reference" over: `+strings.Join(referenceTransports, ", "))
}

// check finds mistakes before anything is started.
func (f *transportFlags) check(reference bool) error {
	switch {
	case !slices.Contains(referenceTransports, f.transport):
		return fmt.Errorf("--transport %q: there are %s", f.transport, strings.Join(referenceTransports, ", "))
	case !reference && f.transport != "tcp":
		return errors.New(`--transport goes with the target "reference"; other targets say it in their address, as in wss://host/mqtt`)
	case reference && f.tlsFlags != tlsFlags{}:
		return errors.New(`--cafile, --cert and --key are for targets other than "reference", which has a certificate of its own`)
	}
	return nil
}

// connect gives the target a Dial if it needs one.
func (f *transportFlags) connect(t *target.Target) error {
	if t.Network == "tcp" {
		if f.tlsFlags != (tlsFlags{}) {
			return fmt.Errorf("--cafile, --cert and --key need TLS: write mqtts:// or wss:// in %s", t.URL)
		}
		return nil
	}
	if _, _, err := transport.Address(t.URL); err != nil {
		return fmt.Errorf("target %w", err)
	}
	config, err := f.config()
	if err != nil {
		return err
	}
	dialBy(t, &transport.Dialer{TLS: config})
	return nil
}

// dialBy lets the transports of package transport open the connections to the target, whose Address is a URL.
func dialBy(t *target.Target, d *transport.Dialer) {
	t.Dial = func(ctx context.Context, _, url string) (net.Conn, error) { return d.Dial(ctx, url) }
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
