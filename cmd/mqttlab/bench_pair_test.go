package main

import "testing"

// TestABBA shows that neither arm has more runs, and that a steady drift adds the same to both over whole blocks.
func TestABBA(t *testing.T) {
	for n := range 12 {
		var runs, drift [2]int
		for at, arm := range abba(n) {
			runs[arm]++
			drift[arm] += at
		}
		if runs[0] != n || runs[1] != n {
			t.Errorf("n=%d: %v runs", n, runs)
		}
		if n%2 == 0 && drift[0] != drift[1] {
			t.Errorf("n=%d: the drift of the arms is %v", n, drift)
		}
	}
}
