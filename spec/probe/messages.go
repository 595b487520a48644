package probe

import (
	"time"

	"mqttlab/spec/octets"
)

// Messages returns the next n messages, or those that come before the target, asked by
// PINGREQ, has nothing more to say: ask for one more than may come in order to prove that
// it does not. All other packets stay for later wants. The connection has to stay open.
func (p *Peer) Messages(n int, why string) []*octets.Received {
	end, got := p.Reaction(func(got []*octets.Received) bool {
		count := 0
		for _, r := range got {
			if r.Type == octets.PUBLISH {
				count++
			}
		}
		return count >= n
	})
	if end != nil {
		p.fail(why, []string{"the connection stays open"}, Event{End: end})
	}
	var messages []*octets.Received
	for _, r := range got {
		if r.Type == octets.PUBLISH && len(messages) < n {
			messages = append(messages, r)
		} else {
			p.stash = append(p.stash, r)
		}
	}
	return messages
}

// Elapse lets time pass until it is so long after start, for rules about seconds. The
// connection has to stay open; what arrives is kept for later wants.
func (p *Peer) Elapse(start time.Time, d time.Duration, why string) {
	for until := start.Add(d); time.Now().Before(until); {
		e := p.Next(time.Until(until))
		if e.End != nil {
			p.fail(why, []string{"the connection stays open"}, e)
		}
		if e.Packet != nil {
			p.stash = append(p.stash, e.Packet)
		}
	}
}
