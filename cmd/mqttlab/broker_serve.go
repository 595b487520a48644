package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"mqttlab/reference-broker/auth"
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/metrics"
	"mqttlab/reference-broker/settings"
	"mqttlab/reference-broker/store"
	"mqttlab/reference-broker/transport"
)

// service is a broker and what an operator wants around it.
type service struct {
	*settings.Settings
	logger    *slog.Logger
	broker    *broker.Broker
	store     *store.Store        // nil: none
	throttle  *transport.Throttle // nil: none
	listeners []net.Listener      // of MQTT
	http      net.Listener        // nil: none
	users     *auth.UserFile      // nil: none
	rules     *auth.RulesFile     // nil: none
	files     []reloadable
	stopping  atomic.Bool
}

// reloadable is a file, or some that belong together, that SIGHUP reads again.
type reloadable struct {
	name   string
	reload func() error
}

// serve runs the broker until the context ends or its store fails.
func serve(cmd *cobra.Command, s *settings.Settings) error {
	v := &service{Settings: s, logger: newLogger(s.LogLevel, s.LogFormat)}
	if err := v.open(cmd.Context()); err != nil {
		v.abandon()
		return err
	}
	for _, ln := range v.listeners {
		fmt.Fprintf(cmd.OutOrStdout(), "listening on %s\n", transport.URL(ln))
	}
	if v.http != nil {
		fmt.Fprintf(cmd.OutOrStdout(), "metrics on http://%s/metrics\n", v.http.Addr())
	}
	return exit(exitInternal, v.run(cmd.Context()))
}

// open reads all files and opens all sockets, so that what is wrong is known before the first client.
func (v *service) open(ctx context.Context) error {
	cfg := v.Broker
	cfg.Logger = v.logger
	if _, err := rand.Read(cfg.Server.Seed[:]); err != nil {
		return exit(exitInternal, err)
	}
	if err := v.openAccess(&cfg); err != nil {
		return err
	}
	if err := v.listen(ctx); err != nil {
		return err
	}
	if v.Store != "" {
		st, err := store.Open(v.Store, store.Options{MinimumFree: int64(v.MinimumFree), Logger: v.logger})
		if err != nil {
			return err
		}
		v.store, cfg.Store = st, st
	}
	b, err := broker.New(cfg)
	v.broker = b
	return exit(exitInternal, err)
}

// openAccess reads passwords and rules.
func (v *service) openAccess(cfg *broker.Config) error {
	if !v.Door() {
		return nil
	}
	door := auth.DoorConfig{Anonymous: v.Anonymous, FailureTime: v.FailureTime, Hashing: v.Hashing, Waiting: v.Waiting, Logger: v.logger}
	var errs []error
	if v.Users != "" {
		users, err := auth.OpenUsers(v.Users)
		if err == nil {
			door.Users, v.users = users, users
			v.files = append(v.files, reloadable{v.Users, users.Reload})
		}
		errs = append(errs, err)
	}
	if v.Rules != "" {
		rules, err := auth.OpenRules(v.Rules)
		if err == nil {
			cfg.Server.Authorize, v.rules = rules.Authorize, rules
			v.files = append(v.files, reloadable{v.Rules, rules.Reload})
		}
		errs = append(errs, err)
	}
	if cfg.Authenticator == nil { // a fault brings its own
		cfg.Authenticator = auth.NewDoor(door)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	v.warnOfStrangers()
	return nil
}

// warnOfStrangers tells of access rules for users that nobody can be: they never hold.
func (v *service) warnOfStrangers() {
	if v.rules == nil || v.rules.Rules() == nil {
		return
	}
	for _, l := range v.Listeners {
		if v.ServerTLS(l).ClientCA != "" { // a certificate may name anybody
			return
		}
	}
	strangers := v.rules.Rules().Named()
	if v.users != nil {
		strangers = slices.DeleteFunc(strangers, v.users.Users().Has)
	}
	switch {
	case len(strangers) == 0:
	case v.users == nil:
		v.logger.Warn("access rules name users, but nobody can log in as one: there is no password file (access.users) and no client certificate is asked for",
			"file", v.Rules, "users", strangers)
	default:
		v.logger.Warn("access rules name users that are not in the password file", "file", v.Rules, "users", strangers, "passwords", v.Users)
	}
}

// listen opens all sockets.
func (v *service) listen(ctx context.Context) error {
	var errs []error
	if v.ConnectRate < math.MaxInt {
		v.throttle = transport.NewThrottle(v.ConnectRate, v.ConnectBurst)
	}
	loaded := map[settings.Certificate]*transport.ServerTLS{}
	for _, l := range v.Listeners {
		config := transport.ListenConfig{Origins: v.Origins, HandshakeTimeout: v.HandshakeTimeout, Handshakes: v.Handshakes, Throttle: v.throttle, Logger: v.logger}
		if c := v.ServerTLS(l); c != (settings.Certificate{}) {
			if loaded[c] == nil {
				t, err := transport.LoadServerTLS(c.Chain, c.Key, c.ClientCA)
				if err != nil {
					errs = append(errs, err)
					continue
				}
				loaded[c] = t
				v.files = append(v.files, reloadable{c.Chain, t.Reload})
			}
			config.TLS = loaded[c]
		}
		ln, err := config.Listen(ctx, l.URL)
		if err == nil {
			v.listeners = append(v.listeners, ln)
		}
		errs = append(errs, err)
	}
	if v.HTTP != "" {
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", v.HTTP)
		if err != nil {
			errs = append(errs, fmt.Errorf("http: %w", err))
		} else {
			v.http = ln
		}
	}
	return errors.Join(errs...)
}

// abandon closes what open has opened before it failed.
func (v *service) abandon() {
	for _, ln := range v.listeners {
		ln.Close()
	}
	if v.http != nil {
		v.http.Close()
	}
	if v.store != nil {
		v.store.Close()
	}
}

// run serves until ctx ends, and drains.
func (v *service) run(ctx context.Context) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var around sync.WaitGroup
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	if v.http != nil {
		page := &http.Server{Handler: v.pages(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
		around.Go(func() { _ = page.Serve(v.http) }) // it ends with Close
		defer page.Close()
	}
	if v.SysInterval > 0 {
		around.Go(func() { metrics.PublishSys(serving, v.broker, version, v.SysInterval) })
	}
	ended := make(chan error, len(v.listeners))
	for _, ln := range v.listeners {
		go func() { ended <- v.broker.Serve(serving, ln) }()
	}
	var failure error
	left := len(v.listeners)
	for failure == nil && ctx.Err() == nil {
		select {
		case <-hangup:
			v.reload()
		case failure = <-ended:
			if left--; failure == nil {
				failure = errors.New("a listener ended by itself")
			}
		case <-ctx.Done():
		}
	}
	err := v.drain(ctx)
	for range left {
		err = errors.Join(err, <-ended)
	}
	stop()
	if v.http != nil {
		v.http.Close()
	}
	around.Wait()
	return errors.Join(failure, err)
}

// pages are /metrics and /healthz.
func (v *service) pages() http.Handler {
	refused := prometheus.CounterOpts{Name: "mqttlab_connections_refused_total", Help: "Connections closed as soon as accepted because their source opens too many."}
	return metrics.Handler(v.broker.Stats, v.health, prometheus.NewCounterFunc(refused, func() float64 {
		if v.throttle == nil {
			return 0
		}
		return float64(v.throttle.Refused())
	}))
}

// drain says goodbye to the clients and closes the store.
func (v *service) drain(ctx context.Context) error {
	v.stopping.Store(true)
	clients := v.broker.Stats().Connections
	v.logger.Info("shutting down", "connections", clients, "deadline", v.Drain)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.Drain)
	defer cancel()
	err := v.broker.Close(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		v.logger.Warn("connections were cut: they were not gone by the deadline", "deadline", v.Drain)
		err = nil
	}
	if v.store != nil {
		err = errors.Join(err, v.store.Close())
	}
	return err
}

// reload reads passwords, rules and certificates again, each by itself: one that is wrong keeps what it had.
func (v *service) reload() {
	for _, f := range v.files {
		if err := f.reload(); err != nil {
			v.logger.Error("reload failed, what was read before still holds", "file", f.name, "error", err)
		} else {
			v.logger.Info("reloaded", "file", f.name)
		}
	}
	v.warnOfStrangers()
}

// health is for /healthz.
func (v *service) health() error {
	if v.stopping.Load() {
		return errors.New("shutting down")
	}
	return nil
}

// newLogger writes to standard error. settings knows the levels and formats.
func newLogger(level, format string) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	o := &slog.HandlerOptions{Level: levels[level]}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}
