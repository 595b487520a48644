package selftest

import (
	"strings"
	"testing"

	"mqttlab/reference-broker/fault"
	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
)

// TestSequencesShrink wants drawn sequences to find faults that single checks find too, in few steps, and to fail again when the shortest form is
// played with another seed.
func TestSequencesShrink(t *testing.T) {
	tests := []struct {
		fault, check string
		steps        int // at most: two more than the shortest form has, as luck can hide a shorter one
	}{
		{"qos2-repeats-delivered", "sequence/Exchanges", 5},
		{"resume-resends-no-pubrel", "sequence/Exchanges", 15},
		{"nothing-resent-on-resume", "sequence/Exchanges", 6},
		{"queue-newest-first", "sequence/Exchanges", 7},
		{"receive-maximum-ignored", "sequence/Exchanges", 6},
		{"full-window-blocks-answers", "sequence/Windows", 5},
		{"window-kept-over-reconnect", "sequence/Windows", 6},
		{"server-receive-maximum-kept-over-reconnect", "sequence/Windows", 7},
		{"server-receive-maximum-not-usable", "sequence/Windows", 5},
		{"expired-delivered", "sequence/Expiries", 6},
		{"expired-behind-window-delivered", "sequence/Expiries", 6},
		{"session-expired-in-name", "sequence/Expiries", 7},
		{"session-expiry-not-cancelled", "sequence/Expiries", 7},
		{"session-not-kept", "sequence/Expiries", 4},
		{"will-lost-with-session", "sequence/Expiries", 5},
		{"will-not-cancelled", "sequence/Expiries", 6},
		{"will-lost-on-take-over", "sequence/Wills", 4},
		{"will-not-cancelled", "sequence/Wills", 5},
		{"will-lost-with-session", "sequence/Wills", 4},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			f, err := fault.Lookup(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range checks.All() {
				if c.FullName() != tt.check {
					continue
				}
				found := drawn(t, f, c)
				if found == nil {
					t.Fatalf("%s does not fail", tt.check)
				}
				t.Log(found.Reason)
				if n := len(strings.Fields(found.Case)); n == 0 || n > tt.steps {
					t.Errorf("%d steps (%s), want at most %d", n, found.Case, tt.steps)
				}
				if !playsAgain(t, f, c, found.Case) {
					t.Errorf("%s does not fail again", found.Case)
				}
				if r := play(t, fault.Fault{}, c, 1, found.Case); r != nil {
					t.Errorf("%s fails without a fault: %s", found.Case, r.Reason)
				}
			}
		})
	}
}

// drawn returns the result of the first seed that finds a fault, nil if none of ten does: what a loss hits is a matter of luck.
func drawn(t *testing.T, f fault.Fault, c *conformance.Check) *conformance.Result {
	for seed := range uint64(10) {
		if r := play(t, f, c, 1+seed, ""); r != nil {
			return r
		}
	}
	return nil
}

// playsAgain says whether a case fails with another seed. What the broker does first is a matter of chance where a connection is cut just after something
// was sent: such a case does not fail each time.
func playsAgain(t *testing.T, f fault.Fault, c *conformance.Check, replay string) bool {
	for seed := range uint64(50) {
		if r := play(t, f, c, 2+seed, replay); r != nil {
			return r.Case == replay
		}
	}
	return false
}

// play runs a check and returns the result that fails, nil if none does.
func play(t *testing.T, f fault.Fault, c *conformance.Check, seed uint64, replay string) *conformance.Result {
	o := conformance.Options{Checks: []*conformance.Check{c}, Versions: []octets.Version{octets.V5}, Seed: seed, Case: replay}
	for _, r := range verify(t, setups[0], f, o) {
		if r.Verdict == conformance.Fail {
			return r
		}
	}
	return nil
}
