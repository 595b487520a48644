package client

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBackoffDoublesUpToMax(t *testing.T) {
	b := Backoff{Min: time.Second, Max: 10 * time.Second}
	for failures, want := range []time.Duration{1, 1, 2, 4, 8, 10, 10} {
		if got := b.Wait(failures, nil); got != want*time.Second {
			t.Errorf("after %d failures %v, want %v", failures, got, want*time.Second)
		}
	}
	if got := (Backoff{}).Wait(1<<30, nil); got != 2*time.Minute {
		t.Errorf("zero value after many failures: %v, want 2m", got)
	}
}

func TestBackoffJitterIsSeededAndBounded(t *testing.T) {
	b := Backoff{Min: 8 * time.Second, Jitter: 0.5}
	one, two := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	seen := map[time.Duration]bool{}
	for range 100 {
		w := b.Wait(1, one)
		if w != b.Wait(1, two) {
			t.Fatal("same seed, other wait")
		}
		if w < 4*time.Second || w > 8*time.Second {
			t.Fatalf("wait %v is outside 4s to 8s", w)
		}
		seen[w] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d different waits", len(seen))
	}
}
