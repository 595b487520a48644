package ledger

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

const run = 7

func newBook(qos int) *Book {
	return New(Config{Run: run, FirstDevice: 100, Devices: 2, QoS: qos, LateAfter: time.Second, Interval: time.Second})
}

func message(device, sequence uint32, intended time.Duration) Header {
	return Header{Run: run, Device: device, Sequence: sequence, Intended: intended, Sent: intended + time.Millisecond}
}

func TestHeaderSurvivesThePayload(t *testing.T) {
	h := Header{Run: 1<<32 - 1, Device: 2, Sequence: 3, Intended: time.Hour, Sent: 2 * time.Hour}
	payload := make([]byte, 100)
	h.Put(payload)
	got, ok := ParseHeader(payload)
	if !ok || got != h {
		t.Errorf("got %+v %v, want %+v", got, ok, h)
	}
	for _, foreign := range [][]byte{nil, payload[:HeaderBytes-1], make([]byte, 100), []byte("21.5 degrees Celsius, and a text long enough")} {
		if _, ok := ParseHeader(foreign); ok {
			t.Errorf("%q passed for a header", foreign)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	seed := make([]byte, HeaderBytes)
	Header{Run: 1, Device: 2, Sequence: 3, Intended: 4, Sent: 5}.Put(seed)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, ok := ParseHeader(payload)
		if !ok {
			return
		}
		again := make([]byte, HeaderBytes)
		h.Put(again)
		if !cmp.Equal(again, payload[:HeaderBytes]) {
			t.Errorf("%x came back as %x", payload[:HeaderBytes], again)
		}
	})
}

func TestEveryFateHasItsColumn(t *testing.T) {
	for name, test := range map[string]struct {
		qos  int
		live func(b *Book, h Header)
		want model.Ledger
	}{
		"delivered":                     {1, func(b *Book, h Header) { b.Delivered(h.Intended+time.Second, h) }, model.Ledger{Delivered: 1}},
		"late":                          {1, func(b *Book, h Header) { b.Delivered(h.Intended+time.Second+1, h) }, model.Ledger{Late: 1}},
		"duplicated":                    {1, func(b *Book, h Header) { b.Delivered(1, h); b.Delivered(2, h); b.Delivered(3, h) }, model.Ledger{Duplicated: 1, Copies: 2}},
		"duplicated, first copy late":   {1, func(b *Book, h Header) { b.Delivered(time.Hour, h); b.Delivered(time.Hour, h) }, model.Ledger{Duplicated: 1, Copies: 1}},
		"acknowledged and lost":         {1, func(b *Book, h Header) { b.Acknowledged(1, h) }, model.Ledger{Lost: 1, Acknowledged: 1}},
		"released and lost":             {0, func(b *Book, h Header) { b.Released(h) }, model.Ledger{Lost: 1}},
		"given up":                      {1, func(b *Book, h Header) { b.GaveUp(h, QueueFull) }, model.Ledger{Expired: 1, GivenUp: model.GivenUp{QueueFull: 1}}},
		"given up after it had arrived": {1, func(b *Book, h Header) { b.Delivered(1, h); b.GaveUp(h, NoPower) }, model.Ledger{Delivered: 1, GivenUp: model.GivenUp{NoPower: 1}}},
		"never released":                {0, func(*Book, Header) {}, model.Ledger{Pending: 1}},
		"never acknowledged":            {2, func(*Book, Header) {}, model.Ledger{Pending: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(test.qos)
			h := message(101, 0, 0)
			b.Sent(0, h)
			test.live(b, h)
			test.want.QoS, test.want.Sent, test.want.LateAfterMS = test.qos, 1, model.Millis(time.Second)
			if diff := cmp.Diff(test.want, b.Ledger()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestForeignCopiesChangeNothing(t *testing.T) {
	b := newBook(1)
	b.Sent(0, message(100, 0, 0))
	before := b.Ledger()
	otherRun := message(100, 0, 0)
	otherRun.Run++
	for _, h := range []Header{otherRun, message(99, 0, 0), message(102, 0, 0), message(100, 1, 0), message(1<<32-1, 1<<32-1, 0)} {
		b.Delivered(0, h)
	}
	if diff := cmp.Diff(before, b.Ledger()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := b.Progress().Foreign; got != 5 {
		t.Errorf("%d foreign copies, want 5", got)
	}
}

func TestOrderCountsFirstCopiesOfOneDevice(t *testing.T) {
	b := newBook(1)
	for _, device := range []uint32{100, 101} {
		for s := range uint32(4) {
			b.Sent(0, message(device, s, 0))
		}
	}
	for _, h := range []Header{message(100, 0, 0), message(100, 2, 0), message(101, 0, 0), message(100, 1, 0), message(100, 3, 0), message(100, 2, 0)} {
		b.Delivered(0, h)
	}
	if got := b.Ledger().OutOfOrder; got != 1 {
		t.Errorf("%d out of order, want 1: message 1 came after 2, the copy of 2 does not count", got)
	}
}

// TestColumnsAlwaysAddUp does what no target should and checks the one promise of a ledger.
func TestColumnsAlwaysAddUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for qos := range 3 {
		b := newBook(qos)
		var sent [2]uint32
		settled := map[Header]bool{}
		for range 20_000 {
			device := uint32(rnd.IntN(2))
			if sent[device] == 0 || rnd.IntN(3) == 0 {
				b.Sent(time.Duration(rnd.Int64N(1e12)), message(100+device, sent[device], 0))
				sent[device]++
				continue
			}
			h := message(100+device, rnd.Uint32N(sent[device]), 0)
			at := time.Duration(rnd.Int64N(2e9))
			switch rnd.IntN(4) {
			case 0:
				b.Released(h)
			case 1:
				b.Acknowledged(at, h)
			case 2:
				b.GaveUp(h, QueueFull)
			case 3:
				b.Delivered(at, h)
				continue
			}
			settled[h] = true
		}
		l := b.Ledger()
		if err := l.Validate(); err != nil {
			t.Error(err)
		}
		if p := b.Progress(); p.Open != l.Lost+l.Pending || p.Reached != l.Reached() || p.Sent != l.Sent || p.Held != l.Sent-int64(len(settled)) {
			t.Errorf("QoS %d: progress %+v does not agree with %+v", qos, p, l)
		}
	}
}

func TestLatencyCountsFromIntendedAndActualSending(t *testing.T) {
	b := newBook(1)
	h := Header{Run: run, Device: 101, Intended: time.Second, Sent: 3 * time.Second}
	b.Sent(time.Second, h)
	b.Acknowledged(4*time.Second, h)
	b.Delivered(6*time.Second, h)
	b.Delivered(60*time.Second, h) // a copy has no latency
	all, err := b.Latency()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]time.Duration{}
	for _, l := range all {
		hist, err := latency.Decode(l.Histogram)
		if err != nil {
			t.Fatal(err)
		}
		if hist.Count() != 1 || len(l.Blocks) != 2 || l.Blocks[1].Count != 1 {
			t.Errorf("%s %s: %d values, blocks %+v; want one, in the second of two blocks", l.Path, l.Measure, hist.Count(), l.Blocks)
		}
		if heated := l.Heat != nil; heated != (l.Path == model.ToDelivery && l.Measure == model.Intended) {
			t.Errorf("%s %s: heat map is there: %v", l.Path, l.Measure, heated)
		} else if heated && len(l.Heat.Columns) != 7 {
			t.Errorf("the message that ended after 6 s is in column %d of seconds", len(l.Heat.Columns)-1)
		}
		got[string(l.Path)+" "+string(l.Measure)] = hist.Max().Round(100 * time.Millisecond)
	}
	want := map[string]time.Duration{
		"publish-to-ack intended": 3 * time.Second, "publish-to-ack service": time.Second,
		"publish-to-delivery intended": 5 * time.Second, "publish-to-delivery service": 3 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSeriesOverTime(t *testing.T) {
	b := newBook(1)
	b.Moved(0, 100, Off, Connecting)
	b.Sent(500*time.Millisecond, message(100, 0, 0))
	b.Sample(0, &Carried{UpBytes: 10, DownBytes: 5})
	b.Moved(time.Second, 100, Connecting, Connected)
	b.Delivered(1500*time.Millisecond, message(100, 0, 0))
	b.Sample(1, &Carried{UpBytes: 30, DownBytes: 5, Retransmissions: 1, Packets: true})
	b.Sent(3200*time.Millisecond, message(100, 1, 0))
	b.Sample(2, &Carried{UpBytes: 30, DownBytes: 5, Retransmissions: 1, Packets: true})
	rates, states := b.Series()
	want := model.Rates{
		Sent: []int64{1, 0, 0, 1}, Acknowledged: []int64{0, 0, 0, 0}, Delivered: []int64{0, 1, 0, 0},
		UpBytes: []int64{10, 20, 0, 0}, DownBytes: []int64{5, 0, 0, 0}, Retransmissions: []int64{0, 1, 0, 0},
	}
	if diff := cmp.Diff(want, rates); diff != "" {
		t.Errorf("rates (-want +got)\n%s", diff)
	}
	wantStates := []model.StateSeries{
		{State: "off", Counts: []int64{1, 1, 1, 1}},
		{State: "waiting", Counts: []int64{0, 0, 0, 0}},
		{State: "connecting", Counts: []int64{1, 0, 0, 0}},
		{State: "connected", Counts: []int64{0, 1, 1, 1}},
	}
	if diff := cmp.Diff(wantStates, states); diff != "" {
		t.Errorf("states (-want +got)\n%s", diff)
	}
}

// BenchmarkMessage is one QoS 1 message from due to delivered.
func BenchmarkMessage(b *testing.B) {
	book := New(Config{Devices: 1, QoS: 1, Interval: time.Second})
	b.ReportAllocs()
	for i := range b.N {
		at := time.Duration(i)
		h := Header{Sequence: uint32(i), Intended: at, Sent: at}
		book.Sent(at, h)
		book.Acknowledged(at+time.Millisecond, h)
		book.Delivered(at+time.Millisecond, h)
	}
}
