package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
	"mqttlab/netem/relay"
	"mqttlab/netem/stack"
)

type linkFlags struct {
	listen, to, profile string
	http, schedule      string
	pcap, tcp, tun      string
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
  mqttlab link --to 127.0.0.1:1883 --http 127.0.0.1:8080  # curl -X PUT '127.0.0.1:8080/link?profile=gprs'
  mqttlab link --to 127.0.0.1:1883 --profile thread --tcp lwip
  sudo mqttlab link --to 127.0.0.1:1883 --profile lte-m --tun
  mqttlab link --to 127.0.0.1:1883 --profile gprs --pcap radio.pcapng  # wireshark -k -i <(tail -f -c +0 radio.pcapng)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLink(cmd, f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.listen, "listen", "127.0.0.1:2883", "address for clients; port 0 lets the system choose")
	fs.StringVar(&f.to, "to", "", "address of the broker")
	fs.StringVar(&f.profile, "profile", "nb-iot", "radio, and its quality behind a colon, or a file with figures; see 'mqttlab link profiles --help'")
	fs.StringVar(&f.schedule, "schedule", "", "outages as START+DURATION or START+DURATION/PERIOD, separated by commas; ~ in front holds packets")
	fs.StringVar(&f.http, "http", "", "address to watch and change the link: GET /link, GET /metrics (Prometheus), PUT /link?profile=NAME; no authentication")
	fs.StringVar(&f.tcp, "tcp", "linux", "TCP at the clients' end of the link: "+strings.Join(tcpNames(), ", "))
	fs.StringVar(&f.tun, "tun", "", "make this TUN device, so that the broker's own TCP, on this host, is the other end and sees the losses; takes NET_ADMIN")
	fs.Lookup("tun").NoOptDefVal = "mqttlab%d"
	fs.StringVar(&f.pcap, "pcap", "", "file for all packets on the link, for Wireshark or tcpdump; a lost one has a comment that says why")
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
	tcp, errTCP := stack.LookupTCP(f.tcp)
	outages, errSchedule := parseSchedule(f.schedule)
	if err := errors.Join(errTo, errProfile, errTCP, errSchedule); err != nil {
		return err
	}
	if outages != nil { // a file may have its own
		p.Up.Outages, p.Down.Outages = outages, outages
	}
	r, err := relay.Listen(relay.Config{
		Listen: f.listen, Target: f.to, Up: p.Up, Down: p.Down, MTUBytes: p.MTUBytes, Seed: f.seed, TCP: tcp, TUN: f.tun,
	})
	if err != nil {
		return err
	}
	capture, stop, err := createCapture(f.pcap, p.Name) // not before the address is ours: another link may be writing this file
	if err != nil {
		return errors.Join(err, r.Close())
	}
	r.Capture(capture)
	err = serveLink(cmd, f, r, relay.NewControl(r, p.Name, outages), p.Name, capture)
	return errors.Join(err, exit(exitInternal, stop(err == nil)))
}

// parseSchedule returns the outages of --schedule.
func parseSchedule(text string) ([]link.Outage, error) {
	outages, err := link.ParseOutages(text)
	if err == nil {
		_, err = link.Compile(link.Config{Outages: outages})
	}
	if err != nil {
		return nil, fmt.Errorf("--schedule: %w", err)
	}
	return outages, nil
}

// tcpNames lists what --tcp takes.
func tcpNames() []string {
	var names []string
	for _, p := range stack.TCPProfiles() {
		names = append(names, p.Name)
	}
	return names
}

// serveLink runs a relay until it is interrupted.
func serveLink(cmd *cobra.Command, f linkFlags, r *relay.Relay, control *relay.Control, radio string, capture *pcapng.Writer) error {
	fmt.Fprintf(cmd.OutOrStdout(), "listening on %s, %s to %s\n", r.Addr(), radio, f.to)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	if f.http != "" {
		stop, err := controlLink(cmd.OutOrStdout(), f.http, control)
		if err != nil {
			return errors.Join(err, r.Close())
		}
		defer stop()
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	show := newScreen(cmd.ErrOrStderr(), f.quiet)
	return exit(exitInternal, watchLink(r, &show, capture, served))
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
	fmt.Fprintf(w, "control at http://%s/link, metrics on http://%[1]s/metrics\n", ln.Addr())
	return func() { server.Close(); serving.Wait() }, nil
}

// watchLink shows figures until the relay ends. What was captured is in the file when
// its figures are shown.
func watchLink(r *relay.Relay, show *screen, capture *pcapng.Writer, served <-chan error) error {
	every := plainEvery
	if show.terminal {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	shown := ""
	var before relay.Stats
	for {
		select {
		case err := <-served:
			show.end()
			if now := linkFigures(r.Stats()); now != shown {
				show.line("%s", now)
			}
			return err
		case <-tick.C:
			if capture != nil {
				_ = capture.Flush() // an error comes again at the end
			}
			s := r.Stats()
			switch now := linkFigures(s); {
			case show.terminal:
				show.redraw(now + linkRates(before, s, every))
			case now != shown:
				show.line("%s", now+linkRates(before, s, every))
				shown = now
			}
			before = s
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

// linkRates tells how much went over the link since the figures before.
func linkRates(before, now relay.Stats, since time.Duration) string {
	kbit := func(before, now uint64) float64 { return 8 * float64(now-before) / 1000 / since.Seconds() }
	return fmt.Sprintf("; now %.1f kbit/s up, %.1f down",
		kbit(before.Network.Up.AdmittedBytes, now.Network.Up.AdmittedBytes),
		kbit(before.Network.Down.AdmittedBytes, now.Network.Down.AdmittedBytes))
}
