package inflight

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func begin(t *testing.T, o *Outgoing[string], m string, exactlyOnce bool) uint16 {
	t.Helper()
	id, ok := o.Begin(m, exactlyOnce)
	if !ok {
		t.Fatalf("Begin(%q) found no place, want one", m)
	}
	return id
}

func resends(o *Outgoing[string]) (out []string) {
	for {
		_, m, ok := o.Resend()
		if !ok {
			return out
		}
		out = append(out, *m)
	}
}

func TestWindowLimitsOpenExchanges(t *testing.T) {
	var o Outgoing[string]
	o.SetWindow(2)
	a := begin(t, &o, "a", false)
	b := begin(t, &o, "b", true)
	if _, ok := o.Begin("c", false); ok {
		t.Fatal("third exchange begun with a window of 2")
	}
	if m, ok := o.Received(b); !ok || m != "b" {
		t.Fatalf("Received = %q, %v", m, ok)
	}
	if _, ok := o.Begin("c", false); ok {
		t.Fatal("PUBREC freed a place, only PUBCOMP may")
	}
	if _, ok := o.Finish(b); !ok {
		t.Fatal("PUBCOMP not taken")
	}
	if _, ok := o.Finish(b); ok {
		t.Fatal("second PUBCOMP taken")
	}
	begin(t, &o, "c", false)
	if m, _ := o.Finish(a); m != "a" {
		t.Fatalf("Finish returned %q, want a", m)
	}
}

func TestResumeSendsInOrderWithinTheWindow(t *testing.T) {
	var o Outgoing[string]
	o.SetWindow(10)
	for _, m := range []string{"a", "b", "c", "d", "e"} {
		begin(t, &o, m, m == "b" || m == "d")
	}
	request, _ := o.Reserve()
	o.Received(4)
	o.Received(2)
	o.Resume(3)
	if got, want := slices.Collect(o.Released()), []uint16{4, 2}; !cmp.Equal(got, want) {
		t.Errorf("PUBREL order %v, want %v: that of the PUBRECs", got, want)
	}
	if got, want := resends(&o), []string{"a"}; !cmp.Equal(got, want) {
		t.Errorf("resent %v, want %v: two places are taken by PUBREL", got, want)
	}
	if o.Phase(request) != Free {
		t.Error("identifier of a request outlived the connection")
	}
	o.Finish(4)
	o.Finish(1)
	if o.Quota() != 0 {
		t.Error("a new message may overtake those to be sent again")
	}
	if got, want := resends(&o), []string{"c", "e"}; !cmp.Equal(got, want) {
		t.Errorf("resent %v, want %v", got, want)
	}
}

func TestFinishOfTheNextToResend(t *testing.T) {
	var o Outgoing[string]
	o.SetWindow(10)
	begin(t, &o, "a", false)
	begin(t, &o, "b", false)
	o.Resume(10)
	o.Finish(1)
	if got, want := resends(&o), []string{"b"}; !cmp.Equal(got, want) {
		t.Errorf("resent %v, want %v", got, want)
	}
}

func TestAllIdentifiersAreUsedOnce(t *testing.T) {
	var o Outgoing[struct{}]
	o.SetWindow(maxID)
	seen := make([]bool, maxID+1)
	for range maxID {
		id, ok := o.Begin(struct{}{}, false)
		if !ok || id == 0 || seen[id] {
			t.Fatalf("Begin = %d, %v after %d exchanges", id, ok, o.Len())
		}
		seen[id] = true
	}
	if id, ok := o.Reserve(); ok {
		t.Fatalf("Reserve gave %d with all identifiers in use", id)
	}
	o.Finish(777)
	if id, ok := o.Reserve(); !ok || id != 777 {
		t.Fatalf("Reserve = %d, %v, want the only free one", id, ok)
	}
}

func TestIdentifiersCirculate(t *testing.T) {
	var o Outgoing[string]
	o.SetWindow(1)
	for i := range 3 * spread {
		id := begin(t, &o, "a", false)
		if want := uint16(i%spread + 1); id != want {
			t.Fatalf("exchange %d has identifier %d, want %d", i, id, want)
		}
		o.Finish(id)
	}
}

func TestIDSetAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var s IDSet
	model := map[uint16]bool{}
	for range 200_000 {
		id := uint16(rng.IntN(300)) * uint16(1+rng.IntN(3)*211)
		switch rng.IntN(2) {
		case 0:
			if got, want := s.Add(id), id != 0 && !model[id]; got != want {
				t.Fatalf("Add(%d) = %v, want %v", id, got, want)
			}
			model[id] = id != 0
		case 1:
			if got, want := s.Remove(id), model[id]; got != want {
				t.Fatalf("Remove(%d) = %v, want %v", id, got, want)
			}
			delete(model, id)
		}
		if s.Has(id) != model[id] {
			t.Fatalf("Has(%d) = %v", id, s.Has(id))
		}
	}
}

func BenchmarkQoS1(b *testing.B) {
	var o Outgoing[*int]
	o.SetWindow(64)
	b.ReportAllocs()
	for b.Loop() {
		id, _ := o.Begin(nil, false)
		o.Finish(id)
	}
}

func BenchmarkQoS2Receiver(b *testing.B) {
	var s IDSet
	var id uint16
	b.ReportAllocs()
	for b.Loop() {
		id = max(1, id+1)
		s.Add(id)
		s.Remove(id - 3)
	}
}
