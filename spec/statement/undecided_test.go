package statement

import "testing"

func TestUndecidedStatementsExist(t *testing.T) {
	for id, why := range undecided {
		s, err := Lookup(id)
		if err != nil {
			t.Error(err)
			continue
		}
		if why == "" || s.WireTest == "no" || s.WireTest == "client" {
			t.Errorf("%s: reason %q, wire test %q", id, why, s.WireTest)
		}
		if Undecided(id) != why {
			t.Errorf("Undecided(%s) = %q", id, Undecided(id))
		}
	}
}
