package jsonfile_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mqttlab/reports/jsonfile"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// tenMillion is the record of a fleet that sent so many messages: 4 groups with 4 distributions each, in 64 blocks.
func tenMillion(t testing.TB) *model.Record {
	t.Helper()
	r := &model.Record{Kind: model.FleetRun, Fleet: &model.Fleet{Mode: model.Live, Validity: model.Validity{Valid: true}}}
	rng := rand.New(rand.NewPCG(1, 1))
	const groups, each, devices = 4, 2_500_000, 1000
	spans := make([]time.Duration, 1<<16)
	for i := range spans {
		spans[i] = time.Duration(math.Exp(11+0.6*rng.NormFloat64())) * time.Microsecond
	}
	for n := range groups {
		rec, heat := latency.NewRecorder(devices), latency.NewHeat(time.Second)
		for i := range each {
			span := spans[rng.Uint32()>>16]
			rec.Record(i%devices, span)
			heat.Record(time.Duration(i)*time.Millisecond, span)
		}
		g := model.Group{Name: fmt.Sprintf("group-%d", n), Devices: devices, Ledger: []model.Ledger{{QoS: 1, Sent: each, Delivered: each}}}
		l, err := rec.Latency(model.Intended, model.ToAck)
		if err != nil {
			t.Fatal(err)
		}
		l.Heat = heat.Model()
		for _, m := range []model.Measure{model.Intended, model.Service} {
			for _, p := range []model.Path{model.ToAck, model.ToDelivery} {
				l.Measure, l.Path = m, p
				g.Latency = append(g.Latency, l)
			}
		}
		r.Fleet.Groups = append(r.Fleet.Groups, g)
	}
	r.Seal()
	return r
}

// TestTenMillionMessagesAreHistograms wants a record whose size does not grow with the messages: that is why it is read in well under a second
// (BenchmarkRead: 0.39 s).
func TestTenMillionMessagesAreHistograms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large.json")
	if err := jsonfile.Write(file, tenMillion(t)); err != nil {
		t.Fatal(err)
	}
	if n := readAll(t, file); n != 10_000_000 {
		t.Errorf("%d messages are in the histograms", n)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 8<<20 {
		t.Errorf("the file has %d bytes", info.Size())
	}
	t.Logf("%d bytes", info.Size())
}

// readAll counts the messages of one distribution, and decodes all.
func readAll(t testing.TB, file string) int64 {
	t.Helper()
	r, err := jsonfile.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	messages := int64(0)
	for _, g := range r.Fleet.Groups {
		for i, l := range g.Latency {
			blocks := int64(0)
			for _, e := range append(l.Blocks, l.Histogram) {
				h, err := latency.Decode(e)
				if err != nil {
					t.Fatal(err)
				}
				blocks += h.Count()
			}
			if i == 0 {
				messages += blocks / 2 // the blocks and their sum
			}
		}
	}
	return messages
}

// BenchmarkRead reads the record of ten million messages and decodes every histogram in it.
func BenchmarkRead(b *testing.B) {
	file := filepath.Join(b.TempDir(), "large.json")
	if err := jsonfile.Write(file, tenMillion(b)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		readAll(b, file)
	}
}
