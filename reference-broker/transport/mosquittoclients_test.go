package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/transport"
)

// mosquitto runs mosquitto_pub, mosquitto_sub and mosquitto_rr against one broker.
type mosquitto struct {
	t          *testing.T
	ctx        context.Context
	host, port string
}

func newMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	for _, name := range []string{"mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "stdbuf"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not installed")
		}
	}
	b := startBroker(t, broker.Config{})
	ln, err := transport.Listen(t.Context(), "mqtt://127.0.0.1:0")
	must(t, err)
	go b.Serve(context.Background(), ln)
	m := &mosquitto{t: t, ctx: within(t)}
	m.host, m.port, err = net.SplitHostPort(ln.Addr().String())
	must(t, err)
	return m
}

// on returns m for a subtest.
func (m *mosquitto) on(t *testing.T) *mosquitto {
	sub := *m
	sub.t = t
	return &sub
}

func (m *mosquitto) command(name string, args ...string) *exec.Cmd {
	// They would keep what they print, their log too, until it is a whole block.
	return exec.CommandContext(m.ctx, "stdbuf", append([]string{"-oL", "mosquitto_" + name, "-h", m.host, "-p", m.port}, args...)...)
}

// run runs one of the programs to its end and returns what it printed.
func (m *mosquitto) run(name string, args ...string) string {
	m.t.Helper()
	var out, errs bytes.Buffer
	cmd := m.command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		m.t.Fatalf("mosquitto_%s %q: %v: %s%s", name, args, err, &out, &errs)
	}
	return strings.TrimSpace(out.String())
}

// listen starts mosquitto_sub and returns when it has subscribed; the first function returns what it prints until it ends by itself.
func (m *mosquitto) listen(args ...string) (wait func() string, kill func()) {
	m.t.Helper()
	lines, wait, kill := m.start("sub", append(args, "-d")...)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Subscribed ") {
	}
	return wait, kill
}

// start starts one of the programs. The log that -d makes is not part of what it prints.
func (m *mosquitto) start(name string, args ...string) (lines *bufio.Scanner, wait func() string, kill func()) {
	m.t.Helper()
	cmd := m.command(name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	must(m.t, err)
	must(m.t, cmd.Start())
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	m.t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines = bufio.NewScanner(out)
	return lines, func() string {
		m.t.Helper()
		var printed []string
		for lines.Scan() {
			if !strings.HasPrefix(lines.Text(), "Client ") {
				printed = append(printed, lines.Text())
			}
		}
		if err := cmd.Wait(); err != nil {
			m.t.Fatalf("mosquitto_%s %q: %v: %s", name, args, err, &errs)
		}
		return strings.Join(printed, "\n")
	}, kill
}

func (m *mosquitto) want(why, want, got string) {
	m.t.Helper()
	if got != want {
		m.t.Errorf("%s: %q was printed, want %q", why, got, want)
	}
}

// TestMosquittoClients has mosquitto_pub, mosquitto_sub and mosquitto_rr use each feature that they have.
func TestMosquittoClients(t *testing.T) {
	m := newMosquitto(t)
	for _, version := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for _, qos := range []string{"0", "1", "2"} {
			wait, _ := m.listen("-V", version, "-t", "q/+", "-q", qos, "-C", "1", "-F", "%t %q %p")
			m.run("pub", "-V", version, "-t", "q/"+version, "-q", qos, "-m", "hello")
			m.want(version, "q/"+version+" "+qos+" hello", wait())
		}
	}
	t.Run("retained", func(t *testing.T) { m.on(t).retained() })
	t.Run("will", func(t *testing.T) { m.on(t).will() })
	t.Run("session", func(t *testing.T) { m.on(t).session() })
	t.Run("properties", func(t *testing.T) { m.on(t).properties() })
	t.Run("shared subscription", func(t *testing.T) { m.on(t).shared() })
	t.Run("request and response", func(t *testing.T) { m.on(t).request() })
}

func (m *mosquitto) retained() {
	m.run("pub", "-V", "5", "-t", "r", "-m", "kept", "-r", "-q", "1")
	m.want("retained", "1 kept", m.run("sub", "-V", "5", "-t", "r", "-C", "1", "-F", "%r %p"))
	wait, _ := m.listen("-V", "5", "-t", "r", "-C", "2", "--retain-as-published", "-F", "%r %p")
	m.run("pub", "-V", "5", "-t", "r", "-m", "new", "-r", "-q", "1")
	m.want("Retain As Published", "1 kept\n1 new", wait())
	m.run("pub", "-t", "r", "-n", "-r")
	m.run("sub", "-t", "r", "-t", "end", "--remove-retained", "-E")
	wait, _ = m.listen("-t", "r", "-t", "end", "-C", "1", "-F", "%t")
	m.run("pub", "-t", "end", "-m", "end")
	m.want("an empty message removes the retained one", "end", wait())
}

func (m *mosquitto) will() {
	wait, _ := m.listen("-V", "5", "-t", "will", "-C", "1", "-F", "%C %p")
	_, kill := m.listen("-V", "5", "-t", "x", "--will-topic", "will", "--will-payload", "gone", "--will-qos", "1", "-D", "will", "content-type", "text")
	kill()
	m.want("will", "text gone", wait())
}

func (m *mosquitto) session() {
	for _, version := range []string{"311", "5"} {
		args := []string{"-V", version, "-i", "s" + version, "-c", "-q", "1", "-t", "s"}
		if version == "5" {
			args = append(args, "-x", "1000")
		}
		m.run("sub", append(args, "-E")...)
		m.run("pub", "-t", "s", "-q", "1", "-m", "queued")
		m.want("a Session of "+version, "queued", m.run("sub", append(args, "-C", "1")...))
	}
}

func (m *mosquitto) properties() {
	format := "%t %p %C %R %D %E %P"
	wait, _ := m.listen("-V", "5", "-t", "long/+", "-q", "1", "-C", "1", "-D", "subscribe", "subscription-identifier", "7", "-D", "connect", "topic-alias-maximum", "5",
		"-D", "connect", "receive-maximum", "1", "-F", format+" %S")
	m.run("pub", "-V", "5", "-t", "long/name", "-q", "1", "-m", "text", "-D", "publish", "content-type", "plain", "-D", "publish", "response-topic", "back",
		"-D", "publish", "correlation-data", "c1", "-D", "publish", "message-expiry-interval", "1000", "-D", "publish", "user-property", "k", "v",
		"-D", "publish", "payload-format-indicator", "1", "-D", "publish", "topic-alias", "3")
	got := regexp.MustCompile(` 9\d\d `).ReplaceAllString(wait(), " 1000 ") // seconds may have passed
	m.want("properties", "long/name text plain back c1 1000 k:v 7", got)
}

func (m *mosquitto) shared() {
	one, _ := m.listen("-V", "5", "-t", "$share/g/jobs/#", "-q", "1", "-C", "2", "-F", "%p")
	two, _ := m.listen("-V", "5", "-t", "$share/g/jobs/#", "-q", "1", "-C", "2", "-F", "%p")
	for _, job := range []string{"1", "2", "3", "4"} {
		m.run("pub", "-V", "5", "-t", "jobs/"+job, "-q", "1", "-m", job)
	}
	seen := map[string]bool{}
	for _, job := range append(strings.Fields(one()), strings.Fields(two())...) {
		seen[job] = true
	}
	if len(seen) != 4 {
		m.t.Errorf("members of a Shared Subscription received %v", seen)
	}
}

func (m *mosquitto) request() {
	wait, _ := m.listen("-V", "5", "-t", "question", "-C", "1", "-F", "%R")
	_, answer, _ := m.start("rr", "-V", "5", "-t", "question", "-e", "answers/7", "-m", "6 * 7", "-q", "1")
	m.run("pub", "-V", "5", "-t", wait(), "-m", "42", "-q", "1")
	m.want("the answer", "42", answer())
}
