package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
)

// Config describes a Network.
type Config struct {
	// Seed decides every random choice: losses, jitter, sequence numbers. On
	// the virtual clock one seed gives one history.
	Seed uint64
	// Virtual selects the virtual clock. The gateway then reaches only
	// targets of Network.Listen, and Device.Dial is refused.
	Virtual bool
	// Start is the virtual time at which the network begins. Zero means
	// 2000-01-01 00:00 UTC. Without effect on the wall clock.
	Start time.Time
	// TCP tunes both ends of every connection.
	TCP TCP
	// MTUBytes is the largest IP packet. Zero means 1500; 576 to 65535.
	MTUBytes int
	// TUN is the name of a TUN device to make, such as "mqttlab%d", whose number
	// the system chooses. The host's own TCP is then the other end of all
	// connections, and there is no gateway: a target is an address of this host,
	// and Dial and MaxDials do not apply. It takes Linux and the capability
	// NET_ADMIN. Empty means no TUN device. Not on the virtual clock.
	TUN string
	// Dial reaches a host target from the gateway. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// MaxDials is how many targets the gateway dials at once; further
	// devices wait. Zero means 64: the listen
	// backlog of mosquitto is 100, and one that overflows looks like loss.
	MaxDials int
	// Logger tells about connections of the gateway. Nil means silent.
	Logger *slog.Logger
}

// TCP tunes the TCP of both ends.
type TCP struct {
	// MinRTO is how much longer than the nominal round trip of a device's
	// links a retransmission waits at least. Zero means 200 ms, as on Linux.
	MinRTO time.Duration
	// SendBufferBytes and ReceiveBufferBytes limit what one end keeps. Zero
	// means 16 KiB, which holds the burst that TCP puts into a slow link's
	// queue to what a small device would send.
	SendBufferBytes, ReceiveBufferBytes int
	// NoSACK turns selective acknowledgements off, as on lwIP.
	NoSACK bool
	// RACK turns on time-based loss detection: for links that reorder.
	RACK bool
}

// The defaults of Config and TCP.
const (
	DefaultMTUBytes    = 1500
	DefaultMaxDials    = 64
	DefaultMinRTO      = 200 * time.Millisecond
	DefaultBufferBytes = 16 << 10
)

// DeviceConfig describes one device.
type DeviceConfig struct {
	// Up and Down are the links from and to the device. Nil means perfect.
	Up, Down *link.Model
	// Seed decides the random choices of its links. Zero derives it from the
	// network's seed and the device's number, so that it need not be set
	// unless a device must behave the same in networks of different shape.
	Seed uint64
	// TCP is the kind of TCP that the device runs. The zero value is Linux's, as
	// Config.TCP tunes it.
	TCP TCPProfile
	// Capture gets every packet as the device's end of the links sees it, and
	// those that are lost on the way to it. Several devices may share one; the
	// caller calls its Flush. Nil records nothing.
	Capture *pcapng.Writer
}

// withDefaults fills the zero values of a configuration, once.
func (c Config) withDefaults() Config {
	if c.Start.IsZero() {
		c.Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if c.MTUBytes == 0 {
		c.MTUBytes = DefaultMTUBytes
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.MaxDials == 0 {
		c.MaxDials = DefaultMaxDials
	}
	if c.TCP.MinRTO == 0 {
		c.TCP.MinRTO = DefaultMinRTO
	}
	if c.TCP.SendBufferBytes == 0 {
		c.TCP.SendBufferBytes = DefaultBufferBytes
	}
	if c.TCP.ReceiveBufferBytes == 0 {
		c.TCP.ReceiveBufferBytes = DefaultBufferBytes
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate returns every mistake in c at once, each naming its field, or nil.
func (c Config) Validate() error {
	var mistakes []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	check(c.MTUBytes == 0 || c.MTUBytes >= 576 && c.MTUBytes <= 65535, "MTUBytes is %d: must be 0 (1500) or 576 to 65535", c.MTUBytes)
	check(c.TUN == "" || !c.Virtual, "TUN is %q: the host's TCP knows no virtual clock", c.TUN)
	check(c.MaxDials >= 0, "MaxDials is %d: must be 0 (%d) or above", c.MaxDials, DefaultMaxDials)
	check(c.TCP.MinRTO >= 0 && c.TCP.MinRTO <= time.Minute, "TCP.MinRTO is %v: must be 0 (%v) to 1m", c.TCP.MinRTO, DefaultMinRTO)
	for _, b := range []struct {
		name  string
		bytes int
	}{{"TCP.SendBufferBytes", c.TCP.SendBufferBytes}, {"TCP.ReceiveBufferBytes", c.TCP.ReceiveBufferBytes}} {
		check(b.bytes == 0 || b.bytes >= 2048 && b.bytes <= 4<<20, "%s is %d: must be 0 (%d) or 2048 to 4194304", b.name, b.bytes, DefaultBufferBytes)
	}
	return errors.Join(mistakes...)
}
