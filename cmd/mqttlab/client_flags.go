package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
)

// clientFlags are what pub and sub have in common.
type clientFlags struct {
	url, version, id   string
	user, password     string
	qos                uint8
	keepAlive          time.Duration
	keepSession        bool
	expiry             time.Duration
	willTopic, willMsg string
	willQoS            uint8
	willRetain         bool
	tls                tlsFlags
}

func (f *clientFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.url, "url", "mqtt://127.0.0.1:1883", "broker: mqtt, mqtts, ws, wss with host and port, or mqtt+unix:///path")
	f.tls.register(fs)
	fs.StringVar(&f.version, "mqtt", "5.0", "protocol version: 3.1, 3.1.1 or 5.0")
	fs.StringVar(&f.id, "id", "", "Client Identifier; empty: the broker assigns one")
	fs.StringVar(&f.user, "user", "", "user name")
	fs.StringVar(&f.password, "password", "", "password")
	fs.Uint8Var(&f.qos, "qos", 0, "Quality of Service: 0, 1 or 2")
	fs.DurationVar(&f.keepAlive, "keep-alive", client.DefaultKeepAlive, "Keep Alive, whole seconds")
	fs.BoolVar(&f.keepSession, "keep-session", false, "resume the Session that is there (needs --id)")
	fs.DurationVar(&f.expiry, "session-expiry", time.Hour, "how long the broker keeps the Session with --keep-session (5.0)")
	fs.StringVar(&f.willTopic, "will-topic", "", "topic of the Will Message; empty: none")
	fs.StringVar(&f.willMsg, "will-message", "", "payload of the Will Message")
	fs.Uint8Var(&f.willQoS, "will-qos", 0, "QoS of the Will Message")
	fs.BoolVar(&f.willRetain, "will-retain", false, "retain the Will Message")
}

// only5 are the flags of pub and sub that older versions have no room for.
var only5 = []string{
	"session-expiry", "message-expiry", "content-type", "response-topic", "user-property", "no-local", "retain-as-published", "retain-handling",
}

// wholeSeconds says what is wrong with a time that MQTT carries in seconds.
func wholeSeconds(flag string, d time.Duration, most int64) error {
	if d >= 0 && d%time.Second == 0 && int64(d/time.Second) <= most {
		return nil
	}
	return fmt.Errorf("%s %v is not a time in whole seconds from 0s to %ds, such as 90s or 1h", flag, d, most)
}

// options turns the flags into client options; the error names every mistake.
func (f *clientFlags) options(fs *pflag.FlagSet) (*client.Options, error) {
	versions := map[string]mqtt.Version{"3.1": mqtt.V31, "3.1.1": mqtt.V311, "5.0": mqtt.V5, "5": mqtt.V5}
	v, known := versions[f.version]
	var wrong []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	complain(!known, "--mqtt %q: there are 3.1, 3.1.1 and 5.0", f.version)
	complain(f.qos > 2, "--qos %d: there are 0, 1 and 2", f.qos)
	complain(f.willQoS > 2, "--will-qos %d: there are 0, 1 and 2", f.willQoS)
	complain(f.keepSession && f.id == "", "--keep-session needs --id: a Session belongs to a Client Identifier")
	complain(f.willTopic == "" && (f.willMsg != "" || f.willRetain), "--will-message and --will-retain need --will-topic")
	for _, name := range only5 {
		complain(known && v != mqtt.V5 && fs.Changed(name), "--%s needs --mqtt 5.0", name)
	}
	wrong = append(wrong, wholeSeconds("--keep-alive", f.keepAlive, math.MaxUint16), wholeSeconds("--session-expiry", f.expiry, math.MaxUint32))
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	o := &client.Options{NoKeepAlive: f.keepAlive == 0, Connect: mqtt.Connect{
		Version: v, ClientID: f.id, CleanStart: !f.keepSession, KeepAlive: uint16(f.keepAlive / time.Second),
	}}
	if f.keepSession && v == mqtt.V5 {
		o.Connect.SessionExpiryInterval = uint32(f.expiry / time.Second)
	}
	if f.user != "" {
		o.Connect.Username = mqtt.Some(f.user)
	}
	if f.password != "" {
		o.Connect.Password = mqtt.Some([]byte(f.password))
	}
	if f.willTopic != "" {
		o.Connect.Will = &mqtt.Will{Topic: f.willTopic, Payload: []byte(f.willMsg), QoS: mqtt.QoS(f.willQoS), Retain: f.willRetain}
	}
	return o, nil
}

// dialFor is how long a broker may take to let us in.
const dialFor = 10 * time.Second

// dial connects.
func (f *clientFlags) dial(cmd *cobra.Command) (*client.Client, error) {
	o, errOptions := f.options(cmd.Flags())
	config, errTLS := f.tls.config()
	if err := errors.Join(errOptions, errTLS); err != nil {
		return nil, err
	}
	o.TLS = config
	connected := false // what else ends an attempt is told by Dial
	o.OnConnect = func(*mqtt.Connack) { connected = true }
	o.OnDisconnect = func(err error) {
		if connected && err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "mqttlab: connection lost: %v\n", err)
		}
		connected = false
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), dialFor)
	defer cancel()
	c, err := client.Dial(ctx, f.url, o)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %v; does an MQTT broker listen there, and speak what --url says? (%w)", dialFor, err)
	}
	return c, clientError(err)
}

// clientError gives an error of the client its exit code.
func clientError(err error) error {
	var (
		invalid *client.InvalidError
		refused *client.RefusedError
		coded   *exitError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &coded):
		return err
	case errors.As(err, &invalid), errors.Is(err, client.ErrURL):
		return exit(exitUsage, err)
	case errors.As(err, &refused):
		return exit(exitFailed, err)
	case errors.Is(err, context.Canceled):
		return exit(exitInterrupted, errors.New("interrupted"))
	}
	return exit(exitUnreachable, err)
}
