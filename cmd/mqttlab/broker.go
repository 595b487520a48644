package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mqttlab/reference-broker/fault"
	"mqttlab/reference-broker/settings"
)

// brokerFlags are the flags of broker that are no settings.
type brokerFlags struct {
	config  string
	print   bool
	set     []string
	fault   string
	profile string
}

// settingFlags are flags that stand for a key of the configuration.
var settingFlags = []struct{ flag, key, usage string }{
	{"cert", "tls.certificate", "PEM file with the certificate chain for mqtts and wss"},
	{"key", "tls.key", "PEM file with its private key"},
	{"client-ca", "tls.client_ca", "PEM file with authorities; clients then need a certificate, whose Common Name is the user"},
	{"users", "access.users", "password file, see 'mqttlab broker passwd'"},
	{"rules", "access.rules", "file of access rules"},
	{"anonymous", "access.anonymous", "let clients in that name no user: true, false or auto"},
	{"log", "log.level", "what to log: debug, info, warn (default) or error"},
	{"log-format", "log.format", "text (default) or json"},
	{"http", "http", "address of /metrics and /healthz, such as 127.0.0.1:9090"},
	{"sys-interval", "sys_interval", "time between two publications of $SYS/broker/... (default 10s); 0s: none"},
	{"drain", "drain", "how long clients may take to go when the broker is stopped (default 5s)"},
	{"store", "store.folder", "folder for what must outlive the process; without it all is kept in memory"},
}

func newBroker() *cobra.Command {
	var f brokerFlags
	cmd := &cobra.Command{
		Use:   "broker",
		Short: "Run the reference broker",
		Long: `broker runs the reference broker until it is interrupted. It speaks MQTT 3.1, 3.1.1 and
5.0 over TCP, TLS, WebSocket and Unix sockets.

Settings come from the file of --config, from the environment (limits.inflight is
MQTTLAB_BROKER_LIMITS_INFLIGHT) and from flags, of which the last wins. --print-config
prints all of them as a file, with what holds and what it means.

A listener that a network can reach needs --users, or --anonymous to let everyone in. One
source may open 100 connections per second after a burst of 4096, and more are closed;
limits.connect_rate and limits.connect_burst change that. There is a limit for all that
strangers can make the broker hold: see limits in --print-config.

SIGHUP makes it read passwords, rules and certificates again; if one is wrong, what it
had before still holds, and the log says so. SIGINT and SIGTERM make it send DISCONNECT
0x8B to 5.0 clients and end when they are gone, or after --drain.`,
		Example: `  mqttlab broker --listen mqtt://127.0.0.1:1883
  mqttlab broker --config broker.yaml --set limits.queue_messages=1000 --http 127.0.0.1:9090
  mqttlab broker --listen mqtts://:8883 --cert cert.pem --key key.pem --users users`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBroker(cmd, f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.config, "config", "", "YAML file with settings")
	fs.BoolVar(&f.print, "print-config", false, "print the settings that hold and run nothing")
	fs.StringArray("listen", nil, "address to listen on (default mqtt://127.0.0.1:1883); may repeat; port 0 lets the system choose")
	for _, x := range settingFlags {
		fs.String(x.flag, "", x.usage)
	}
	fs.Lookup("anonymous").NoOptDefVal = "true"
	fs.StringArrayVar(&f.set, "set", nil, "any setting, as in limits.inflight=100; may repeat")
	fs.StringVar(&f.fault, "fault", "", "break one rule on purpose, to see how a test suite or a client takes it")
	fs.StringVar(&f.profile, "cpuprofile", "", "write a CPU profile to this file")
	cmd.AddCommand(newPasswd())
	return cmd
}

func runBroker(cmd *cobra.Command, f brokerFlags) error {
	s, err := f.settings(cmd.Flags())
	if err != nil {
		return err
	}
	if f.print {
		text, err := s.YAML()
		if err == nil {
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
		}
		return exit(exitInternal, err)
	}
	if f.fault != "" {
		x, err := fault.Lookup(f.fault)
		if err != nil {
			return err
		}
		x.Apply(&s.Broker)
	}
	stop, err := startProfile(f.profile)
	if err != nil {
		return err
	}
	defer stop()
	return serve(cmd, s)
}

// settings puts file, environment and flags together.
func (f *brokerFlags) settings(fs *pflag.FlagSet) (*settings.Settings, error) {
	src := settings.Sources{File: f.config, Environ: os.Environ(), Overrides: f.overrides(fs)}
	if f.config != "" {
		text, err := os.ReadFile(f.config)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		src.Text = text
	}
	return settings.Load(src)
}

// overrides returns the flags that were given, as settings.
func (f *brokerFlags) overrides(fs *pflag.FlagSet) (all []settings.Override) {
	if listen, err := fs.GetStringArray("listen"); err == nil && len(listen) > 0 {
		all = append(all, settings.Override{Name: "--listen", Key: "listeners", Value: strings.Join(listen, ",")})
	}
	for _, x := range settingFlags {
		if given := fs.Lookup(x.flag); given.Changed {
			all = append(all, settings.Override{Name: "--" + x.flag, Key: x.key, Value: given.Value.String()})
		}
	}
	for _, s := range f.set {
		key, value, _ := strings.Cut(s, "=")
		all = append(all, settings.Override{Name: "--set " + s, Key: key, Value: value})
	}
	return all
}
