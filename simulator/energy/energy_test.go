package energy

import (
	"math"
	"testing"
	"time"
)

func profile(t *testing.T, name string) *Profile {
	t.Helper()
	p, ok := Lookup(name)
	if !ok {
		t.Fatalf("no profile %q", name)
	}
	return p
}

// compare prints our figure beside the published one and fails beyond the tolerance.
func compare(t *testing.T, what, unit string, ours, published, tolerance float64, source string) {
	t.Helper()
	off := ours/published - 1
	t.Logf("%-46s ours %7.2f %s, published %7.2f %s, %+.1f %%  [%s]", what, ours, unit, published, unit, 100*off, source)
	if math.Abs(off) > tolerance {
		t.Errorf("%s: %.3g %s is more than %.0f %% from %.3g", what, ours, unit, 100*tolerance, published)
	}
}

// session is the Usage of a device that does one session per interval, with traffic all through an exchange.
func session(p *Profile, interval, tx, rx, exchange time.Duration) Usage {
	m := NewMeter(p)
	for at := time.Duration(0); at == 0 || at <= exchange && p.TailTime > 0; at += 50 * time.Millisecond {
		m.Touch(at)
	}
	return m.Usage(interval, tx, rx)
}

// airtime of some bytes at a rate in bit/s.
func airtime(bytes int, rate float64) time.Duration {
	return time.Duration(float64(bytes) * 8 / rate * float64(time.Second))
}

func TestTR45820Lifetimes(t *testing.T) {
	p := profile(t, "nb-iot-164db")
	const headers, uplink = 80, 743 // 65 bytes from CoAP down to IP, 15 below
	for _, c := range []struct {
		what     string
		payload  int
		interval time.Duration
		years    float64
	}{
		{"200 B every 2 h at 164 dB (calibrates)", 200, 2 * time.Hour, 1.7},
		{"50 B a day at 164 dB (calibrates)", 50, 24 * time.Hour, 18.1},
	} {
		tx := airtime(c.payload+headers, uplink)
		compare(t, c.what, "years", p.Years(session(p, c.interval, tx, 0, tx)), c.years, 0.1, tr45820)
	}
}

func TestCasalsLifetimes(t *testing.T) {
	p := profile(t, "lorawan")
	tx := loraAirtime(7, 13+10)
	compare(t, "a message every 5 min at SF7", "years", p.Years(session(p, 5*time.Minute, tx, 0, tx)), 1, 0.1, casals)
	compare(t, "no messages at all", "years", p.Years(NewMeter(p).Usage(Year, 0, 0)), 6, 0.1, casals)
	slow := loraAirtime(12, 13+10)
	if a, b := p.Years(session(p, 5*time.Minute, slow, 0, slow)), p.Years(session(p, 5*time.Minute, tx, 0, tx)); a >= b {
		t.Errorf("at SF12 the battery lasts %.2f years, at SF7 %.2f", a, b)
	}
}

// TestLoRaWANWindows: the durations of the profile are those of its symbols.
func TestLoRaWANWindows(t *testing.T) {
	symbol := func(sf float64) float64 { return math.Exp2(sf) / 125e3 }
	want := map[string]float64{
		"first window": 12 * symbol(7), "wait for the second window": 1 - 12*symbol(7), "second window": symbol(12) + 32/125e3,
	}
	for _, w := range profile(t, "lorawan").Wake {
		if s, ok := want[w.Name]; ok && math.Abs(w.Duration.Seconds()-s) > 0.0005 {
			t.Errorf("%s: %v, want %.1f ms", w.Name, w.Duration, 1000*s)
		}
		delete(want, w.Name)
	}
	if len(want) > 0 {
		t.Errorf("the profile lacks %v", want)
	}
}

// loraAirtime is the time on the air of a LoRa packet at 125 kHz and coding rate 4/5 (Semtech AN1200.13).
func loraAirtime(sf, bytes int) time.Duration {
	symbol := math.Exp2(float64(sf)) / 125e3
	slow := 0.0
	if sf >= 11 {
		slow = 1
	}
	n := 8 + max(math.Ceil((8*float64(bytes)-4*float64(sf)+28+16)/(4*(float64(sf)-2*slow)))*5, 0)
	return time.Duration((12.25 + n) * symbol * float64(time.Second))
}

func TestNRF9160Exchange(t *testing.T) {
	const packet = 200 + 28 + 29 // UDP over IPv4, DTLS 1.2 with a connection id
	for _, c := range []struct {
		what, profile string
		up, down      float64
		exchange      time.Duration
		millijoules   float64
	}{
		{"200 B each way, LTE-M (calibrates)", "lte-m", 375e3, 300e3, 800 * time.Millisecond, 547},
		{"200 B each way, NB-IoT with RAI", "nrf9160-nb-iot", 62.5e3, 21.25e3, 1500 * time.Millisecond, 274},
	} {
		p := profile(t, c.profile)
		u := session(p, 22*time.Second, airtime(packet, c.up), airtime(packet, c.down), c.exchange)
		compare(t, c.what, "mJ", p.Energy(u).Total()*1000, c.millijoules, 0.2, nrf9160)
	}
	wake := session(profile(t, "lte-m"), 22*time.Second, 0, 0, 0)
	if got := profile(t, "lte-m").Energy(wake); got.Wake < 0.3 || got.Idle < 0.02 {
		t.Errorf("wake-up: %+v", got)
	}
}

func TestMeterCountsSessionsWithTheirTails(t *testing.T) {
	p := &Profile{TailTime: 10 * time.Second, IdleTime: 5 * time.Second}
	m := NewMeter(p)
	for _, at := range []time.Duration{100, 101, 110, 125, 160} { // 125: in idle; 160: asleep
		m.Touch(at * time.Second)
	}
	want := Usage{Elapsed: 165 * time.Second, Session: (20 + 10 + 5) * time.Second, Idle: 10 * time.Second, Sessions: 3, Tx: time.Second}
	if got := m.Usage(165*time.Second, time.Second, 0); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := m.Usage(200*time.Second, 0, 0).Minus(want); got.Session != 5*time.Second || got.Idle != 5*time.Second {
		t.Errorf("after the measurement: %+v", got)
	}
}

func TestEnergyAddsUpToPowerTimesTime(t *testing.T) {
	p := &Profile{
		Sleep: 1, Tx: 100, Rx: 50, Tail: 10, Idle: 5, OnAir: 0.5, BatteryJoules: 100,
		Wake: []Phase{{"a", time.Second, 7}, {"b", 2 * time.Second, 8}},
	}
	u := Usage{Elapsed: 100 * time.Second, Tx: 4 * time.Second, Rx: 2 * time.Second, Session: 20 * time.Second, Idle: 10 * time.Second, Sessions: 2}
	want := States{Tx: 200, Rx: 50, Tail: 170, Idle: 50, Wake: 46, Sleep: 64}
	if got := p.Energy(u); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := p.Years(u)*Year.Seconds(), 100/(580.0/100); math.Abs(got-want) > 1e-9 {
		t.Errorf("the battery lasts %v s, want %v", got, want)
	}
}

func TestProfilesAreComplete(t *testing.T) {
	for _, name := range Names() {
		p := profile(t, name)
		if p.Summary == "" || len(p.Sources) == 0 || p.BatteryJoules <= 0 || p.Sleep <= 0 || p.Tx <= p.Sleep || p.Rx <= p.Sleep || p.OnAir < 0 || p.OnAir > 1 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, ok := Lookup("none"); ok {
		t.Error("a profile that does not exist was found")
	}
}

func BenchmarkTouch(b *testing.B) {
	m := NewMeter(&profiles[0])
	b.ReportAllocs()
	for at := time.Duration(0); b.Loop(); at += 7 * time.Second {
		m.Touch(at)
	}
}
