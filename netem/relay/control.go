package relay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"mqttlab/netem/link"
	"mqttlab/netem/profile"
)

// Control is an HTTP interface to a running relay:
//
//	GET /link                  what is in force, and the figures so far, as JSON
//	PUT /link?profile=NAME     another radio from the next packet on
//	GET /metrics               the figures for Prometheus
//
// It changes what clients see and has no authentication: let it listen on a
// loopback address.
type Control struct {
	relay *Relay

	mu      sync.Mutex // guards profile together with the relay's links
	profile string
	outages []link.Outage
}

// NewControl returns the control of a relay that runs a profile. The outages are
// those of the schedule, which stay when the profile changes.
func NewControl(r *Relay, profileName string, outages []link.Outage) *Control {
	return &Control{relay: r, profile: profileName, outages: outages}
}

// ControlState is the answer of /link.
type ControlState struct {
	Profile string `json:"profile"`
	// Open connections now, Accepted and Failed ones so far.
	Open     uint64 `json:"open"`
	Accepted uint64 `json:"accepted"`
	Failed   uint64 `json:"failed"`
	// Up and Down are the two directions.
	Up   DirectionState `json:"up"`
	Down DirectionState `json:"down"`
	// Invalid says why the figures must not be believed; empty if they may.
	Invalid string `json:"invalid,omitempty"`
}

// DirectionState counts the packets of one direction.
type DirectionState struct {
	Packets       uint64 `json:"packets"`
	Bytes         uint64 `json:"bytes"`
	Lost          uint64 `json:"lost"`
	Retransmitted uint64 `json:"retransmitted"`
}

// Handler serves the control.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /link", func(w http.ResponseWriter, _ *http.Request) { c.answer(w) })
	mux.HandleFunc("PUT /link", c.change)
	mux.Handle("GET /metrics", metrics(c.relay.Stats))
	return mux
}

func (c *Control) change(w http.ResponseWriter, q *http.Request) {
	name := q.URL.Query().Get("profile")
	p, err := profile.Lookup(name)
	if err == nil {
		err = c.set(p)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.answer(w)
}

// set puts a profile in force, with the outages of the schedule.
func (c *Control) set(p profile.Profile) error {
	p.Up.Outages, p.Down.Outages = c.outages, c.outages
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.MTUBytes != c.relay.mtuBytes {
		return fmt.Errorf("profile %s has packets of another size (MTU): start a relay of its own for it", p.Name)
	}
	if err := c.relay.SetLinks(p.Up, p.Down); err != nil {
		return err
	}
	c.profile = p.Name
	return nil
}

func (c *Control) answer(w http.ResponseWriter) {
	c.mu.Lock()
	name := c.profile
	c.mu.Unlock()
	s := c.relay.Stats()
	n := s.Network
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(ControlState{ // who asked may be gone
		Profile: name, Open: s.Open, Accepted: s.Accepted, Failed: s.Failed,
		Up:      DirectionState{n.Up.Admitted, n.Up.AdmittedBytes, n.Up.DroppedTotal(), n.RetransmissionsUp},
		Down:    DirectionState{n.Down.Admitted, n.Down.AdmittedBytes, n.Down.DroppedTotal(), n.RetransmissionsDown},
		Invalid: n.Lateness.Invalid(),
	})
}
