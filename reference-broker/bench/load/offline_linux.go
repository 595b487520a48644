package load

import "strconv"

// offline queues messages for a client that is away and has it come back for them. Both are measured together: what a broker saves on one side
// it may pay on the other.
func (r run) offline() (Result, error) {
	if err := r.leave(); err != nil {
		return Result{}, err
	}
	pubs, err := r.enter("p", r.Publishers)
	if err != nil {
		return Result{}, err
	}
	for i, l := range pubs {
		p := r.publish(l, r.Window, 0, newTemplate("bench/away/"+strconv.Itoa(i), r.QoS, false, r.Payload, i))
		p.budget, p.numbered = uint64(r.Count/r.Publishers), true
		if i < r.Count%r.Publishers {
			p.budget++
		}
	}
	x, err := measure(r.PID, func() error {
		for _, p := range r.pubs {
			p.line.stir()
		}
		queued := func() uint64 { return r.acked }
		if err := r.until("acknowledgements of queued messages", func() bool { return r.acked == uint64(r.Count) }, queued); err != nil {
			return err
		}
		return r.drain()
	})
	return x.per(r.delivered), err
}

const away = "away0" // the name that enterAs makes

// leave has a client subscribe and go away.
func (r run) leave() error {
	lines, err := r.enterAs(durable, away[:len(away)-1], 1)
	if err != nil {
		return err
	}
	l := lines[0]
	if err := r.subscribe(lines, one("bench/away/#")); err != nil {
		return err
	}
	l.end = func(*line) {}
	l.out = append(l.out, disconnectPacket...)
	l.stir()
	return r.until("the end of the subscriber's connection", func() bool { return l.closed }, func() uint64 { return 0 })
}

// drain has the client come back and sees that it gets each publisher's messages in order, none left out and none twice.
func (r run) drain() error {
	l := r.dial(away)
	if l == nil {
		return r.err
	}
	l.out = appendConnect(l.out, l.name, durable)
	l.arrived = func(p *publisher, stamp uint64) {
		if stamp != p.delivered+1 {
			r.fail("message %d of %s came after %d others of it", stamp, p.line.name, p.delivered)
		}
	}
	l.stir()
	return r.until("queued messages", func() bool { return r.delivered == uint64(r.Count) || r.err != nil }, func() uint64 { return r.delivered })
}
