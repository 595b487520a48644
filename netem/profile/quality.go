package profile

import (
	"time"

	"mqttlab/netem/link"
)

// quality turns the normal links of a radio into better or worse ones: the rate
// and the jitter are scaled, the delay is stretched, and the losses either scaled
// or replaced by bursts.
type quality struct {
	rate, delay, jitter float64
	loss                float64 // factor on LossRatio; without effect where bursts are set
	burstLoss           float64 // long-run loss ratio of the bursts; 0 without
	burstPackets        float64 // mean length of a burst
}

// The figures are chosen, not measured: bad is a device behind two walls,
// edge-of-cell one that is about to lose its cell. The burst lengths are of the
// order found on mobile links by Konrad et al., A Markov-based channel model
// algorithm for wireless networks (2003).
var qualities = map[string]quality{
	"good":         {rate: 1, delay: 1, jitter: 0.5, loss: 0.25},
	"normal":       {rate: 1, delay: 1, jitter: 1, loss: 1},
	"bad":          {rate: 0.5, delay: 1.25, jitter: 1.25, burstLoss: 0.03, burstPackets: 3},
	"edge-of-cell": {rate: 0.25, delay: 2, jitter: 2, burstLoss: 0.10, burstPackets: 6},
}

func (q quality) apply(p Profile, name string) Profile {
	if name == "normal" {
		return p
	}
	p.Name += ":" + name
	p.Up, p.Down = q.applyTo(p.Up), q.applyTo(p.Down)
	p.Sources = append(p.Sources, Source{name, "chosen: one rule for all radios, see the package's Design"})
	return p
}

func (q quality) applyTo(c link.Config) link.Config {
	if c.Slots.Interval > 0 { // the rate says how fast a slot is sent, not how much
		c.Slots.Bytes = int(float64(c.Slots.Bytes) * q.rate)
	} else {
		c.RateBitsPerSecond *= q.rate
	}
	c.Delay = time.Duration(float64(c.Delay) * q.delay)
	c.Jitter = time.Duration(float64(c.Jitter) * q.jitter)
	c.LossRatio *= q.loss
	if q.burstLoss > 0 {
		c.LossRatio, c.LossBurstPackets = q.burstLoss, q.burstPackets
	}
	return c
}
