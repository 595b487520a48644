package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mqttlab/reference-broker/bench/load"
)

// contender is a broker to compare. Each run starts it afresh, as a process of its own.
type contender struct {
	name    string // in the table, with its version
	command func(setup) ([]string, error)
}

// setup is what a broker is started with.
type setup struct {
	address string
	dir     string // empty, for what it keeps
	store   bool   // it keeps what it acknowledges on disk, and acknowledges it then only; for those who can
}

const (
	startLimit = 15 * time.Second // until it answers CONNECT
	stopLimit  = 5 * time.Second  // after SIGTERM, before SIGKILL
)

// run measures one scenario on a fresh process.
func (c *contender) run(ctx context.Context, s load.Spec, store bool, limit time.Duration) (r load.Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "mqttlab-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	if s.Address, err = freeAddress(); err != nil {
		return r, err
	}
	argv, err := c.command(setup{s.Address, dir, store})
	if err != nil {
		return r, err
	}
	var last bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = &last
	cmd.SysProcAttr = withParent()
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer stop(cmd)
	s.PID = cmd.Process.Pid
	if err := answers(ctx, s.Address); err != nil {
		stop(cmd)
		return r, fmt.Errorf("%s did not serve: %w%s", argv[0], err, lastLine(last.Bytes()))
	}
	time.Sleep(200 * time.Millisecond) // what it does after its start is not measured
	return child(ctx, s)
}

// child has the generator run in a process of its own.
func child(ctx context.Context, s load.Spec) (r load.Result, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	in, err := json.Marshal(s)
	if err != nil {
		return r, err
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(ctx, self, loadChild)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &errs
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return r, fmt.Errorf("not done in time: %w", ctx.Err())
	case err != nil:
		return r, errors.New(strings.TrimPrefix(strings.TrimSpace(errs.String()), "bench: "))
	}
	return r, json.Unmarshal(out, &r)
}

// stop ends a process, politely first. A second call does nothing.
func stop(cmd *exec.Cmd) {
	if cmd.ProcessState != nil {
		return
	}
	cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(stopLimit, func() { cmd.Process.Kill() })
	defer kill.Stop()
	cmd.Wait()
}

// freeAddress returns an address on which nobody listens now.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// answers waits until the broker takes a CONNECT.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := knock(ctx, address)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func knock(ctx context.Context, address string) error {
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Second))
	if _, err := nc.Write([]byte("\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05knock")); err != nil {
		return err
	}
	answer := make([]byte, 4)
	if _, err := io.ReadFull(nc, answer); err != nil {
		return err
	}
	if answer[0] != 0x20 || answer[3] != 0 {
		return fmt.Errorf("the answer to CONNECT is % x", answer)
	}
	_, err = nc.Write([]byte{0xE0, 0})
	return err
}

func lastLine(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return ""
	}
	return ": " + string(b[bytes.LastIndexByte(b, '\n')+1:])
}

// chooseBrokers returns what o asks for, mosquitto first: it is the measure.
func chooseBrokers(o options) ([]contender, error) {
	wanted := split(o.brokers)
	var chosen []contender
	for _, name := range []string{"mosquitto", "mochi", "nats", "mqttlab"} {
		if !wanted[name] {
			continue
		}
		delete(wanted, name)
		c, err := newContender(name, o)
		if errors.Is(err, errNoMosquitto) {
			fmt.Fprintln(os.Stderr, "bench:", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, c)
	}
	for name := range wanted {
		return nil, fmt.Errorf("no broker is called %q; there are mosquitto, mochi, nats, mqttlab", name)
	}
	return chosen, nil
}

func newContender(name string, o options) (contender, error) {
	switch name {
	case "mosquitto":
		return newMosquitto()
	case "mqttlab":
		if _, err := os.Stat(o.mqttlab); err != nil {
			return contender{}, fmt.Errorf("%w: build it with make build, or name it with -mqttlab", err)
		}
		return contender{"mqttlab", func(s setup) ([]string, error) {
			argv := []string{o.mqttlab, "broker", "--listen", "mqtt://" + s.address}
			if s.store {
				argv = append(argv, "--store", filepath.Join(s.dir, "store"))
			}
			return argv, nil
		}}, nil
	}
	return contender{name + " " + versions[name], func(s setup) ([]string, error) {
		self, err := os.Executable()
		return []string{self, serveChild, name, s.address, s.dir, strconv.FormatBool(s.store)}, err
	}}, nil
}

const mosquittoConfig = `listener %s %s
allow_anonymous true
log_type error
sys_interval 0
max_queued_messages 0
set_tcp_nodelay true
persistence false
user root
`

var mosquittoVersion = regexp.MustCompile(`mosquitto version (\S+)`)

var errNoMosquitto = errors.New("mosquitto is not installed: the table has bare figures instead of ratios to it")

// newMosquitto finds mosquitto, which is often installed where users do not look.
func newMosquitto() (contender, error) {
	candidates := []string{"mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"}
	i := slices.IndexFunc(candidates, func(path string) bool { _, err := exec.LookPath(path); return err == nil })
	if i < 0 {
		return contender{}, errNoMosquitto
	}
	help, _ := exec.Command(candidates[i], "-h").Output() // its exit code is 3
	version := mosquittoVersion.FindSubmatch(help)
	if version == nil {
		return contender{}, fmt.Errorf("%s -h does not tell its version", candidates[i])
	}
	return contender{"mosquitto " + string(version[1]), func(s setup) ([]string, error) {
		host, port, err := net.SplitHostPort(s.address)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(s.dir, "mosquitto.conf")
		return []string{candidates[i], "-c", path}, os.WriteFile(path, fmt.Appendf(nil, mosquittoConfig, port, host), 0o600)
	}}, nil
}
