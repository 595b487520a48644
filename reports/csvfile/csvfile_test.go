package csvfile_test

import (
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reports/csvfile"
	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func TestQuantiles(t *testing.T) {
	rec := latency.NewRecorder(1)
	for i := range 1000 {
		rec.Record(0, time.Duration(i+1)*time.Microsecond)
	}
	l, err := rec.Latency(model.Intended, model.ToDelivery)
	if err != nil {
		t.Fatal(err)
	}
	r := &model.Record{Kind: model.FleetRun, Seed: 7, Target: model.Target{Name: `a "broker", mine`}, Fleet: &model.Fleet{
		Scenario: model.Scenario{Name: "meadow"}, Mode: model.Virtual, Validity: model.Validity{Valid: true},
		Groups: []model.Group{{Name: "soil", Devices: 1, Latency: []model.Latency{l}}},
	}}
	r.Seal()
	var b strings.Builder
	if err := csvfile.Write(&b, r, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// 19 quantiles less 0.9999 and 0.99999, beyond which none of 1000 messages lies; twice.
	if len(rows) != 1+2*17 {
		t.Fatalf("%d rows", len(rows))
	}
	want := []string{`a "broker", mine`, "meadow", "virtual", "7", "0001-01-01T00:00:00Z", "true", "soil", "1", "publish-to-delivery", "intended", "1000"}
	for i, end := range map[int][]string{8: {"0.5", "500"}, 16: {"0.999", "999"}, 17: {"1", "1000"}, 18: {"0.01", "10"}} {
		if diff := cmp.Diff(append(want[:len(want):len(want)], end...), rows[i]); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", i, diff)
		}
	}
	if err := csvfile.Write(io.Discard, &model.Record{Kind: model.Conformance}); err == nil {
		t.Error("a conformance record has latencies")
	}
}
