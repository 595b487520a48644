package relay

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mqttlab/netem/link"
)

// ask sends one request to a control and reads its answer.
func ask(t *testing.T, c *Control, method, target string, wantCode int) (s ControlState, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	if w.Code != wantCode {
		t.Fatalf("%s %s: code %d, want %d: %s", method, target, w.Code, wantCode, w.Body)
	}
	text = w.Body.String()
	if wantCode == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
	}
	return s, text
}

func TestControlChangesTheLinkOfAnOpenConnection(t *testing.T) {
	r := start(t, Config{Target: server(t, echo)})
	outages := []link.Outage{{Start: time.Hour, Duration: time.Second}}
	c := NewControl(r, "perfect", outages)
	conn := dial(t, r)
	roundTrip(t, conn) // the connection stands on the first link
	if s, _ := ask(t, c, "PUT", "/link?profile=satellite", http.StatusOK); s.Profile != "satellite" || s.Open != 1 {
		t.Errorf("after the change: %+v", s)
	}
	if trip := roundTrip(t, conn); trip < 400*time.Millisecond {
		t.Errorf("a round trip by satellite took %v", trip)
	}
	s, _ := ask(t, c, "GET", "/link", http.StatusOK)
	if s.Up.Packets == 0 || s.Down.Bytes == 0 || s.Accepted != 1 {
		t.Errorf("figures %+v", s)
	}
	if up, down := r.Links(); len(up.Outages) != 1 || len(down.Outages) != 1 {
		t.Errorf("the schedule is gone: %v, %v", up.Outages, down.Outages)
	}
}

func TestControlRefusesWhatItDoesNotKnow(t *testing.T) {
	r := start(t, Config{Target: server(t, echo)})
	c := NewControl(r, "perfect", nil)
	if _, text := ask(t, c, "PUT", "/link?profile=satelite", http.StatusBadRequest); !strings.Contains(text, `did you mean "satellite"`) {
		t.Errorf("answer %q", text)
	}
	ask(t, c, "DELETE", "/link", http.StatusMethodNotAllowed)
	if s, _ := ask(t, c, "GET", "/link", http.StatusOK); s.Profile != "perfect" {
		t.Errorf("profile %q after a refused change", s.Profile)
	}
}
