package profile

import (
	"errors"
	"math"
	"strings"
	"testing"

	"mqttlab/netem/link"
)

func TestEveryProfileIsValidAndSourced(t *testing.T) {
	for _, p := range All() {
		for _, q := range Qualities() {
			name := p.Name + ":" + q
			if p.Name == "perfect" {
				name = p.Name
			}
			got, err := Lookup(name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if _, err := link.Compile(got.Up); err != nil {
				t.Errorf("%s up: %v", name, err)
			}
			if _, err := link.Compile(got.Down); err != nil {
				t.Errorf("%s down: %v", name, err)
			}
			if p.Name != "perfect" && len(got.Sources) == 0 {
				t.Errorf("%s names no source", name)
			}
		}
	}
}

// bitsPerSecond is what a link carries at most.
func bitsPerSecond(c link.Config) float64 {
	if c.Slots.Interval > 0 {
		return 8 * float64(c.Slots.Bytes) / c.Slots.Interval.Seconds()
	}
	return c.RateBitsPerSecond
}

func TestQualitiesGetWorse(t *testing.T) {
	for _, radio := range All() {
		if radio.Name == "perfect" {
			continue
		}
		var better Profile
		for i, q := range Qualities() {
			p, err := Lookup(radio.Name + ":" + q)
			if err != nil {
				t.Fatal(err)
			}
			for way, c := range map[string][2]link.Config{"up": {better.Up, p.Up}, "down": {better.Down, p.Down}} {
				if i > 0 && (c[1].MeanLossRatio() < c[0].MeanLossRatio() || c[1].Delay < c[0].Delay || bitsPerSecond(c[1]) > bitsPerSecond(c[0])) {
					t.Errorf("%s %s: loss %v, delay %v, %v bit/s; the better one has %v, %v and %v", p.Name, way,
						c[1].MeanLossRatio(), c[1].Delay, bitsPerSecond(c[1]), c[0].MeanLossRatio(), c[0].Delay, bitsPerSecond(c[0]))
				}
			}
			better = p
		}
		if got := better.Up.MeanLossRatio(); got != 0.10 {
			t.Errorf("%s loses %v, want 0.10", better.Name, got)
		}
		if got, want := bitsPerSecond(better.Down), bitsPerSecond(radio.Down)/4; math.Abs(got-want) > 0.01*want {
			t.Errorf("%s carries %v bit/s, want a quarter of the normal one: %v", better.Name, got, want)
		}
	}
}

func TestLookupSuggestsTheNearestName(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"nbiot", `did you mean "nb-iot"?`},
		{"lte-n", `did you mean "lte-m"?`},
		{"wifi-power-save", `did you mean "wifi-powersave"?`},
		{"carrier-pigeon", "use one of 3g, ble, edge, gprs, lorawan-gateway, lte-m, nb-iot, perfect, satellite, thread, wifi-powersave"},
		{"lte-m:bed", `"bed" is no quality, did you mean "bad"?`},
		{"perfect:bad", "no qualities"},
		{"", "use one of"},
	} {
		_, err := Lookup(test.name)
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Lookup(%q): %v, want %s", test.name, err, test.want)
		}
	}
}

func TestLookupReturnsACopy(t *testing.T) {
	a, _ := Lookup("lte-m")
	a.Sources[0].From = "hearsay"
	if b, _ := Lookup("lte-m"); b.Sources[0].From == "hearsay" {
		t.Error("a user changed the table")
	}
}
