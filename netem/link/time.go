package link

import "math/rand/v2"

// jittered returns the propagation delay at a time where it varies: it follows a
// curve through one normal variate per correlation time, blended in between.
func (l *Link) jittered(at int64) int64 {
	m := l.model
	x := float64(at) / m.correlation
	knot := int64(x)
	if knot != l.knot {
		l.moveTo(knot)
	}
	f := (x - float64(knot)) * blendSteps
	i := int(f)
	if i >= blendSteps { // rounding at the end of a stretch
		i = blendSteps - 1
	}
	f -= float64(i)
	a := m.blendA[i] + f*(m.blendA[i+1]-m.blendA[i])
	b := m.blendB[i] + f*(m.blendB[i+1]-m.blendB[i])
	return m.delayAt(a*l.zA + b*l.zB)
}

// moveTo continues the jitter curve on another stretch. Stretches without a
// packet need no variates: they are independent of what follows.
func (l *Link) moveTo(knot int64) {
	normal := rand.New(&l.pcg)
	if knot == l.knot+1 {
		l.zA = l.zB
	} else {
		l.zA = normal.NormFloat64()
	}
	l.zB = normal.NormFloat64()
	l.knot = knot
}

// duringOutage returns when a packet offered at a time can be sent: then, at the
// end of an outage that holds packets, or never.
func (m *Model) duringOutage(at int64) (sent int64, lost bool) {
	for i := range m.config.Outages {
		o := &m.config.Outages[i]
		into := at - int64(o.Start)
		if into < 0 {
			continue
		}
		if o.Every > 0 {
			into %= int64(o.Every)
		}
		if into < int64(o.Duration) {
			if !o.Hold {
				return 0, true
			}
			return at + int64(o.Duration) - into, false
		}
	}
	return at, false
}
