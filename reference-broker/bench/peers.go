package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/storage/pebble"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	nats "github.com/nats-io/nats-server/v2/server"
)

// versions of the brokers that this program serves itself.
var versions = map[string]string{"mochi": mochi.Version, "nats": nats.VERSION}

// serve is the child that is one of the other Go brokers, until ctx ends.
func serve(ctx context.Context, name string, s setup) error {
	switch name {
	case "mochi":
		return serveMochi(ctx, s)
	case "nats":
		return serveNATS(ctx, s)
	}
	return fmt.Errorf("no broker is called %q", name)
}

// allow lets everyone do everything. mochi's own hook for that comes with a YAML library.
type allow struct{ mochi.HookBase }

func (*allow) ID() string                                               { return "allow" }
func (*allow) Provides(b byte) bool                                     { return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck }
func (*allow) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*allow) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func serveMochi(ctx context.Context, with setup) error {
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(allow), nil); err != nil {
		return err
	}
	if with.store {
		if err := s.AddHook(new(pebble.Hook), &pebble.Options{Path: filepath.Join(with.dir, "store"), Mode: pebble.Sync}); err != nil {
			return err
		}
	}
	if err := s.AddListener(listeners.NewTCP(listeners.Config{ID: "bench", Address: with.address})); err != nil {
		return err
	}
	if err := s.Serve(); err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

// serveNATS needs JetStream for MQTT, and a folder for it. Its own protocol is not listened for.
func serveNATS(ctx context.Context, with setup) error {
	at, err := netip.ParseAddrPort(with.address)
	if err != nil {
		return err
	}
	s, err := nats.NewServer(&nats.Options{
		ServerName: "bench", DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: with.dir, SyncAlways: with.store,
		MQTT: nats.MQTTOpts{Host: at.Addr().String(), Port: int(at.Port())},
	})
	if err != nil {
		return err
	}
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
