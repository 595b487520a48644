package link

import (
	"math"
	"time"
)

// burstStep is how long a step of LossBurstPackets lasts for a sender that
// pauses: the coherence time of a slow fading channel, as for the jitter.
const burstStep = DefaultJitterCorrelation

// GilbertElliott is the two-state loss model of Gilbert (1960) and Elliott
// (1963): a Markov chain that steps once per packet between a good and a bad
// state. With p = GoodToBad and r = BadToGood the share of time in the bad state is
// p/(p+r), the loss ratio LossGood·r/(p+r) + LossBad·p/(p+r), and the mean stay
// in the bad state 1/r packets, which for LossGood 0 and LossBad 1 is the mean
// length of a burst of losses.
type GilbertElliott struct {
	// GoodToBad is the probability per packet of entering the bad state.
	// Zero turns the model off.
	GoodToBad float64
	// BadToGood is the probability per packet of leaving it; above 0.
	BadToGood float64
	// LossGood is the loss ratio in the good state.
	LossGood float64
	// LossBad is the loss ratio in the bad state. Zero would make the model
	// without effect and is refused.
	LossBad float64
	// StepEvery is the time that counts as a step while no packet is sent, so
	// that a fade passes by itself: with λ = 1 − p − r the excess of the bad state
	// decays by λ per step, hence by λ^(t/StepEvery) over a pause of t. Zero
	// means that time does not count, and then a sparse sender meets the same
	// fade again with its next retransmission, seconds later. Needs p + r below 1.
	StepEvery time.Duration
}

// LossRatio returns the long-run share of packets lost.
func (g GilbertElliott) LossRatio() float64 {
	if g.GoodToBad == 0 {
		return 0
	}
	bad := g.GoodToBad / (g.GoodToBad + g.BadToGood)
	return g.LossGood*(1-bad) + g.LossBad*bad
}

// MeanBurstPackets returns the mean number of packets lost in a row: 1/BadToGood
// where the bad state loses all and the good state nothing. Elsewhere it is the
// loss ratio over the share of packets at which a burst of losses begins.
func (g GilbertElliott) MeanBurstPackets() float64 {
	if g.GoodToBad == 0 {
		return 0
	}
	// A burst begins with a packet that is lost after one that was not.
	bad := g.GoodToBad / (g.GoodToBad + g.BadToGood)
	arrivedGood, arrivedBad := (1-bad)*(1-g.LossGood), bad*(1-g.LossBad)
	begins := arrivedGood*((1-g.GoodToBad)*g.LossGood+g.GoodToBad*g.LossBad) +
		arrivedBad*(g.BadToGood*g.LossGood+(1-g.BadToGood)*g.LossBad)
	if begins == 0 {
		return math.Inf(1)
	}
	return g.LossRatio() / begins
}

// FourState is the loss model of Salsano, Ludovici, Ordine and Giannuzzi,
// Definition of a general and intuitive loss model for packet networks (2012),
// known as "loss state" of Linux netem: a Markov chain that steps once per packet
// between a gap, in which packets arrive, bursts of losses with pauses inside, and
// single losses in the gap. A packet is lost if its step ends in a burst (state 3)
// or in a single loss (state 4). With the paper's numbers for the states,
//
//	π1 = 1 / (1 + p14 + p13/p31·(1 + p32/p23))    gap
//	π3 = π1·p13/p31                               burst
//	π4 = π1·p14                                   single loss
//
// the loss ratio is π3 + π4 and the mean number of packets lost in a row
// (π3 + π4) / (π3·(p31 + p32) + π4). Pauses of the sender do not count, as in netem.
type FourState struct {
	// GapToBurst is p13, the probability per packet that a burst begins in a
	// gap. Zero, together with GapToSingleLoss, turns the model off.
	GapToBurst float64
	// BurstToGap is p31, the probability that a burst ends after a loss.
	BurstToGap float64
	// BurstToPause is p32, the probability that packets arrive again within
	// a burst. The sum with BurstToGap is at most 1.
	BurstToPause float64
	// PauseToBurst is p23, the probability that such a pause ends.
	PauseToBurst float64
	// GapToSingleLoss is p14, the probability that a single packet is lost
	// in a gap. The sum with GapToBurst is at most 1.
	GapToSingleLoss float64
}

// The states of FourState, numbered as in the paper.
const (
	inGap uint8 = 1 + iota
	inPause
	inBurst
	inSingleLoss
)

// stationary returns the long-run share of packets in each state; index 0 is unused.
func (f FourState) stationary() (share [5]float64) {
	burst, pause := 0.0, 0.0
	if f.GapToBurst > 0 {
		burst = f.GapToBurst / f.BurstToGap
		if f.BurstToPause > 0 {
			pause = burst * f.BurstToPause / f.PauseToBurst
		}
	}
	gap := 1 / (1 + burst + pause + f.GapToSingleLoss)
	return [5]float64{inGap: gap, inPause: gap * pause, inBurst: gap * burst, inSingleLoss: gap * f.GapToSingleLoss}
}

// LossRatio returns the long-run share of packets lost.
func (f FourState) LossRatio() float64 {
	s := f.stationary()
	return s[inBurst] + s[inSingleLoss]
}

// MeanBurstPackets returns the mean number of packets lost in a row.
func (f FourState) MeanBurstPackets() float64 {
	s := f.stationary()
	begins := s[inBurst]*(f.BurstToGap+f.BurstToPause) + s[inSingleLoss]
	if begins == 0 {
		return 0
	}
	return (s[inBurst] + s[inSingleLoss]) / begins
}

// next returns the state after one packet, for a random number u in [0, 1).
func (f *FourState) next(state uint8, u float64) uint8 {
	switch state {
	case inGap:
		if u < f.GapToBurst {
			return inBurst
		}
		if u < f.GapToBurst+f.GapToSingleLoss {
			return inSingleLoss
		}
	case inPause:
		if u >= f.PauseToBurst {
			return inPause
		}
		return inBurst
	case inBurst:
		if u >= f.BurstToGap+f.BurstToPause {
			return inBurst
		}
		if u >= f.BurstToGap {
			return inPause
		}
	}
	return inGap
}

// MeanLossRatio returns the long-run share of packets of one fragment that the
// loss models lose. Queues, corruption, outages and traces come on top.
func (c *Config) MeanLossRatio() float64 {
	return c.LossRatio + c.GilbertElliott.LossRatio() + c.FourState.LossRatio() // at most one is set
}

// twoState returns the Gilbert-Elliott chain of c: the one given, or the one with
// the loss ratio p/(p+r) and the mean burst 1/r that LossBurstPackets asks for.
func (c *Config) twoState() GilbertElliott {
	if c.LossBurstPackets == 0 || c.LossRatio == 0 {
		return c.GilbertElliott
	}
	r := 1 / c.LossBurstPackets
	return GilbertElliott{GoodToBad: r * c.LossRatio / (1 - c.LossRatio), BadToGood: r, LossBad: 1, StepEvery: burstStep}
}

// lossModel is which of the models decides.
type lossModel uint8

const (
	lossNever lossModel = iota
	lossIndependent
	lossTwoState
	lossFourState
)

// compileLoss prepares the loss models and corruption.
func (m *Model) compileLoss() {
	c := &m.config
	m.two, m.lossRatio = c.twoState(), c.LossRatio
	m.loses = [2]float64{m.two.LossGood, m.two.LossBad}
	m.leaves = [2]float64{m.two.GoodToBad, m.two.BadToGood}
	switch {
	case m.two.GoodToBad > 0:
		m.loss = lossTwoState
	case c.FourState != FourState{}:
		m.loss = lossFourState
	case c.LossRatio > 0:
		m.loss = lossIndependent
	}
	m.corrupts = c.CorruptRatio > 0 || c.BitErrorRatio > 0
	m.hazards = m.loss != lossNever || m.corrupts || len(c.Trace.Rows) > 0
	if g := &m.two; g.StepEvery > 0 {
		m.fade = math.Log(1-g.GoodToBad-g.BadToGood) / float64(g.StepEvery)
	}
	if c.BitErrorRatio > 0 {
		m.bitsIntact = 8 * math.Log1p(-c.BitErrorRatio)
	}
}

// settleLoss draws the state that the loss model starts in.
func (l *Link) settleLoss() {
	l.state = 0
	switch m := l.model; m.loss {
	case lossTwoState:
		l.setBad(l.chance(m.two.GoodToBad / (m.two.GoodToBad + m.two.BadToGood)))
	case lossFourState:
		share := m.config.FourState.stationary()
		u := l.float()
		for l.state = inGap; l.state < inSingleLoss && u >= share[l.state]; l.state++ {
			u -= share[l.state]
		}
	}
}

// cross decides about one packet on the air.
func (l *Link) cross(sent int64, fragments, airBytes int) DropReason {
	m := l.model
	if l.lose(sent, fragments) || m.trace != nil && l.loseOnTrace(sent) {
		return DropLoss
	}
	if m.corrupts && l.corrupt(airBytes) {
		return DropCorrupt
	}
	return Delivered
}

// lose asks the loss model: a packet is lost if one of its fragments is. The sender
// does not know which, and sends them all.
func (l *Link) lose(sent int64, fragments int) (lost bool) {
	m := l.model
	switch m.loss {
	case lossIndependent:
		for ; fragments > 0; fragments-- {
			if l.float() < m.lossRatio {
				lost = true
			}
		}
	case lossTwoState:
		if m.fade != 0 {
			l.pause(sent)
		}
		for ; fragments > 0; fragments-- {
			state := l.state & 1
			if ratio := m.loses[state]; ratio >= 1 || ratio > 0 && l.float() < ratio {
				lost = true
			}
			if l.float() < m.leaves[state] {
				l.state = state ^ 1
			}
		}
	case lossFourState:
		for ; fragments > 0; fragments-- {
			l.state = m.config.FourState.next(l.state, l.float())
			lost = lost || l.state >= inBurst
		}
	}
	return lost
}

// setBad sets the state of the Gilbert-Elliott chain.
func (l *Link) setBad(bad bool) {
	l.state = 0
	if bad {
		l.state = 1
	}
}

// pause lets the Gilbert-Elliott chain run through the time since the last packet,
// less the one step that every packet makes.
func (l *Link) pause(sent int64) {
	g := &l.model.two
	idle := sent - l.fadeAt - int64(g.StepEvery)
	l.fadeAt = sent
	if idle <= 0 {
		return
	}
	kept := math.Exp(l.model.fade * float64(idle))
	bad := g.GoodToBad / (g.GoodToBad + g.BadToGood) * (1 - kept)
	if l.state != 0 {
		bad += kept
	}
	l.setBad(l.chance(bad))
}

// corrupt decides whether bits of a packet are damaged on the way.
func (l *Link) corrupt(airBytes int) bool {
	m := l.model
	intact := 1 - m.config.CorruptRatio
	if m.bitsIntact != 0 {
		intact *= math.Exp(m.bitsIntact * float64(airBytes))
	}
	return !l.chance(intact)
}
