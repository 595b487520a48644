package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
	"mqttlab/netem/profile"
	"mqttlab/netem/stack"
	"mqttlab/reports/model"
)

// conformLinkFlags say over which radio the checks talk to the target.
type conformLinkFlags struct{ link, pcap string }

func (l *conformLinkFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&l.link, "link", "", "radio between checks and target, such as lte-m:bad; see 'mqttlab link profiles'; runs 32 jobs by default, and a check that fails once more")
	fs.StringVar(&l.pcap, "pcap", "", "file for all packets on the radio of --link, for Wireshark or tcpdump; a lost one has a comment that says why")
}

// lookupLink finds the profile, before anything is started; nil without the flag.
func (l *conformLinkFlags) lookupLink() (*profile.Profile, error) {
	if l.link == "" {
		if l.pcap != "" {
			return nil, errors.New("--pcap records the packets of an emulated radio: add --link, such as --link lte-m:bad")
		}
		return nil, nil //nolint:nilnil // no link is no mistake
	}
	p, err := lookupRadio(l.link)
	if err != nil {
		return nil, fmt.Errorf("--link: %w", err)
	}
	return &p, nil
}

// linkJobs is how many checks run at a time over a link unless --jobs says otherwise:
// there they wait for packets most of the time and hardly load the target.
const linkJobs = 32

// radio carries the checks' connections: each comes from an emulated device of its own.
// The nil radio is none and does nothing.
type radio struct {
	profile  *profile.Profile
	network  *stack.Network
	up, down *link.Model
	stop     context.CancelFunc
	ended    chan error

	capture    *pcapng.Writer // nil without --pcap
	endCapture func(started bool) error
}

// between puts the radio of p between the checks and the target. Names of connections
// and their order come from the checks, which run at the same time, so the seed decides
// what each radio does but not which check meets it.
// Without a radio it does nothing.
func (l *conformLinkFlags) between(o *opened, p *profile.Profile, seed uint64) error {
	if p == nil {
		return nil
	}
	if o.Network != "tcp" || o.Dial != nil || len(o.over) > 1 {
		return fmt.Errorf("--link carries mqtt:// only, and the target is %s", o.URL)
	}
	r := &radio{profile: p, ended: make(chan error, 1)}
	var errUp, errDown, err error
	r.up, errUp = link.Compile(p.Up)
	r.down, errDown = link.Compile(p.Down)
	if err := errors.Join(errUp, errDown); err != nil {
		return exit(exitInternal, err)
	}
	if r.network, err = stack.New(stack.Config{Seed: seed, MTUBytes: p.MTUBytes}); err != nil {
		return exit(exitInternal, err)
	}
	if r.capture, r.endCapture, err = createCapture(l.pcap, p.Name); err != nil {
		return errors.Join(err, r.network.Close())
	}
	if o.Timings.Answer == 0 {
		o.Timings.Answer = r.patience()
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- r.network.Run(ctx, time.Time{}) }()
	o.radio, o.Dial = r, r.dial
	return nil
}

// patience is how long the target may take to answer over the radio: what it may without
// one, and the time that the largest message of the checks takes, twice because losses
// slow TCP down. Over narrow-band radios that is most of it.
func (r *radio) patience() time.Duration {
	const largest = 8 * 70_000 // bit
	t := 3*time.Second + 50*(r.up.Delay()+r.down.Delay())
	for _, m := range []*link.Model{r.up, r.down} {
		if rate := m.Config().RateBitsPerSecond; rate > 0 {
			t += time.Duration(2 * largest / rate * float64(time.Second))
		}
	}
	return t
}

// dial opens a connection from a new device.
func (r *radio) dial(ctx context.Context, network, address string) (net.Conn, error) {
	made := make(chan error, 1)
	var d *stack.Device
	r.network.Post(func() {
		var err error
		d, err = r.network.AddDevice(stack.DeviceConfig{Up: r.up, Down: r.down, Capture: r.capture})
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

// finish ends the radio and puts what it did to the packets into the record of the run,
// if there is one.
func (r *radio) finish(record *model.Record) error {
	if r == nil || r.stop == nil {
		return nil
	}
	r.stop()
	r.stop = nil
	if err := <-r.ended; !errors.Is(err, context.Canceled) {
		return exit(exitInternal, err)
	}
	if record != nil {
		record.Link = r.told()
	}
	return exit(exitInternal, errors.Join(r.network.Close(), r.endCapture(record != nil)))
}

// told is the radio's part of the record.
func (r *radio) told() *model.LinkRun {
	s := r.network.Stats()
	way := func(c link.Counters, resent uint64) model.LinkDirection {
		return model.LinkDirection{Packets: int64(c.Admitted), Lost: int64(c.DroppedTotal()), Resent: int64(resent)}
	}
	reason := s.Lateness.Invalid()
	return &model.LinkRun{
		Profile: r.profile.Name, Connections: int64(s.Opened),
		Up: way(s.Up, s.RetransmissionsUp), Down: way(s.Down, s.RetransmissionsDown),
		Validity: model.Validity{
			Valid: reason == "", Reason: strings.TrimPrefix(reason, "INVALID: "),
			LatenessP99MS: model.Millis(s.Lateness.WorstP99), LatenessLimitMS: model.Millis(s.Lateness.Limit),
		},
	}
}

// tellLink says what the radio did, and before anything else that this machine was too
// slow for it.
func tellLink(s *screen, r *model.Record) {
	l := r.Link
	if l == nil {
		return
	}
	if !l.Validity.Valid {
		s.line("%s: %s; what passed has passed, what failed may be our fault", s.colour(red, "INVALID"), l.Validity.Reason)
	}
	s.line("link %s: %d connections; up %d packets %d lost %d resent; down %d packets %d lost %d resent",
		l.Profile, l.Connections, l.Up.Packets, l.Up.Lost, l.Up.Resent, l.Down.Packets, l.Down.Lost, l.Down.Resent)
}
