package link

import "math"

func (c *Config) checkLoss(v *mistakes) {
	v.ratio("LossRatio", c.LossRatio)
	v.ratio("CorruptRatio", c.CorruptRatio)
	v.ratio("BitErrorRatio", c.BitErrorRatio)
	if c.BitErrorRatio == 1 {
		v.add("BitErrorRatio is 1: must be below, set LossRatio to 1 for a link that is dead")
	}
	c.GilbertElliott.check(v)
	c.FourState.check(v)
	two, four := c.GilbertElliott.GoodToBad > 0, c.FourState != FourState{}
	if two && c.LossRatio > 0 {
		v.add("LossRatio and GilbertElliott exclude each other: set LossGood for the loss in the good state")
	}
	if four && c.LossRatio > 0 {
		v.add("LossRatio and FourState exclude each other: set GapToSingleLoss for single losses")
	}
	if two && four {
		v.add("GilbertElliott and FourState exclude each other: choose one")
	}
	c.checkBurst(v)
}

// checkBurst wants runs of losses at least as long as those of independent losses:
// shorter ones would need losses that avoid each other.
func (c *Config) checkBurst(v *mistakes) {
	switch b := c.LossBurstPackets; {
	case b == 0:
	case !(b > 0) || math.IsInf(b, 0):
		v.add("LossBurstPackets is %v: must be 0 (independent losses) or at least 1", b)
	case !(c.LossRatio > 0):
		v.add("LossBurstPackets needs a LossRatio above 0: how many of all packets are lost?")
	case c.LossRatio < 1 && b < 1/(1-c.LossRatio):
		v.add("LossBurstPackets is %v: with a LossRatio of %v independent losses have runs of %.4g already, so at least that", b, c.LossRatio, 1/(1-c.LossRatio))
	case c.LossRatio == 1:
		v.add("LossBurstPackets %v and LossRatio 1 exclude each other: if all is lost, no burst ends", b)
	}
}

func (c *Config) checkSize(v *mistakes) {
	if c.MTUBytes < 0 || c.MTUBytes > 0 && c.MTUBytes < minMTU {
		v.add("MTUBytes is %d: must be 0 (no limit) or at least %d, the smallest that IPv4 allows (RFC 791)", c.MTUBytes, minMTU)
	}
	if c.FragmentBytes < 0 || c.FragmentBytes > 0 && c.FragmentBytes < minFragment {
		v.add("FragmentBytes is %d: must be 0 (packets stay whole) or at least %d", c.FragmentBytes, minFragment)
	}
}

const (
	minMTU      = 68
	minFragment = 8 // the unit of fragment offsets in RFC 4944 and IPv4
)

func (g *GilbertElliott) check(v *mistakes) {
	v.ratio("GilbertElliott.GoodToBad", g.GoodToBad)
	v.ratio("GilbertElliott.BadToGood", g.BadToGood)
	v.ratio("GilbertElliott.LossGood", g.LossGood)
	v.ratio("GilbertElliott.LossBad", g.LossBad)
	v.duration("GilbertElliott.StepEvery", g.StepEvery)
	if g.StepEvery > 0 && g.GoodToBad+g.BadToGood >= 1 {
		v.add("GilbertElliott.StepEvery needs GoodToBad + BadToGood below 1, not %v: above, the states alternate instead of lasting", g.GoodToBad+g.BadToGood)
	}
	if g.GoodToBad == 0 {
		if *g != (GilbertElliott{}) {
			v.add("GilbertElliott.GoodToBad is 0: the bad state would never be reached")
		}
		return
	}
	if g.BadToGood == 0 {
		v.add("GilbertElliott.BadToGood is 0: the bad state would never be left")
	}
	if g.LossBad == 0 {
		v.add("GilbertElliott.LossBad is 0: the bad state would lose nothing")
	}
}

func (f *FourState) check(v *mistakes) {
	v.ratio("FourState.GapToBurst", f.GapToBurst)
	v.ratio("FourState.BurstToGap", f.BurstToGap)
	v.ratio("FourState.BurstToPause", f.BurstToPause)
	v.ratio("FourState.PauseToBurst", f.PauseToBurst)
	v.ratio("FourState.GapToSingleLoss", f.GapToSingleLoss)
	if *f == (FourState{}) {
		return
	}
	if f.GapToBurst+f.GapToSingleLoss > 1 {
		v.add("FourState.GapToBurst and GapToSingleLoss sum to %v: both are chances of the same packet, at most 1", f.GapToBurst+f.GapToSingleLoss)
	}
	if f.BurstToGap+f.BurstToPause > 1 {
		v.add("FourState.BurstToGap and BurstToPause sum to %v: both are chances of the same packet, at most 1", f.BurstToGap+f.BurstToPause)
	}
	if f.GapToBurst == 0 {
		if f.BurstToGap != 0 || f.BurstToPause != 0 || f.PauseToBurst != 0 {
			v.add("FourState.GapToBurst is 0: bursts would never be reached")
		}
		return
	}
	if f.BurstToGap == 0 {
		v.add("FourState.BurstToGap is 0: bursts would never be left")
	}
	if f.BurstToPause > 0 && f.PauseToBurst == 0 {
		v.add("FourState.PauseToBurst is 0: a pause in a burst would never be left")
	}
	if f.BurstToPause == 0 && f.PauseToBurst > 0 {
		v.add("FourState.BurstToPause is 0: pauses would never be reached")
	}
}
