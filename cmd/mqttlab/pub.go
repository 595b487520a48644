package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
)

type pubFlags struct {
	clientFlags
	topic, message, file string
	lines, retain, empty bool
	expiry               time.Duration
	contentType          string
	responseTopic        string
	properties           []string
}

func newPub() *cobra.Command {
	var f pubFlags
	cmd := &cobra.Command{
		Use:   "pub --topic TOPIC [--message TEXT | --file FILE | --lines | --empty]",
		Short: "Publish messages",
		Long: `pub publishes one message, or each line of standard input with --lines, and returns when
the broker has acknowledged what the QoS asks for.

Exit codes: 0 published; 1 the broker refused; 2 wrong usage; 3 unreachable; 130 interrupted.`,
		Example: `  mqttlab pub --topic sensors/a --message 21.5 --qos 1
  tail -f readings.txt | mqttlab pub --topic sensors/a --lines --qos 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return publish(cmd, f) },
	}
	fs := cmd.Flags()
	f.register(fs)
	fs.StringVarP(&f.topic, "topic", "t", "", "Topic Name")
	fs.StringVarP(&f.message, "message", "m", "", "payload")
	fs.StringVarP(&f.file, "file", "f", "", "file with the payload, - for standard input")
	fs.BoolVarP(&f.lines, "lines", "l", false, "publish each line of standard input")
	fs.BoolVarP(&f.empty, "empty", "n", false, "publish an empty payload; with --retain it deletes the retained message")
	fs.BoolVarP(&f.retain, "retain", "r", false, "retain the message")
	fs.DurationVar(&f.expiry, "message-expiry", 0, "Message Expiry Interval, whole seconds (5.0)")
	fs.StringVar(&f.contentType, "content-type", "", "Content Type (5.0)")
	fs.StringVar(&f.responseTopic, "response-topic", "", "Response Topic (5.0)")
	fs.StringArrayVar(&f.properties, "user-property", nil, "User Property as name=value (5.0); may repeat")
	return cmd
}

func publish(cmd *cobra.Command, f pubFlags) error {
	m, err := f.build(cmd)
	if err != nil {
		return err
	}
	c, err := f.dial(cmd)
	if err != nil {
		return err
	}
	if f.lines {
		err = publishLines(cmd.Context(), c, m, cmd.InOrStdin())
	} else {
		_, err = c.Publish(cmd.Context(), m)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), drainFor)
	defer cancel()
	return clientError(errors.Join(err, c.Close(closing)))
}

// publishLines publishes line by line, as they come.
func publishLines(ctx context.Context, c *client.Client, m *client.Message, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for n := 1; ; n++ {
		more, err := await(ctx, func() (bool, error) { return lines.Scan(), nil })
		switch {
		case err != nil:
			return err
		case errors.Is(lines.Err(), bufio.ErrTooLong):
			return exit(exitUsage, fmt.Errorf("line %d of standard input is longer than %d bytes", n, longestLine))
		case !more:
			return exit(exitUsage, lines.Err())
		}
		m.Payload = lines.Bytes()
		if _, err := c.Publish(ctx, m); err != nil {
			return err
		}
	}
}

// longestLine is what --lines takes as one message, in bytes.
const longestLine = 16 << 20

// build makes the message of the flags; the error names every mistake.
func (f *pubFlags) build(cmd *cobra.Command) (*client.Message, error) {
	sources := 0
	for _, given := range []bool{cmd.Flags().Changed("message"), f.file != "", f.lines, f.empty} {
		if given {
			sources++
		}
	}
	var wrong []error
	if f.topic == "" {
		wrong = append(wrong, errors.New("--topic is missing"))
	}
	if sources != 1 {
		wrong = append(wrong, errors.New("give the payload by one of --message, --file, --lines and --empty"))
	}
	m := &client.Message{
		Topic: f.topic, Payload: []byte(f.message), QoS: mqtt.QoS(f.qos), Retain: f.retain, ResponseTopic: f.responseTopic,
	}
	wrong = append(wrong, wholeSeconds("--message-expiry", f.expiry, math.MaxUint32))
	if f.expiry > 0 {
		m.MessageExpiryInterval = mqtt.Some(uint32(f.expiry / time.Second))
	}
	if f.contentType != "" {
		m.ContentType = mqtt.Some(f.contentType)
	}
	for _, p := range f.properties {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			wrong = append(wrong, fmt.Errorf("--user-property %q: write it as name=value", p))
		}
		m.UserProperties = append(m.UserProperties, mqtt.UserProperty{Name: name, Value: value})
	}
	var err error
	switch f.file {
	case "":
	case stdoutName:
		m.Payload, err = await(cmd.Context(), func() ([]byte, error) { return io.ReadAll(cmd.InOrStdin()) })
	default:
		m.Payload, err = os.ReadFile(f.file)
	}
	return m, errors.Join(append(wrong, err)...)
}
