package inflight

import (
	"slices"
	"testing"
)

func TestRestore(t *testing.T) {
	var o Outgoing[string]
	for _, x := range []struct {
		id    uint16
		m     string
		phase Phase
		want  bool
	}{
		{7, "seven", AwaitPuback, true},
		{40, "", AwaitPubcomp, true},
		{2, "two", AwaitPubrec, true},
		{1, "", AwaitPubcomp, true},
		{7, "again", AwaitPuback, false},
		{0, "none", AwaitPuback, false},
		{3, "free", Free, false},
		{3, "reply", AwaitReply, false},
	} {
		if got := o.Restore(x.id, x.m, x.phase); got != x.want {
			t.Errorf("Restore(%d, %q, %d) = %t", x.id, x.m, x.phase, got)
		}
	}
	o.Resume(10)
	if got := slices.Collect(o.Released()); !slices.Equal(got, []uint16{40, 1}) {
		t.Errorf("released %v", got)
	}
	var sent []string
	for {
		_, m, ok := o.Resend()
		if !ok {
			break
		}
		sent = append(sent, *m)
	}
	if !slices.Equal(sent, []string{"seven", "two"}) {
		t.Errorf("sent again %v", sent)
	}
	seen := map[uint16]bool{1: true, 2: true, 7: true, 40: true}
	for range 6 {
		id, ok := o.Begin("new", false)
		if !ok || seen[id] {
			t.Errorf("Begin gave %d, %t", id, ok)
		}
		seen[id] = true
	}
	if n := o.Len(); n != 10 {
		t.Errorf("%d exchanges, want 10", n)
	}
	for id := range seen {
		if _, ok := o.Finish(id); !ok {
			t.Errorf("%d can't be finished", id)
		}
	}
}
