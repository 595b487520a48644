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

func TestQualitiesGetWorse(t *testing.T) {
	last, lastRate := -1.0, math.Inf(1)
	for _, q := range Qualities() {
		p, err := Lookup("lte-m:" + q)
		if err != nil {
			t.Fatal(err)
		}
		if p.Up.MeanLossRatio() <= last || p.Up.RateBitsPerSecond > lastRate {
			t.Errorf("%s loses %v at %v bit/s, the better one %v at %v", q, p.Up.MeanLossRatio(), p.Up.RateBitsPerSecond, last, lastRate)
		}
		last, lastRate = p.Up.MeanLossRatio(), p.Up.RateBitsPerSecond
	}
	if math.Abs(last-0.10) > 1e-9 {
		t.Errorf("edge-of-cell loses %v, want 0.10", last)
	}
}

func TestLookupSuggestsTheNearestName(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"nbiot", `did you mean "nb-iot"?`},
		{"lte-n", `did you mean "lte-m"?`},
		{"wifi-power-save", `did you mean "wifi-powersave"?`},
		{"carrier-pigeon", "use one of 3g, ble, edge, gprs, lte-m, nb-iot, perfect, satellite, thread, wifi-powersave"},
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
