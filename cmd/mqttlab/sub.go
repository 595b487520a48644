package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/scenario"
)

type subFlags struct {
	clientFlags
	filters        []string
	count          int
	within         time.Duration
	format         string
	noLocal, asPub bool
	retained       uint8
	noRetained     bool
}

func newSub() *cobra.Command {
	var f subFlags
	cmd := &cobra.Command{
		Use:   "sub --topic FILTER [--topic FILTER ...]",
		Short: "Subscribe and print what comes",
		Long: `sub prints one line per message until it is interrupted, --count messages have come, or --within
is over. The format may hold %t topic, %p payload, %x payload in hex, %q QoS, %r retained
(0 or 1), %l length in bytes, %c Content Type, %% and \n.

Exit codes: 0 as asked; 1 the broker refused; 2 wrong usage; 3 unreachable; 5 fewer than --count messages
came in time.`,
		Example: `  mqttlab sub --topic 'sensors/#' --format '%t %p'
  mqttlab sub --topic sensors/a --count 1 --within 5s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return subscribe(cmd, f) },
	}
	fs := cmd.Flags()
	f.register(fs)
	fs.StringArrayVarP(&f.filters, "topic", "t", nil, "Topic Filter; may repeat")
	fs.IntVarP(&f.count, "count", "C", 0, "end after this many messages; 0: never")
	fs.DurationVarP(&f.within, "within", "W", 0, "end after this time; 0: never")
	fs.StringVarP(&f.format, "format", "F", "%p", "what to print per message")
	fs.BoolVar(&f.noLocal, "no-local", false, "do not send back what this client publishes (5.0)")
	fs.BoolVar(&f.asPub, "retain-as-published", false, "keep the publisher's RETAIN flag (5.0)")
	fs.Uint8Var(&f.retained, "retain-handling", 0, "retained messages: 0 send, 1 if the subscription is new, 2 never (5.0)")
	fs.BoolVarP(&f.noRetained, "no-retained", "R", false, "do not print retained messages")
	return cmd
}

func subscribe(cmd *cobra.Command, f subFlags) error {
	show, err := f.check()
	if err != nil {
		return err
	}
	c, err := f.dial(cmd)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), drainFor)
		defer cancel()
		_ = c.Close(closing)
	}()
	var filters []client.Filter
	for _, name := range f.filters {
		filters = append(filters, client.Filter{
			TopicFilter: name, QoS: mqtt.QoS(f.qos), NoLocal: f.noLocal, RetainAsPublished: f.asPub, RetainHandling: mqtt.RetainHandling(f.retained),
		})
	}
	s, err := c.Subscribe(cmd.Context(), filters...)
	if err != nil {
		return clientError(err)
	}
	return f.print(cmd, s, show)
}

// check returns what prints a message; the error names every mistake.
func (f *subFlags) check() (show func([]byte, *client.Message) []byte, err error) {
	var wrong []error
	if len(f.filters) == 0 {
		wrong = append(wrong, errors.New("--topic is missing"))
	}
	if f.retained > 2 {
		wrong = append(wrong, fmt.Errorf("--retain-handling %d: there are 0, 1 and 2", f.retained))
	}
	if f.count < 0 {
		wrong = append(wrong, fmt.Errorf("--count %d is negative", f.count))
	}
	if f.within < 0 {
		wrong = append(wrong, fmt.Errorf("--within %v is negative", f.within))
	}
	show, err = parseFormat(f.format)
	return show, errors.Join(append(wrong, err)...)
}

// print prints messages until it is enough.
func (f *subFlags) print(cmd *cobra.Command, s *client.Subscription, show func([]byte, *client.Message) []byte) error {
	ctx := cmd.Context()
	if f.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.within)
		defer cancel()
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	seen := 0
	var line []byte
	for m, err := range s.Messages(ctx) {
		switch {
		case errors.Is(err, context.DeadlineExceeded) && seen < f.count:
			return exit(exitNothing, fmt.Errorf("%d of %d messages came within %s", seen, f.count, scenario.Span(f.within)))
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return clientError(err)
		case m.Retain && f.noRetained:
			continue
		}
		line = append(show(line[:0], m), '\n')
		if _, err := out.Write(line); err != nil {
			return exit(exitInternal, err)
		}
		if err := out.Flush(); err != nil {
			return exit(exitInternal, err)
		}
		if seen++; seen == f.count {
			return nil
		}
	}
	return nil
}

// parseFormat compiles a format into the function that prints a message.
func parseFormat(format string) (func([]byte, *client.Message) []byte, error) {
	verbs := map[byte]func([]byte, *client.Message) []byte{
		't': func(b []byte, m *client.Message) []byte { return append(b, m.Topic...) },
		'p': func(b []byte, m *client.Message) []byte { return append(b, m.Payload...) },
		'x': func(b []byte, m *client.Message) []byte { return fmt.Appendf(b, "%x", m.Payload) },
		'q': func(b []byte, m *client.Message) []byte { return strconv.AppendUint(b, uint64(m.QoS), 10) },
		'l': func(b []byte, m *client.Message) []byte { return strconv.AppendInt(b, int64(len(m.Payload)), 10) },
		'c': func(b []byte, m *client.Message) []byte { return append(b, m.ContentType.Value...) },
		'%': func(b []byte, _ *client.Message) []byte { return append(b, '%') },
		'r': func(b []byte, m *client.Message) []byte {
			if m.Retain {
				return append(b, '1')
			}
			return append(b, '0')
		},
	}
	format = strings.ReplaceAll(format, `\n`, "\n")
	var parts []func([]byte, *client.Message) []byte
	for format != "" {
		text, rest, found := strings.Cut(format, "%")
		parts = append(parts, func(b []byte, _ *client.Message) []byte { return append(b, text...) })
		format = rest
		if !found {
			break
		}
		if rest == "" || verbs[rest[0]] == nil {
			return nil, fmt.Errorf("--format: %%%.1s is not known; there are %%t %%p %%x %%q %%r %%l %%c and %%%%", rest)
		}
		parts = append(parts, verbs[rest[0]])
		format = rest[1:]
	}
	return func(b []byte, m *client.Message) []byte {
		for _, part := range parts {
			b = part(b, m)
		}
		return b
	}, nil
}
