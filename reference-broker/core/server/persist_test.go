package server

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
)

// disk is a store as the machine believes in it: Puts replace by key, Removes must find something, and what is Lazy may be lost in a crash if
// nothing that is not Lazy came after it.
type disk struct {
	t    testing.TB
	puts map[string]Record
	lazy []Record // not written yet
}

func newDisk(t testing.TB) *disk { return &disk{t: t, puts: map[string]Record{}} }

func (d *disk) write(r *Record) {
	c := *r
	if c.Publish != nil {
		c.Publish = c.Publish.Clone()
	}
	c.Identifiers = slices.Clone(c.Identifiers)
	d.lazy = append(d.lazy, c)
	if !r.Lazy {
		d.flush()
	}
}

func (d *disk) flush() {
	for i := range d.lazy {
		d.apply(&d.lazy[i])
	}
	d.lazy = d.lazy[:0]
}

func (d *disk) apply(r *Record) {
	switch r.Kind {
	case PutMessage, PutSession, PutSubscription, PutReceived, PutDelivery, PutRetained:
		d.puts[diskKey(r, r.Kind)] = *r
	case EndSession:
		for key, x := range d.puts {
			if x.Session == r.Session {
				delete(d.puts, key)
			}
		}
	default:
		key := diskKey(r, r.Kind-1)
		if _, had := d.puts[key]; !had && r.Kind != RemoveRetained {
			d.t.Errorf("%s is removed and was not there", key)
		}
		delete(d.puts, key)
	}
}

func diskKey(r *Record, kind RecordKind) string {
	name := r.Name
	if kind == PutDelivery {
		name = ""
	}
	message := r.Message
	if kind != PutMessage {
		message = 0
	}
	return fmt.Sprintf("%d session %d message %d place %d packet %d name %q", kind, r.Session, message, r.Place,
		map[bool]uint16{true: r.PacketID}[kind == PutReceived], name)
}

func (d *disk) records() iter.Seq2[Record, error] {
	var list []Record
	for _, r := range d.puts {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Session, b.Session), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.PacketID, b.PacketID))
	})
	return func(yield func(Record, error) bool) {
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// crash ends the process of the Server and starts another one from what is on disk; rng decides what of the lazy tail got there.
func (s *tester) crash(rng *rand.Rand) {
	s.t.Helper()
	s.disk.lazy = s.disk.lazy[:rng.IntN(len(s.disk.lazy)+1)]
	s.disk.flush()
	cfg := s.m.cfg
	s.m = New(cfg)
	for _, p := range s.peers {
		p.closed = true
	}
	if err := s.m.Restore(s.now, s.disk.records()); err != nil {
		s.t.Fatal(err)
	}
	s.drain()
	checkHolders(s.t, s.m)
}

// TestExactlyOnceOverCrashes is TestExactlyOnceUnderLoss with a Server that is killed now and then.
func TestExactlyOnceOverCrashes(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runLossy(t, seed, Config{Persist: true}) })
	}
}

// TestStoreHoldsTheState has random packets change a Server and compares it with one that is made of the records.
func TestStoreHoldsTheState(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			cfg := monkeyConfig(seed)
			cfg.Persist = true
			k := &monkey{tester: start(t, cfg), rng: rand.New(rand.NewPCG(seed, 9))}
			for i := range 3000 {
				k.step()
				if i%100 == 0 {
					k.compareStored()
				}
			}
			for _, p := range k.live() {
				p.lose()
			}
			k.compareStored()
			k.advance(200_000 * time.Hour)
			k.compareStored()
		})
	}
}

// compareStored holds the machine against one that has read the records and not gone on yet.
func (k *monkey) compareStored() {
	k.t.Helper()
	k.disk.flush()
	stored := New(k.m.cfg)
	stored.tick(k.now)
	r := restoring{m: stored, messages: map[uint64]*message{}, sessions: map[uint64]*session{}, waiting: map[*session]Record{}}
	for x := range k.disk.records() {
		if err := r.take(&x); err != nil {
			k.t.Fatal(err)
		}
	}
	for _, s := range r.list {
		if x := r.waiting[s]; x.Offline {
			r.resettle(s)
		}
	}
	for number, x := range r.messages {
		if x.holders == 0 && !holdsSerial(k.m, number) {
			k.t.Errorf("message %d is stored and nobody wants it", number)
		}
	}
	if diff := gocmp.Diff(dump(k.m), dump(stored)); diff != "" {
		k.t.Fatalf("(-running +restored):\n%s", diff)
	}
}

// holdsSerial reports whether a message is held by a Session that is not stored.
func holdsSerial(m *Machine, number uint64) bool {
	for _, s := range m.sessions {
		if s.flow == nil || s.durable() {
			continue
		}
		for _, x := range s.flow.out.Sent() {
			if x.message != nil && x.message.serial == number {
				return true
			}
		}
		for i := range s.flow.queue.len() {
			if s.flow.queue.at(i).message.serial == number {
				return true
			}
		}
	}
	return false
}

// dump tells what must outlive the process, one line for each thing.
func dump(m *Machine) []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	m.retained.names.Match("#", func(r *retained) bool {
		add("retained %s", dumpMessage(m, r.message))
		return true
	})
	for _, s := range m.sessions {
		if !s.durable() {
			continue
		}
		add("session %q %q expiry %d", s.id, s.username, s.expiry)
		w := s.will
		if s.conn != nil {
			w = s.conn.will
		} else if s.ends != forever {
			add("session %q ends %v", s.id, m.wall(s.ends).Round(0))
		}
		if w != nil {
			add("session %q will %s %v", s.id, dumpMessage(m, w.message), w.delay)
		}
		for _, e := range s.subscriptions {
			v := e.Value
			add("session %q filter %q path %q qos %d %t %t %v shared %t", s.id, v.filter, v.path, v.qos, v.noLocal, v.retainAsPublished, v.ids, v.group != nil)
		}
		lines = append(lines, dumpFlow(m, s)...)
	}
	slices.Sort(lines)
	return lines
}

func dumpFlow(m *Machine, s *session) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if s.flow == nil {
		return nil
	}
	for id := range uint16(100) {
		if s.flow.in.Has(id) {
			add("session %q received %d", s.id, id)
		}
	}
	n := 0
	for id, x := range s.flow.out.Sent() {
		n++
		add("session %q sent %03d as %d %s", s.id, n, id, dumpPending(m, x))
	}
	for id := range s.flow.out.Released() {
		n++
		add("session %q released %03d %d", s.id, n, id)
	}
	for i := range s.flow.queue.len() {
		add("session %q queued %03d %s", s.id, i, dumpPending(m, s.flow.queue.at(i)))
	}
	return lines
}

func dumpPending(m *Machine, x *pending) string {
	group := ""
	if x.group != nil {
		group = x.group.key.share + "/" + x.group.key.path
	}
	return fmt.Sprintf("qos %d retain %t free %t ids %v group %q %s", x.qos, x.retain, x.free, x.ids, group, dumpMessage(m, x.message))
}

func dumpMessage(m *Machine, x *message) string {
	if x == nil {
		return "none"
	}
	p := x.publish
	return strings.Join([]string{fmt.Sprintf("%q %x qos %d retain %t %v", p.Topic, p.Payload, p.QoS, p.Retain, p.MessageExpiryInterval), m.wall(x.arrived).Round(0).String()}, " ")
}

// TestRestoreRefuses gives Restore records that do not fit together: nothing is guessed, and nothing is left out.
func TestRestoreRefuses(t *testing.T) {
	message := Record{Kind: PutMessage, Message: 1, Publish: &mqtt.Publish{Topic: "t", QoS: 1}}
	owner := Record{Kind: PutSession, Session: 2, Client: "c", Expiry: 100, Offline: true}
	for name, records := range map[string][]Record{
		"message without a topic":        {{Kind: PutMessage, Message: 1, Publish: &mqtt.Publish{}}},
		"retained without its message":   {{Kind: PutRetained, Name: "t", Message: 1}},
		"retained of another topic":      {message, {Kind: PutRetained, Name: "u", Message: 1}},
		"two sessions of a client":       {owner, {Kind: PutSession, Session: 3, Client: "c"}},
		"will without its message":       {{Kind: PutSession, Session: 2, Client: "c", Message: 9}},
		"subscription without a session": {{Kind: PutSubscription, Session: 2, Name: "t"}},
		"subscription that is none":      {owner, {Kind: PutSubscription, Session: 2, Name: "a#"}},
		"delivery without its message":   {owner, {Kind: PutDelivery, Session: 2, Place: 3, Message: 1}},
		"packet identifier used twice": {
			message, owner,
			{Kind: PutDelivery, Session: 2, Place: 3, Message: 1, PacketID: 5, QoS: 1},
			{Kind: PutDelivery, Session: 2, Place: 4, Message: 1, PacketID: 5, QoS: 1},
		},
		"received twice":    {owner, {Kind: PutReceived, Session: 2, PacketID: 1}, {Kind: PutReceived, Session: 2, PacketID: 1}},
		"a removal":         {owner, {Kind: RemoveDelivery, Session: 2}},
		"a kind of nothing": {owner, {Kind: 99, Session: 2}},
	} {
		err := New(Config{Persist: true}).Restore(time.Unix(1, 0), func(yield func(Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		})
		if err == nil {
			t.Errorf("%s: restored", name)
		}
	}
}

// TestClocksGoOn restarts the Server while a Session, a Will Message and a retained message wait for time.
func TestClocksGoOn(t *testing.T) {
	s := start(t, Config{Persist: true})
	watcher := s.connect("watcher", kept)
	watcher.subscribe(1, "will")
	leaver := s.connect("leaver", expiry(60), with(mqtt.Will{Topic: "will", Payload: []byte("gone"), QoS: 1, DelayInterval: 20}))
	fading := text("fading", "x", 1)
	fading.Retain, fading.MessageExpiryInterval = true, mqtt.Some[uint32](30)
	watcher.publish(fading)
	leaver.lose()
	s.advance(10 * time.Second)
	s.crash(rand.New(rand.NewPCG(1, 1)))
	s.advance(5 * time.Second)
	late := s.connect("late")
	late.subscribe(0, "fading")
	want := retainedText(arrived("fading", "x", 0, 0))
	want.MessageExpiryInterval = mqtt.Some[uint32](15)
	late.want("the expiry counts on", want)
	s.advance(6 * time.Second)
	watcher = s.connect("watcher", kept)
	watcher.want("the will came after its delay", arrived("will", "gone", 1, 1))
	s.advance(10 * time.Second)
	late.subscribe(0, "fading")
	late.silence("the retained message has expired")
	if _, k := s.connectFor("leaver", kept); !k.SessionPresent {
		t.Error("the Session ended too early")
	}
}

// TestCrashIsALossToAllClients restarts the Server while clients are connected: their Will Messages come, and Sessions that end with their connection are
// gone.
func TestCrashIsALossToAllClients(t *testing.T) {
	s := start(t, Config{Persist: true})
	watcher := s.connect("watcher", kept)
	watcher.subscribe(1, "will/#")
	s.connect("brief", with(mqtt.Will{Topic: "will/brief", Payload: []byte("x"), QoS: 1, Retain: true}))
	s.connect("polite", kept, with(mqtt.Will{Topic: "will/polite", Payload: []byte("x"), QoS: 1})).send(&mqtt.Disconnect{})
	s.crash(rand.New(rand.NewPCG(1, 1)))
	if n := s.m.Stats().Sessions; n != 2 {
		t.Errorf("%d Sessions, want those of watcher and polite", n)
	}
	watcher = s.connect("watcher", kept)
	watcher.want("the Will Message", arrived("will/brief", "x", 1, 1))
	watcher.silence("who disconnected leaves no Will Message")
	late := s.connect("late")
	late.subscribe(0, "will/#")
	late.want("the Will Message is retained", retainedText(arrived("will/brief", "x", 0, 0)))
	s.crash(rand.New(rand.NewPCG(1, 1)))
	if n := s.m.Stats().RetainedMessages; n != 1 {
		t.Errorf("%d retained messages after a second crash", n)
	}
	watcher = s.connect("watcher", kept)
	watcher.want("the Will Message again, for it was not acknowledged, and not twice", again(arrived("will/brief", "x", 1, 1)))
	watcher.silence("there is one")
}

// TestOwnMessagesAreNotStored publishes what $SYS is made of: nothing of it reaches the store, and what a client had retained there leaves it.
func TestOwnMessagesAreNotStored(t *testing.T) {
	s := start(t, Config{Persist: true, DollarTopics: true})
	retained := func() (names []string) {
		s.disk.flush()
		for r := range s.disk.records() {
			if r.Kind == PutRetained || r.Kind == PutMessage {
				names = append(names, fmt.Sprint(r.Kind, r.Name))
			}
		}
		return names
	}
	own := func(payload string) {
		s.m.Publish(s.now, retainedText(arrived("$SYS/uptime", payload, 0, 0)))
		s.drain()
	}
	own("1 s")
	own("2 s")
	if got := retained(); got != nil {
		t.Errorf("stored: %v", got)
	}
	pub := s.connect("pub")
	pub.publish(*retainedText(arrived("$SYS/uptime", "for ever", 1, 1)))
	if got := retained(); len(got) != 2 {
		t.Errorf("a client's message is stored as %v", got)
	}
	own("3 s")
	if got := retained(); got != nil {
		t.Errorf("left in the store: %v", got)
	}
	c := s.connect("c")
	c.subscribe(0, "$SYS/uptime")
	c.want("it is retained nevertheless", retainedText(arrived("$SYS/uptime", "3 s", 0, 0)))
}
