package device

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
	"mqttlab/reports/model"
	"mqttlab/simulator/arrival"
	"mqttlab/simulator/ledger"
	"mqttlab/simulator/payload"

	core "mqttlab/reference-broker/core/client"
)

// world is a Host with a clock that the test moves, and the target at the other end of its connections.
type world struct {
	t       *testing.T
	now     time.Time
	timers  []*fakeTimer
	handler Handler
	refuse  error
	room    int // what conn still takes; -1: anything
	decoder *wire.Decoder
	got     []string // packets since the last want
	last    map[mqtt.Type]mqtt.Packet
	buffer  []byte
	version mqtt.Version
	closed  string
	opened  int
	dark    bool
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	return &world{t: t, now: epoch, room: -1, last: map[mqtt.Type]mqtt.Packet{}, version: mqtt.V311}
}

func (w *world) Now() time.Time { return w.now }

func (w *world) Open(h Handler) error {
	w.opened++
	w.handler, w.closed, w.buffer = h, "", nil
	w.decoder = wire.NewDecoder(wire.FromClient)
	return w.refuse
}

func (w *world) Vanish()        { w.closed = "vanished" }
func (w *world) Return()        { w.closed = "" }
func (w *world) SetDark(d bool) { w.dark = d }

type fakeTimer struct {
	at    time.Time
	armed bool
	f     func()
}

func (t *fakeTimer) Set(at time.Time) { t.at, t.armed = at, true }
func (t *fakeTimer) Stop() bool       { was := t.armed; t.armed = false; return was }

func (w *world) NewTimer(f func()) Timer {
	timer := &fakeTimer{f: f}
	w.timers = append(w.timers, timer)
	return timer
}

// run moves the clock, firing timers at their time.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		var next *fakeTimer
		for _, timer := range w.timers {
			if timer.armed && !timer.at.After(end) && (next == nil || timer.at.Before(next.at)) {
				next = timer
			}
		}
		if next == nil {
			w.now = end
			return
		}
		if next.at.After(w.now) {
			w.now = next.at
		}
		next.armed = false
		next.f()
	}
}

func (w *world) Send(p []byte) int {
	n := len(p)
	if w.room >= 0 {
		n = min(n, w.room)
		w.room -= n
	}
	w.buffer = append(w.buffer, p[:n]...)
	for {
		packet, used, err := w.decoder.Next(w.buffer)
		if err != nil {
			w.t.Fatalf("the device sent what is no packet: %v", err)
		}
		if used == 0 {
			return n
		}
		w.buffer = w.buffer[used:]
		if publish, ok := packet.(*mqtt.Publish); ok {
			packet = publish.Clone()
		}
		w.got = append(w.got, packet.Type().String())
		w.last[packet.Type()] = packet
	}
}

func (w *world) Close() { w.closed = "closed" }
func (w *world) Abort() { w.closed = "aborted" }

func (w *world) want(why string, packets ...string) {
	w.t.Helper()
	if diff := cmp.Diff(packets, w.got); diff != "" {
		w.t.Errorf("%s: (-want +got)\n%s", why, diff)
	}
	w.got = nil
}

func (w *world) answer(packets ...mqtt.Packet) {
	w.t.Helper()
	var b []byte
	for _, p := range packets {
		var err error
		if b, err = wire.Append(b, w.version, p); err != nil {
			w.t.Fatal(err)
		}
	}
	w.handler.Received(b)
}

func (w *world) lastPublish() *mqtt.Publish { return w.last[mqtt.TypePublish].(*mqtt.Publish) }

func sensor(w *world, qos mqtt.QoS, change func(*SensorGroup)) (*Sensor, *ledger.Book) {
	book := ledger.New(ledger.Config{Run: 9, FirstDevice: 5, Devices: 1, QoS: int(qos), Interval: time.Second})
	g := &SensorGroup{
		Common: Common{
			Start:     epoch,
			Connect:   &mqtt.Connect{Version: w.version, CleanStart: true, KeepAlive: 60},
			Client:    core.Config{Requeue: true, MaxQueued: 3},
			Reconnect: Reconnect{Backoff: core.Backoff{Min: time.Second, Max: 4 * time.Second}},
			Logger:    slog.New(slog.DiscardHandler),
		},
		Book: book, Run: 9, QoS: qos, Payload: zeros(40),
		Pace: arrival.Pace{Interval: 10 * time.Second}, Begin: 5 * time.Second, End: 45 * time.Second,
	}
	if change != nil {
		change(g)
	}
	s := NewSensor(g, w, NewScratch(), Identity{Number: 5, ClientID: "soil-5", Topic: "meadow/5"})
	s.StartAt(epoch)
	return s, book
}

// zeros makes constant payloads.
func zeros(bytes int) *payload.Source {
	s, err := payload.New(payload.Config{Bytes: bytes})
	if err != nil {
		panic(err) // a constant payload can't be wrong
	}
	return s
}

func (w *world) connect() {
	w.t.Helper()
	w.run(0)
	w.handler.Opened(w)
	w.want("a new connection begins with CONNECT", "CONNECT")
	w.answer(&mqtt.Connack{})
}

func TestSensorPublishesOnItsSchedule(t *testing.T) {
	w := newWorld(t)
	s, book := sensor(w, mqtt.AtLeastOnce, nil)
	w.connect()
	if c := w.last[mqtt.TypeConnect].(*mqtt.Connect); c.ClientID != "soil-5" {
		t.Errorf("CONNECT of %q, want soil-5", c.ClientID)
	}
	for i := range 4 {
		w.run(map[bool]time.Duration{true: 5 * time.Second, false: 10 * time.Second}[i == 0])
		w.want("one message each interval", "PUBLISH")
		p := w.lastPublish()
		h, ok := ledger.ParseHeader(p.Payload)
		at := w.now.Sub(epoch)
		if want := (ledger.Header{Run: 9, Device: 5, Sequence: uint32(i), Intended: at, Sent: at}); !ok || h != want || len(p.Payload) != 40 || p.Topic != "meadow/5" {
			t.Errorf("message %d is %+v on %q with %d bytes, want %+v", i, h, p.Topic, len(p.Payload), want)
		}
		w.answer(&mqtt.Puback{PacketID: p.PacketID})
	}
	w.run(50 * time.Second)
	w.want("nothing is due at or after the end", []string(nil)...)
	if s.Unfinished() != 0 {
		t.Errorf("%d unfinished, want none", s.Unfinished())
	}
	if l := book.Ledger(); l.Sent != 4 || l.Acknowledged != 4 || l.Lost != 4 {
		t.Errorf("ledger %+v: want 4 sent, 4 acknowledged and, without a sink, 4 lost", l)
	}
	w.run(20 * time.Second)
	w.want("an idle device keeps its connection alive", "PINGREQ")
	s.Finish(nil)
	w.want("it leaves in order", "DISCONNECT")
	if w.closed != "closed" {
		t.Errorf("connection %q, want closed", w.closed)
	}
	w.run(time.Hour)
	if w.opened != 1 {
		t.Errorf("%d connections, want 1: a device that has finished stays away", w.opened)
	}
}

func TestSensorComesBackByItsPolicyAndKeepsItsMessages(t *testing.T) {
	w := newWorld(t)
	_, book := sensor(w, mqtt.AtLeastOnce, nil)
	w.connect()
	w.run(5 * time.Second)
	w.want("the first message", "PUBLISH")
	w.handler.Closed(io.EOF)
	w.refuse = errors.New("no route")
	w.run(time.Second - 1)
	if w.opened != 1 {
		t.Fatal("the device came back before its backoff of 1 s")
	}
	w.run(1 + 2*time.Second + 4*time.Second + 4*time.Second) // 11 s after the loss: the message of 15 s was due
	if w.opened != 5 {
		t.Fatalf("%d attempts, want 5: after 1, 2, 4 and 4 s", w.opened)
	}
	if s := book.Progress().States; s[ledger.Waiting] != 1 {
		t.Errorf("states %v, want one waiting", s)
	}
	w.refuse = nil
	w.run(4 * time.Second)
	w.handler.Opened(w)
	w.answer(&mqtt.Connack{})
	w.want("both messages once connected: the one that nobody acknowledged and the one that was due meanwhile", "CONNECT", "PUBLISH", "PUBLISH")
	if h, _ := ledger.ParseHeader(w.lastPublish().Payload); h.Intended != 15*time.Second || h.Sent != 20*time.Second {
		t.Errorf("due at %v, sent at %v; want 15s and 20s: the wait must show", h.Intended, h.Sent)
	}
}

func TestSensorGivesUpWhatItMayNotKeep(t *testing.T) {
	w := newWorld(t)
	_, book := sensor(w, mqtt.AtMostOnce, nil)
	w.connect()
	w.handler.Closed(io.EOF)
	w.run(20 * time.Second) // due at 5 and 15 s without a connection
	if l := book.Ledger(); l.Sent != 2 || l.Expired != 2 {
		t.Errorf("QoS 0 without a connection: %+v, want 2 sent and 2 expired", l)
	}

	w = newWorld(t)
	_, book = sensor(w, mqtt.AtLeastOnce, func(g *SensorGroup) { g.End = time.Hour })
	w.run(59 * time.Second) // 6 due, 3 fit
	if l := book.Ledger(); l.Sent != 6 || l.Expired != 3 || l.Pending != 3 {
		t.Errorf("a queue of 3: %+v, want 3 expired and 3 pending", l)
	}
}

func TestSensorWithoutPolicyStaysAway(t *testing.T) {
	w := newWorld(t)
	_, book := sensor(w, mqtt.AtLeastOnce, func(g *SensorGroup) { g.Reconnect.Never = true })
	w.connect()
	w.handler.Closed(io.EOF)
	w.run(time.Hour)
	if w.opened != 1 || book.Progress().States[ledger.Off] != 1 {
		t.Errorf("%d connections, states %v; want 1 connection and the device off", w.opened, book.Progress().States)
	}
}

func TestSensorWaitsForRoom(t *testing.T) {
	w := newWorld(t)
	s, _ := sensor(w, mqtt.AtLeastOnce, nil)
	w.connect()
	w.room = 10
	w.run(5 * time.Second)
	w.want("ten bytes are no message", []string(nil)...)
	w.room = 20
	s.attempt.Writable()
	w.want("nor are thirty", []string(nil)...)
	w.room = -1
	s.attempt.Writable()
	w.want("the rest follows when there is room", "PUBLISH")
}

func TestSensorReadsPacketsInPieces(t *testing.T) {
	w := newWorld(t)
	_, book := sensor(w, mqtt.AtLeastOnce, nil)
	w.connect()
	w.run(5 * time.Second)
	w.want("the first message", "PUBLISH")
	b, err := wire.Append(nil, w.version, &mqtt.Puback{PacketID: w.lastPublish().PacketID})
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		w.handler.Received(b[i : i+1])
	}
	if got := book.Ledger().Acknowledged; got != 1 {
		t.Errorf("%d acknowledged, want 1", got)
	}
	w.handler.Received([]byte{0x00, 0x00})
	if w.closed != "closed" {
		t.Error("the device kept a connection on which bytes came that are no packet")
	}
}

func TestSinkFeedsTheLedger(t *testing.T) {
	w := newWorld(t)
	w.version = mqtt.V5
	book := ledger.New(ledger.Config{Run: 9, FirstDevice: 5, Devices: 1, QoS: 1, Interval: time.Second})
	var ready []error
	g := &SinkGroup{
		Common: Common{
			Start: epoch, Logger: slog.New(slog.DiscardHandler), Reconnect: Reconnect{Backoff: core.Backoff{Min: time.Second}},
			Connect: &mqtt.Connect{Version: mqtt.V5, CleanStart: true, SessionExpiryInterval: 300},
		},
		Book: book, TopicFilter: "meadow/+", QoS: mqtt.ExactlyOnce, Ready: func(err error) { ready = append(ready, err) },
	}
	s := NewSink(g, w, NewScratch(), Identity{ClientID: "sink"})
	s.StartAt(epoch)
	w.connect()
	w.want("connected, it subscribes", "SUBSCRIBE")
	sub := w.last[mqtt.TypeSubscribe].(*mqtt.Subscribe)
	w.answer(&mqtt.Suback{PacketID: sub.PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.GrantedQoS1}})
	if !slices.Equal(ready, []error{nil}) {
		t.Fatalf("ready: %v, want one nil", ready)
	}
	h := ledger.Header{Run: 9, Device: 5, Intended: 1, Sent: 2}
	book.Sent(1, h)
	payload := make([]byte, ledger.HeaderBytes)
	h.Put(payload)
	w.answer(&mqtt.Publish{Topic: "meadow/5", QoS: 1, PacketID: 1, Payload: payload}, &mqtt.Publish{Topic: "meadow/5", Payload: []byte("noise")})
	w.want("QoS 1 is acknowledged", "PUBACK")
	if diff := cmp.Diff(model.Ledger{QoS: 1, Sent: 1, Delivered: 1}, book.Ledger()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	w.handler.Closed(io.EOF)
	w.run(time.Second)
	w.handler.Opened(w)
	w.answer(&mqtt.Connack{SessionPresent: true})
	w.want("a session that is still there needs no second SUBSCRIBE", "CONNECT")
	w.handler.Closed(io.EOF)
	w.run(time.Second)
	w.handler.Opened(w)
	w.answer(&mqtt.Connack{})
	w.want("a lost one does", "CONNECT", "SUBSCRIBE")
}

func TestSinkThatCannotSubscribeSaysSo(t *testing.T) {
	for name, fail := range map[string]func(w *world){
		"no connection": func(w *world) { w.handler.Closed(errors.New("refused")) },
		"not authorized": func(w *world) {
			w.handler.Opened(w)
			w.answer(&mqtt.Connack{ReasonCode: mqtt.NotAuthorized})
		},
		"filter refused": func(w *world) {
			w.handler.Opened(w)
			w.answer(&mqtt.Connack{})
			w.answer(&mqtt.Suback{PacketID: w.last[mqtt.TypeSubscribe].(*mqtt.Subscribe).PacketID, ReasonCodes: []mqtt.ReasonCode{mqtt.UnspecifiedError}})
		},
	} {
		w := newWorld(t)
		var ready []error
		g := &SinkGroup{
			Common:      Common{Start: epoch, Logger: slog.New(slog.DiscardHandler), Connect: &mqtt.Connect{Version: w.version, CleanStart: true}},
			TopicFilter: "a/+", Ready: func(err error) { ready = append(ready, err) },
		}
		NewSink(g, w, NewScratch(), Identity{ClientID: "sink"}).StartAt(epoch)
		w.run(0)
		fail(w)
		w.run(time.Hour)
		if len(ready) != 1 || ready[0] == nil {
			t.Errorf("%s: ready was called with %v, want one error", name, ready)
		}
	}
}
