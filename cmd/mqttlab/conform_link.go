package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/pflag"

	"mqttlab/netem/link"
	"mqttlab/netem/profile"
	"mqttlab/netem/stack"
)

// conformLinkFlags say over which radio the checks talk to the target.
type conformLinkFlags struct{ link string }

func (l *conformLinkFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&l.link, "link", "", "radio between checks and target, such as lte-m:bad; see 'mqttlab link profiles'; runs 32 jobs by default")
}

// lookupLink finds the profile, before anything is started; nil without the flag.
func (l *conformLinkFlags) lookupLink() (*profile.Profile, error) {
	if l.link == "" {
		return nil, nil //nolint:nilnil // no link is no mistake
	}
	p, err := profile.Lookup(l.link)
	if err != nil {
		return nil, fmt.Errorf("--link: %w", err)
	}
	return &p, nil
}

// linkJobs is how many checks run at a time over a link unless --jobs says otherwise:
// there they wait for packets most of the time and hardly load the target.
const linkJobs = 32

// radio carries the checks' connections: each comes from an emulated device of its own.
type radio struct {
	network  *stack.Network
	up, down *link.Model
	stop     context.CancelFunc
	ended    chan error
}

// behind puts the radio of p between the checks and the target. Names of connections
// and their order come from the checks, which run at the same time, so the seed decides
// what each radio does but not which check meets it.
// Without a radio it does nothing. The returned function ends the radio.
func (o *opened) behind(p *profile.Profile, seed uint64, say io.Writer) (func() error, error) {
	if p == nil {
		return func() error { return nil }, nil
	}
	if o.Network != "tcp" || o.Dial != nil {
		return nil, fmt.Errorf("--link carries mqtt:// only, and the target is %s", o.URL)
	}
	up, errUp := link.Compile(p.Up)
	down, errDown := link.Compile(p.Down)
	if err := errors.Join(errUp, errDown); err != nil {
		return nil, exit(exitInternal, err)
	}
	n, err := stack.New(stack.Config{Seed: seed, MTUBytes: p.MTUBytes})
	if err != nil {
		return nil, exit(exitInternal, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &radio{network: n, up: up, down: down, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- n.Run(ctx, time.Time{}) }()
	o.Dial = r.dial
	return func() error { return r.close(say, p) }, nil
}

// dial opens a connection from a new device.
func (r *radio) dial(ctx context.Context, network, address string) (net.Conn, error) {
	made := make(chan error, 1)
	var d *stack.Device
	r.network.Post(func() {
		var err error
		d, err = r.network.AddDevice(stack.DeviceConfig{Up: r.up, Down: r.down})
		made <- err
	})
	select {
	case err := <-made:
		if err != nil {
			return nil, err
		}
		return d.Dial(ctx, network, address)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// close ends the radio and says what it did to the packets, or that the run is worth
// nothing because this machine was too slow for it.
func (r *radio) close(say io.Writer, p *profile.Profile) error {
	r.stop()
	if err := <-r.ended; !errors.Is(err, context.Canceled) {
		return exit(exitInternal, err)
	}
	s := r.network.Stats()
	fmt.Fprintf(say, "link %s: %d connections; up %d packets %d lost %d resent; down %d packets %d lost %d resent\n",
		p.Name, s.Opened, s.Up.Admitted, s.Up.DroppedTotal(), s.RetransmissionsUp,
		s.Down.Admitted, s.Down.DroppedTotal(), s.RetransmissionsDown)
	if why := s.Lateness.Invalid(); why != "" {
		fmt.Fprintln(say, why)
	}
	return exit(exitInternal, r.network.Close())
}
