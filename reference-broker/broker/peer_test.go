package broker

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// peer is a client that says and hears Control Packets, one at a time.
type peer struct {
	t   *testing.T
	nc  net.Conn
	v   mqtt.Version
	dec *wire.Decoder
	buf []byte
}

func newPeer(t *testing.T, nc net.Conn, v mqtt.Version) *peer {
	t.Helper()
	t.Cleanup(func() { nc.Close() })
	p := &peer{t: t, nc: nc, v: v, dec: wire.NewDecoder(wire.FromServer)}
	p.dec.Version = v
	return p
}

// start returns a broker that is closed at the end of the test.
func start(t *testing.T, cfg Config) *Broker {
	t.Helper()
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// pipe connects a peer without saying anything.
func pipe(t *testing.T, b *Broker, v mqtt.Version) *peer {
	t.Helper()
	nc, err := b.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return newPeer(t, nc, v)
}

// join connects a peer with CONNECT.
func join(t *testing.T, b *Broker, v mqtt.Version, id string) *peer {
	t.Helper()
	p := pipe(t, b, v)
	p.connect(id)
	return p
}

func (p *peer) connect(id string) {
	p.t.Helper()
	p.send(&mqtt.Connect{Version: p.v, ClientID: id, CleanStart: true})
	if a := want[*mqtt.Connack](p, "CONNECT is accepted"); a.ReasonCode != mqtt.Success {
		p.t.Fatalf("CONNACK %s", a.ReasonCode)
	}
}

func (p *peer) subscribe(filter string, qos mqtt.QoS) {
	p.t.Helper()
	p.send(&mqtt.Subscribe{PacketID: 1, Subscriptions: []mqtt.Subscription{{TopicFilter: filter, QoS: qos}}})
	want[*mqtt.Suback](p, "SUBSCRIBE is answered")
}

func (p *peer) send(packets ...mqtt.Packet) {
	p.t.Helper()
	var b []byte
	for _, m := range packets {
		var err error
		if b, err = wire.Append(b, p.v, m); err != nil {
			p.t.Fatal(err)
		}
	}
	p.write(b)
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// next waits for one packet; io.EOF when the broker has closed.
func (p *peer) next() (mqtt.Packet, error) {
	p.nc.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		m, n, err := p.dec.Next(p.buf)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			p.buf = p.buf[n:]
			return m, nil
		}
		b := make([]byte, 4096)
		n, err = p.nc.Read(b)
		if err != nil {
			return nil, err
		}
		p.buf = append(p.buf[:len(p.buf):len(p.buf)], b[:n]...)
	}
}

// want waits for a packet of type T; why says what it proves.
func want[T mqtt.Packet](p *peer, why string) T {
	p.t.Helper()
	m, err := p.next()
	got, ok := m.(T)
	if err != nil || !ok {
		p.t.Fatalf("%s: got %T %+v, %v", why, m, m, err)
	}
	return got
}

func (p *peer) wantPacket(want mqtt.Packet, why string) {
	p.t.Helper()
	got, err := p.next()
	if err != nil {
		p.t.Fatalf("%s: %v", why, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		p.t.Fatalf("%s: want - got +\n%s", why, diff)
	}
}

func (p *peer) wantClose(why string) {
	p.t.Helper()
	m, err := p.next()
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("%s: got %T %+v, %v; want the connection closed", why, m, m, err)
	}
}

// wantSilence proves by a PINGREQ that nothing came before.
func (p *peer) wantSilence(why string) {
	p.t.Helper()
	p.send(&mqtt.Pingreq{})
	want[*mqtt.Pingresp](p, why+": nothing but the answer to PINGREQ")
}
