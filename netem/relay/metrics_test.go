package relay

import (
	"net/http/httptest"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mqttlab/netem/link"
	"mqttlab/netem/stack"
)

// noLoss are the reasons for which nothing was dropped; there may be new ones.
var noLoss = regexp.MustCompile(`(?m)^mqttlab_link_dropped_packets_total.* 0\n`)

// TestMetrics holds the whole of /metrics against a file, so that a name that somebody's
// dashboard uses does not change unnoticed.
func TestMetrics(t *testing.T) {
	s := Stats{Open: 2, Accepted: 7, Failed: 1, Network: stack.Stats{
		Up:   link.Counters{Admitted: 100, AdmittedBytes: 12_000},
		Down: link.Counters{Admitted: 90, AdmittedBytes: 8_000},

		RetransmissionsUp: 4, RetransmissionsDown: 3, TimeoutsUp: 2, TimeoutsDown: 1,
		Lateness: stack.Lateness{WorstP99: 25 * time.Millisecond, Limit: 20 * time.Millisecond},
	}}
	s.Network.Up.Dropped[link.DropLoss], s.Network.Up.Dropped[link.DropOutage], s.Network.Down.Dropped[link.DropQueue] = 5, 6, 7
	w := httptest.NewRecorder()
	metrics(func() Stats { return s }).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	want, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), noLoss.ReplaceAllString(w.Body.String(), "")); diff != "" {
		t.Errorf("/metrics (-want +got):\n%s", diff)
	}
}
