package main

import (
	"context"
	"log/slog"
	"os"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// What the profile of mochi has set up; it says the same in the words of mochi's own configuration.
const (
	mochiUser      = "mqttlab"
	mochiPassword  = "mqttlab-secret"
	mochiForbidden = "mqttlab/forbidden"
)

// serveMochi serves with mochi's defaults.
func serveMochi(ctx context.Context, address string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := mochi.New(&mochi.Options{Logger: log})
	if err := s.AddHook(new(access), nil); err != nil {
		return err
	}
	if err := s.AddListener(listeners.NewTCP(listeners.Config{ID: "mqttlab", Address: address})); err != nil {
		return err
	}
	if err := s.Serve(); err != nil {
		return err
	}
	<-ctx.Done()
	return s.Close()
}

// access lets in the one user, and forbids one topic. mochi's own hook for that comes with a
// YAML library.
type access struct{ mochi.HookBase }

func (*access) ID() string { return "access" }

func (*access) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (*access) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	return string(p.Connect.Username) == mochiUser && string(p.Connect.Password) == mochiPassword
}

func (*access) OnACLCheck(_ *mochi.Client, topic string, _ bool) bool { return topic != mochiForbidden }
