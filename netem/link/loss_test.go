package link

import (
	"math"
	"testing"
	"time"
)

func TestIndependentLoss(t *testing.T) {
	l := mustLink(t, Config{LossRatio: 0.03}, 7)
	const packets = 1_000_000
	for i := range packets {
		l.Admit(time.Duration(i), 100)
	}
	c := l.Counters()
	near(t, "loss ratio", float64(c.Dropped[DropLoss])/packets, 0.03, 0.02)
	if c.Admitted != packets || c.AdmittedBytes != 100*packets || c.DroppedTotal() != c.Dropped[DropLoss] {
		t.Errorf("counters do not add up: %+v", c)
	}
}

// losses counts packets lost, and the runs they come in.
func losses(t testing.TB, c Config, seed uint64, packets int) (lost, runs int) {
	t.Helper()
	l := mustLink(t, c, seed)
	before := false
	for i := range packets {
		drop := l.Admit(time.Duration(i), 100).Drop == DropLoss
		if drop {
			lost++
			if !before {
				runs++
			}
		}
		before = drop
	}
	return lost, runs
}

// TestLossModelsFollowTheory compares with the stationary distribution of the
// chains and the lengths of their runs.
func TestLossModelsFollowTheory(t *testing.T) {
	const packets = 1_000_000
	check := func(c Config, ratio, run float64) {
		t.Helper()
		lost, runs := losses(t, c, 5, packets)
		gotRatio, gotRun := float64(lost)/packets, float64(lost)/float64(runs)
		t.Logf("loss %.5f (theory %.5f), in a row %.4f (theory %.4f)", gotRatio, ratio, gotRun, run)
		near(t, "loss ratio", gotRatio, ratio, 0.02)
		near(t, "packets lost in a row", gotRun, run, 0.02)
		near(t, "MeanLossRatio", c.MeanLossRatio(), ratio, 1e-12)
	}
	for _, g := range []GilbertElliott{
		{GoodToBad: 0.05, BadToGood: 0.25, LossBad: 1},
		{GoodToBad: 0.03, BadToGood: 0.1, LossBad: 1},
		{GoodToBad: 0.05, BadToGood: 0.3, LossBad: 0.6, LossGood: 0.001},
	} {
		check(Config{GilbertElliott: g}, g.LossRatio(), g.MeanBurstPackets())
	}
	for _, f := range []FourState{
		{GapToBurst: 0.05, BurstToGap: 0.3, BurstToPause: 0.2, PauseToBurst: 0.25, GapToSingleLoss: 0.005},
		{GapToBurst: 0.1, BurstToGap: 0.1, BurstToPause: 0.4, PauseToBurst: 0.6},
		{GapToSingleLoss: 0.02},
	} {
		check(Config{FourState: f}, f.LossRatio(), f.MeanBurstPackets())
	}
	check(Config{LossRatio: 0.03, LossBurstPackets: 3}, 0.03, 3)
	check(Config{LossRatio: 0.2, LossBurstPackets: 1.25}, 0.2, 1.25) // as if independent
	check(Config{LossRatio: 0.2}, 0.2, 1.25)
}

// TestFourStateIsTheChainOfItsPaper checks the closed forms against the balance
// equations of the chain: what enters a state leaves it.
func TestFourStateIsTheChainOfItsPaper(t *testing.T) {
	f := FourState{GapToBurst: 0.03, BurstToGap: 0.2, BurstToPause: 0.3, PauseToBurst: 0.4, GapToSingleLoss: 0.01}
	const steps = 100_000
	share, after := f.stationary(), [5]float64{}
	for state := inGap; state <= inSingleLoss; state++ {
		for i := range steps {
			after[f.next(state, (float64(i)+0.5)/steps)] += share[state] / steps
		}
	}
	for state := range share {
		if math.Abs(share[state]-after[state]) > 1e-4 {
			t.Errorf("state %d holds %.5f, a step later %.5f", state, share[state], after[state])
		}
	}
}

// TestFadePassesInPauses compares how often a packet after a lost one is lost too,
// over the pause between them, with the memory of the chain.
func TestFadePassesInPauses(t *testing.T) {
	g := GilbertElliott{GoodToBad: 0.02, BadToGood: 0.2, LossBad: 1, StepEvery: 100 * time.Millisecond}
	for _, pause := range []time.Duration{time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 10 * time.Second} {
		l := mustLink(t, Config{GilbertElliott: g}, 5)
		const packets = 500_000
		lost, again, before := 0, 0, false
		for i := range packets {
			drop := l.Admit(time.Duration(i)*pause, 100).Drop == DropLoss
			if drop {
				lost++
				if before {
					again++
				}
			}
			before = drop
		}
		ratio := g.LossRatio()
		steps := max(1, float64(pause)/float64(g.StepEvery))
		want := ratio + (1-ratio)*math.Pow(1-g.GoodToBad-g.BadToGood, steps)
		t.Logf("pause %v: loss %.4f (theory %.4f), after a loss %.4f (theory %.4f)", pause, float64(lost)/packets, ratio, float64(again)/float64(lost), want)
		near(t, "loss ratio", float64(lost)/packets, ratio, 0.02)
		near(t, "loss after a loss", float64(again)/float64(lost), want, 0.03)
	}
}

// TestFragmentLoss: a packet arrives only if all its fragments do.
func TestFragmentLoss(t *testing.T) {
	const p, size, packets = 0.02, 96, 200_000
	for _, bytes := range []int{40, 96, 97, 500, 1280} {
		n := math.Ceil(float64(bytes) / size)
		l := mustLink(t, Config{LossRatio: p, FragmentBytes: size, OverheadBytes: 31, RateBitsPerSecond: 250e3}, 5)
		for i := range packets {
			l.Admit(time.Duration(i)*time.Second, bytes)
		}
		c := l.Counters()
		want := 1 - math.Pow(1-p, n)
		t.Logf("%d bytes in %v fragments: loss %.4f (theory %.4f)", bytes, n, float64(c.Dropped[DropLoss])/packets, want)
		near(t, "loss ratio", float64(c.Dropped[DropLoss])/packets, want, 0.02)
		airtime := time.Duration((float64(bytes) + 31*n) * 8e9 / 250e3)
		if c.Airtime != packets*airtime || l.Model().Airtime(bytes) != airtime {
			t.Errorf("%d bytes: airtime %v and %v, want %v each", bytes, c.Airtime/packets, l.Model().Airtime(bytes), airtime)
		}
	}
}

func TestCorruptionIsALossCountedApart(t *testing.T) {
	const packets = 400_000
	for _, test := range []struct {
		c     Config
		bytes int
		want  float64
	}{
		{Config{CorruptRatio: 0.01}, 1500, 0.01},
		{Config{BitErrorRatio: 1e-5}, 1500, 1 - math.Pow(1-1e-5, 8*1500)},
		{Config{BitErrorRatio: 1e-5, OverheadBytes: 25}, 75, 1 - math.Pow(1-1e-5, 8*100)},
		{Config{CorruptRatio: 0.01, BitErrorRatio: 1e-4}, 100, 1 - 0.99*math.Pow(1-1e-4, 800)},
		{Config{CorruptRatio: 1}, 100, 1},
	} {
		l := mustLink(t, test.c, 3)
		for i := range packets {
			l.Admit(time.Duration(i), test.bytes)
		}
		c := l.Counters()
		near(t, "corrupt ratio", float64(c.Dropped[DropCorrupt])/packets, test.want, 0.02)
		if c.DroppedTotal() != c.Dropped[DropCorrupt] {
			t.Errorf("%+v: corruption is counted elsewhere: %v", test.c, c.Dropped)
		}
	}
}

func TestPacketsAboveTheMTUVanish(t *testing.T) {
	l := mustLink(t, Config{MTUBytes: 1280, RateBitsPerSecond: 1e6}, 1)
	if got := l.Admit(0, 1280).Drop; got != Delivered {
		t.Errorf("1280 bytes: %v", got)
	}
	if got := l.Admit(0, 1281).Drop; got != DropMTU {
		t.Errorf("1281 bytes: %v, want %v", got, DropMTU)
	}
	if got, want := l.Counters().Airtime, l.Model().Airtime(1280); got != want {
		t.Errorf("airtime %v, want %v: what is too large is never sent", got, want)
	}
}
