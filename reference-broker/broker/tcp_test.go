package broker

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/transport"
)

// listen serves b on a URL and returns the one to dial.
func listen(t *testing.T, b *Broker, url string) string {
	t.Helper()
	ln, err := transport.Listen(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		ln.Close()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return transport.URL(ln)
}

func dial(t *testing.T, url string, v mqtt.Version) *peer {
	t.Helper()
	nc, err := transport.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc, v)
}

const loopback = "mqtt://127.0.0.1:0"

func TestFanOutOverSockets(t *testing.T) {
	for _, url := range []string{loopback, "mqtt+unix://" + filepath.Join(t.TempDir(), "s")} {
		b := start(t, Config{})
		url = listen(t, b, url)
		const subscribers, messages = 50, 200
		var wg sync.WaitGroup
		for i := range subscribers {
			v := []mqtt.Version{mqtt.V311, mqtt.V5}[i%2]
			sub := dial(t, url, v)
			sub.connect(fmt.Sprint("sub", i))
			sub.subscribe("t/#", mqtt.QoS(i%3))
			wg.Go(func() {
				for n := 0; n < messages; {
					m, err := sub.next()
					if err != nil {
						t.Errorf("after %d messages: %v", n, err)
						return
					}
					switch m := m.(type) {
					case *mqtt.Publish:
						if m.Payload[0] != byte(n) {
							t.Errorf("message %d is %d", n, m.Payload[0])
						}
						n++
						switch m.QoS {
						case mqtt.AtLeastOnce:
							sub.send(&mqtt.Puback{PacketID: m.PacketID})
						case mqtt.ExactlyOnce:
							sub.send(&mqtt.Pubrec{PacketID: m.PacketID})
						}
					case *mqtt.Pubrel:
						sub.send(&mqtt.Pubcomp{PacketID: m.PacketID})
					}
				}
			})
		}
		pub := dial(t, url, mqtt.V5)
		pub.connect("pub")
		for n := range messages {
			pub.send(&mqtt.Publish{Topic: "t/x", Payload: bytes.Repeat([]byte{byte(n)}, 100), QoS: 1, PacketID: uint16(n + 1)})
			want[*mqtt.Puback](pub, "PUBACK")
		}
		wg.Wait()
	}
}

// The reason of a refusal must arrive although the client has sent more than the broker read: TCP would throw it away on a plain close.
func TestLastWordsArrive(t *testing.T) {
	url := listen(t, start(t, Config{}), loopback)
	for range 20 {
		p := dial(t, url, mqtt.V5)
		p.connect("c")
		p.write(append([]byte{0, 0}, make([]byte, 100<<10)...))
		if d := want[*mqtt.Disconnect](p, "the reason"); d.ReasonCode != mqtt.MalformedPacket {
			t.Fatalf("DISCONNECT %s", d.ReasonCode)
		}
		p.nc.Close()
	}
}

func TestThousandConnectionsComeAndGo(t *testing.T) {
	before := runtime.NumGoroutine()
	b, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(context.Background(), ln) }()
	var peers []*peer
	for i := range 1000 {
		p := dial(t, transport.URL(ln), mqtt.V311)
		p.connect(fmt.Sprint("c", i))
		peers = append(peers, p)
	}
	if n := b.Stats().Connections; n != 1000 {
		t.Errorf("%d connections", n)
	}
	for i, p := range peers[:500] {
		if i%2 == 0 {
			p.send(&mqtt.Disconnect{})
		}
		p.nc.Close()
	}
	waitFor(t, "half are gone", func() bool { return b.Stats().Connections == 500 })
	go func() { // the other half is told to go
		for _, p := range peers[500:] {
			p.wantClose("broker closes")
			p.nc.Close()
		}
	}()
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	waitFor(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

// A client that never reads is cut off while others go on, whoever of many publishers it is that finds the limit passed.
func TestHopelessReaderOverTCP(t *testing.T) {
	b := start(t, Config{SlowLimit: 16 << 10, OutgoingLimit: 32 << 10})
	url := listen(t, b, loopback)
	sub := dial(t, url, mqtt.V311)
	sub.connect("sub")
	sub.nc.(*net.TCPConn).SetReadBuffer(4 << 10)
	sub.subscribe("t", 1)
	var wg sync.WaitGroup
	for i := range 20 {
		pub := dial(t, url, mqtt.V311)
		pub.connect(fmt.Sprint("pub", i))
		wg.Go(func() {
			for range 500 {
				pub.send(&mqtt.Publish{Topic: "t", Payload: make([]byte, 8<<10), QoS: 1, PacketID: 1}, &mqtt.Pingreq{})
				want[*mqtt.Puback](pub, "the publisher is served")
				want[*mqtt.Pingresp](pub, "the publisher is served")
			}
		})
	}
	wg.Wait()
	if s := b.Stats(); s.SlowClosed != 1 || s.Connections != 20 {
		t.Errorf("%+v", s)
	}
}

// A client that asks without reading the answers is not read any more, and goes on where it was when it does.
func TestReadingWaitsForWritingOverTCP(t *testing.T) {
	url := listen(t, start(t, Config{SlowLimit: 16 << 10}), loopback)
	p := dial(t, url, mqtt.V311)
	p.connect("c")
	p.nc.(*net.TCPConn).SetReadBuffer(128 << 10)
	const most = 256 << 20 // far more than all socket buffers together
	pings := bytes.Repeat([]byte{0xC0, 0}, 32<<10)
	sent := 0
	for {
		p.nc.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := p.nc.Write(pings)
		sent += n
		if err != nil {
			break
		}
		if sent > most {
			t.Fatalf("the broker took %d bytes from a client that does not read", sent)
		}
	}
	in := make([]byte, sent&^1)
	p.nc.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := io.ReadFull(p.nc, in); err != nil {
		t.Errorf("%d of %d bytes of answers came: %v", n, len(in), err)
	}
}

func TestLingerOverTCP(t *testing.T) {
	b, err := New(Config{Linger: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	p := dial(t, listen(t, b, loopback), mqtt.V5)
	p.connect("c")
	began := time.Now()
	if err := b.Close(t.Context()); err != nil || time.Since(began) < 50*time.Millisecond {
		t.Errorf("closed after %v, %v", time.Since(began), err)
	}
	want[*mqtt.Disconnect](p, "the last word")
	p.wantClose("after it")
}

// waitFor polls a condition for at most a minute.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// The command line clients of mosquitto: an independent implementation of the other end.
func TestMosquittoClients(t *testing.T) {
	pub, err := exec.LookPath("mosquitto_pub")
	sub, err2 := exec.LookPath("mosquitto_sub")
	if err != nil || err2 != nil {
		t.Skip("mosquitto_pub and mosquitto_sub are not installed; get them with: apt-get install mosquitto-clients")
	}
	url := listen(t, start(t, Config{}), loopback)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "mqtt://"))
	at := []string{"-h", "127.0.0.1", "-p", port}
	for _, v := range []string{"mqttv31", "mqttv311", "mqttv5"} {
		for _, qos := range []string{"0", "1", "2"} {
			t.Run(v+" QoS "+qos, func(t *testing.T) {
				with := func(more ...string) []string { return append(append([]string{"-V", v, "-q", qos}, at...), more...) }
				topic := "m/" + v + "/" + qos
				if out, err := exec.Command(pub, with("-t", topic, "-m", "kept", "-r")...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				// The retained message comes first: then the Subscription is known to exist.
				got := exec.Command(sub, with("-t", topic, "-C", "2", "-W", "10", "-F", "%r %t %p")...)
				out, err := got.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := got.Start(); err != nil {
					t.Fatal(err)
				}
				defer got.Process.Kill()
				lines := bufio.NewScanner(out)
				for _, line := range []string{"1 " + topic + " kept", "0 " + topic + " live"} {
					if !lines.Scan() || lines.Text() != line {
						t.Fatalf("got %q, want %q", lines.Text(), line)
					}
					if out, err := exec.Command(pub, with("-t", topic, "-m", "live")...).CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
				}
				if err := got.Wait(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
