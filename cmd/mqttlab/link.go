package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/netem/link"
	"mqttlab/netem/relay"
)

type linkFlags struct {
	listen, to, profile string
	http, schedule      string
	seed                uint64
	quiet               bool
}

func newLink() *cobra.Command {
	var f linkFlags
	cmd := &cobra.Command{
		Use:   "link --listen HOST:PORT --to HOST:PORT --profile NAME",
		Short: "Put a lossy link in front of any broker",
		Long: `link listens on one address and relays every connection to another over an emulated radio link.
Packets are lost, delayed and queued one by one under real TCP, in user space and without root.
It runs until it is interrupted.`,
		Example: `  mqttlab link --listen 127.0.0.1:2883 --to 127.0.0.1:1883 --profile nb-iot
  mqttlab link --to 127.0.0.1:1883 --profile lte-m:bad --schedule 60s+30s/10m
  mqttlab link --to 127.0.0.1:1883 --http 127.0.0.1:8080  # curl -X PUT '127.0.0.1:8080/link?profile=gprs'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLink(cmd, f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.listen, "listen", "127.0.0.1:2883", "address for clients; port 0 lets the system choose")
	fs.StringVar(&f.to, "to", "", "address of the broker")
	fs.StringVar(&f.profile, "profile", "nb-iot", "radio, and its quality behind a colon, or a file with figures; see 'mqttlab link profiles --help'")
	fs.StringVar(&f.schedule, "schedule", "", "outages as START+DURATION or START+DURATION/PERIOD, separated by commas; ~ in front holds packets")
	fs.StringVar(&f.http, "http", "", "address to watch and change the link: GET /link, PUT /link?profile=NAME; no authentication")
	fs.Uint64Var(&f.seed, "seed", 1, "seed of losses and jitter")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print no figures")
	cmd.AddCommand(newLinkProfiles())
	return cmd
}

func runLink(cmd *cobra.Command, f linkFlags) error {
	p, errProfile := lookupRadio(f.profile)
	var errTo error
	if f.to == "" {
		errTo = errors.New("--to is missing: the address of the broker, such as --to 127.0.0.1:1883")
	}
	outages, errSchedule := link.ParseOutages(f.schedule)
	if err := errors.Join(errTo, errProfile, errSchedule); err != nil {
		return err
	}
	if outages != nil { // a file may have its own
		p.Up.Outages, p.Down.Outages = outages, outages
	}
	r, err := relay.Listen(relay.Config{Listen: f.listen, Target: f.to, Up: p.Up, Down: p.Down, MTUBytes: p.MTUBytes, Seed: f.seed})
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "listening on %s, %s to %s\n", r.Addr(), p.Name, f.to)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	if f.http != "" {
		stop, err := controlLink(cmd.OutOrStdout(), f.http, relay.NewControl(r, p.Name, outages))
		if err != nil {
			return errors.Join(err, r.Close())
		}
		defer stop()
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	show := newScreen(cmd.ErrOrStderr(), f.quiet)
	return exit(exitInternal, watchLink(r, &show, served))
}

// controlLink serves the control until stop is called.
func controlLink(w io.Writer, address string, c *relay.Control) (stop func(), err error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--http: %w", err)
	}
	server := &http.Server{Handler: c.Handler(), ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) }) // it ends with Close
	fmt.Fprintf(w, "control at http://%s/link\n", ln.Addr())
	return func() { server.Close(); serving.Wait() }, nil
}

// watchLink shows figures until the relay ends.
func watchLink(r *relay.Relay, show *screen, served <-chan error) error {
	every := plainEvery
	if show.terminal {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	shown := ""
	for {
		select {
		case err := <-served:
			show.end()
			if now := linkFigures(r.Stats()); now != shown {
				show.line("%s", now)
			}
			return err
		case <-tick.C:
			switch now := linkFigures(r.Stats()); {
			case show.terminal:
				show.redraw(now)
			case now != shown:
				show.line("%s", now)
				shown = now
			}
		}
	}
}

func linkFigures(s relay.Stats) string {
	n := s.Network
	line := fmt.Sprintf("%d open, %d accepted, %d failed; up %d packets %d lost %d resent; down %d packets %d lost %d resent",
		s.Open, s.Accepted, s.Failed, n.Up.Admitted, n.Up.DroppedTotal(), n.RetransmissionsUp,
		n.Down.Admitted, n.Down.DroppedTotal(), n.RetransmissionsDown)
	if invalid := n.Lateness.Invalid(); invalid != "" {
		line = invalid + "; " + line
	}
	return line
}
