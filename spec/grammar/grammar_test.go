package grammar

import (
	"fmt"
	"slices"
	"testing"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// site is one that offers everything.
func site(v octets.Version) *Site {
	n := 0
	return &Site{
		Version: v, ClientID: func() string { n++; return fmt.Sprintf("client%d", n) }, Topic: func(s string) string { return "top/" + s },
		MaximumQoS: 2, TopicAliasMaximum: 10, Wildcards: true, Shared: true, SubscriptionIDs: true,
	}
}

// TestExamplesAreWellFormed reads every packet that cases are made from: what is wrong with a case has to be its one change.
func TestExamplesAreWellFormed(t *testing.T) {
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		for _, p := range site(v).packets() {
			b := p.bytes(7)
			r, n := octets.Decode(b, v)
			if r == nil || n != len(b) || len(r.Notes) > 0 {
				t.Errorf("%s %s: %v (% x)", v, p.name, r, b)
			}
		}
	}
}

// TestCases wants enough of them, each with a name of its own within its rule, a statement that its rule covers, and a packet that is not the
// well-formed one it was made from.
func TestCases(t *testing.T) {
	total := 0
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		for _, rule := range Rules() {
			var covered []statement.ID
			for i, c := range rule.Cases(site(v)) {
				total++
				if _, _, differs := c.Differs(v, 7); c.Like != nil && !differs && c.Outcome != Answered && c.Outcome != Taken {
					t.Errorf("%s %s %q is the packet it was made from", v, rule.Name, c.Name)
				}
				for _, id := range c.About {
					if !slices.Contains(rule.Covers, id) || string(id.Version()) != v.String() {
						t.Errorf("%s %s case %d %q is about %s", v, rule.Name, i, c.Name, id)
					}
				}
				covered = append(covered, c.About...)
			}
			for _, id := range rule.Covers {
				if string(id.Version()) == v.String() && !slices.Contains(covered, id) {
					t.Errorf("%s covers %s and has no case about it", rule.Name, id)
				}
			}
		}
	}
	t.Logf("%d cases", total)
	if total < 2000 {
		t.Errorf("%d cases are fewer than 2000", total)
	}
}

// TestRefusedCasesAreWrong reads the cases that a server has to refuse with a reader that knows nothing of the grammar. Of those that it finds
// nothing wrong with, the rule has to be one that the bytes of one packet do not show, or that readers of server packets do not need.
func TestRefusedCasesAreWrong(t *testing.T) {
	beyond := []string{
		"PacketTypes", "ConnectFlags", "ProtocolNames", "SubscriptionOptions", "InvalidNames", "InvalidFilters", "WrongReasonCodes", "RemainingLength",
		"Truncated",
	}
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		for _, rule := range Rules() {
			for _, c := range rule.Cases(site(v)) {
				r, _ := octets.Decode(c.Bytes(7), v)
				right := r != nil && len(r.Notes) == 0
				switch {
				case c.Outcome == Refused && right && !slices.Contains(beyond, rule.Name) && r.Type != octets.CONNECT && !fromServer(r):
					t.Errorf("%s %s: nothing is wrong with %s (% x)", v, rule.Name, c.Name, c.Bytes(7))
				case (c.Outcome == Answered || c.Outcome == Taken) && !right:
					t.Errorf("%s %s: %s is to be taken, but is malformed: %v (% x)", v, rule.Name, c.Name, r, c.Bytes(7))
				}
			}
		}
	}
}

// fromServer says that a packet has what only servers may send.
func fromServer(r *octets.Received) bool {
	_, has := r.Prop(octets.SubscriptionIdentifier)
	return r.Type == octets.PUBLISH && has
}

// TestDiffers wants the field at fault to be named, not the length that follows from it.
func TestDiffers(t *testing.T) {
	want := map[string]string{
		"PUBLISH QoS 1: Packet Identifier 0":                          "Packet Identifier",
		"PINGREQ: flags 0001":                                         "Fixed Header",
		"SUBSCRIBE: 00 00 behind the last field":                      "behind the last field",
		"SUBSCRIBE: Topic Filter \"a/#/b\"":                           "Topic Filter",
		"PINGREQ: Remaining Length in 2 bytes":                        "Remaining Length",
		"SUBSCRIBE: Subscription Options 01000000 of the last filter": "Subscription Options",
	}
	for _, rule := range Rules() {
		for _, c := range rule.Cases(site(octets.V5)) {
			if name, ok := want[c.Name]; ok {
				delete(want, c.Name)
				if _, field, _ := c.Differs(octets.V5, 7); field != name {
					t.Errorf("%s: %q, want %q", c.Name, field, name)
				}
			}
		}
	}
	for name := range want {
		t.Errorf("there is no case %s", name)
	}
}
