package load

import (
	"math/rand/v2"
	"strconv"
	"time"
)

func one(filter string) func(int) []string { return func(int) []string { return []string{filter} } }

func (r run) pairs() (Result, error) {
	if _, err := r.pair(r.Window); err != nil {
		return Result{}, err
	}
	return r.timed()
}

// pair makes publishers with a subscriber each, and returns the subscribers.
func (r run) pair(window int) ([]*line, error) {
	session := transient
	if r.Durable {
		session = durable
	}
	subs, err := r.enterAs(session, "s", r.Publishers)
	if err != nil {
		return nil, err
	}
	if err := r.subscribe(subs, func(i int) []string { return []string{"bench/pair/" + strconv.Itoa(i)} }); err != nil {
		return nil, err
	}
	pubs, err := r.enter("p", r.Publishers)
	if err != nil {
		return nil, err
	}
	for i, l := range pubs {
		r.publish(l, window, 1, newTemplate("bench/pair/"+strconv.Itoa(i), r.QoS, false, r.Payload, i))
	}
	return subs, nil
}

func (r run) fanOut() (Result, error) {
	subs, err := r.enter("s", r.Subscribers)
	if err != nil {
		return Result{}, err
	}
	if err := r.subscribe(subs, one("bench/out")); err != nil {
		return Result{}, err
	}
	pubs, err := r.enter("p", 1)
	if err != nil {
		return Result{}, err
	}
	r.publish(pubs[0], r.Window, r.Subscribers, newTemplate("bench/out", r.QoS, false, r.Payload, 0))
	return r.timed()
}

func (r run) fanIn() (Result, error) {
	subs, err := r.enter("s", 1)
	if err != nil {
		return Result{}, err
	}
	if err := r.subscribe(subs, one("bench/in/#")); err != nil {
		return Result{}, err
	}
	pubs, err := r.enter("p", r.Publishers)
	if err != nil {
		return Result{}, err
	}
	for i, l := range pubs {
		r.publish(l, r.Window, 1, newTemplate("bench/in/"+strconv.Itoa(i)+"/v", r.QoS, false, r.Payload, i))
	}
	return r.timed()
}

// connect opens Count connections, Window at a time. Each says CONNECT, after CONNACK DISCONNECT, and is done when the broker has closed it.
func (r run) connect() (Result, error) {
	var begun, done uint64
	begin := func() {
		l := r.dial("c" + strconv.FormatUint(begun, 10))
		if l == nil {
			return
		}
		begun++
		l.out = appendConnect(l.out, l.name, transient)
		l.take = func(l *line, first byte, b []byte) {
			converse(l, first, b)
			l.out = append(l.out, disconnectPacket...)
			l.stir()
		}
		l.end = func(l *line) {
			if !l.entered {
				r.fail("the broker closed the connection of %s before CONNACK", l.name)
			}
			done++
		}
		l.stir()
	}
	x, err := measure(r.PID, func() error {
		return r.until("the ends of connections", func() bool {
			for begun < uint64(r.Count) && begun-done < uint64(r.Window) && r.err == nil {
				begin()
			}
			r.settle()
			return done == uint64(r.Count) || r.err != nil
		}, func() uint64 { return done })
	})
	return x.per(done), err
}

// storers is how many publishers store retained messages.
const storers = 4

func (r run) retained() (Result, error) {
	pubs, err := r.enter("p", storers)
	if err != nil {
		return Result{}, err
	}
	topics := make([][]template, storers)
	for i := range r.Count {
		p := i % storers
		topics[p] = append(topics[p], newTemplate("ret/"+strconv.Itoa(i%100)+"/dev"+strconv.Itoa(i), 1, true, r.Payload, p))
	}
	for i, l := range pubs {
		if len(topics[i]) > 0 {
			r.publish(l, r.Window, 0, topics[i]...).budget = uint64(len(topics[i]))
			l.stir()
		}
	}
	stored := func() uint64 { return r.acked }
	if err := r.until("PUBACKs of retained messages", func() bool { return r.acked == uint64(r.Count) }, stored); err != nil {
		return Result{}, err
	}
	time.Sleep(500 * time.Millisecond) // for what the broker does afterwards
	var sum Result
	for i := range 3 {
		x, err := r.fetch("s" + strconv.Itoa(i))
		if err != nil {
			return Result{}, err
		}
		sum.Wall, sum.BrokerCPU, sum.OwnCPU, sum.Count = sum.Wall+x.Wall, sum.BrokerCPU+x.BrokerCPU, sum.OwnCPU+x.OwnCPU, sum.Count+x.Count
		time.Sleep(300 * time.Millisecond)
	}
	return sum.per(sum.Count), nil
}

// fetch subscribes to all retained messages and waits for the last one.
func (r run) fetch(name string) (Result, error) {
	lines, err := r.enter(name, 1)
	if err != nil {
		return Result{}, err
	}
	defer lines[0].close()
	before := r.delivered
	x, err := measure(r.PID, func() error {
		lines[0].out = appendSubscribe(lines[0].out, 1, 0, "ret/#")
		lines[0].stir()
		return r.until("retained messages", func() bool { return r.delivered-before >= uint64(r.Count) }, func() uint64 { return r.delivered })
	})
	x.Count = r.delivered - before
	return x, err
}

// matchTopics is how many topics each of the publishers goes through.
const matchTopics = 4096

// match has filters w/K/+/t and w/+/K/t/# for many K. A topic w/A/B/t matches one of each kind; A and B are chosen so that they belong to
// two clients, because brokers may send one or two copies to a client with both.
func (r run) match() (Result, error) {
	subs, err := r.enter("s", matchClients)
	if err != nil {
		return Result{}, err
	}
	half := r.Count / 2
	err = r.subscribe(subs, func(i int) (filters []string) {
		for k := i; k < half; k += matchClients {
			filters = append(filters, "w/"+strconv.Itoa(k)+"/+/t", "w/+/"+strconv.Itoa(k)+"/t/#")
		}
		return filters
	})
	if err != nil {
		return Result{}, err
	}
	pubs, err := r.enter("p", storers)
	if err != nil {
		return Result{}, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i, l := range pubs {
		topics := make([]template, 0, matchTopics)
		for len(topics) < matchTopics {
			if a, b := rng.IntN(half), rng.IntN(half); a%matchClients != b%matchClients {
				topics = append(topics, newTemplate("w/"+strconv.Itoa(a)+"/"+strconv.Itoa(b)+"/t", 0, false, r.Payload, i))
			}
		}
		r.publish(l, r.Window, 2, topics...)
	}
	return r.timed()
}

// settled is how long a broker may take to give memory back.
const settled = 3 * time.Second

func (r run) idle() (Result, error) {
	before, err := residentBytes(r.PID)
	if err != nil {
		return Result{}, err
	}
	var after int64
	x, err := measure(r.PID, func() error {
		lines, err := r.enter("i", r.Count)
		if err != nil {
			return err
		}
		if err := r.subscribe(lines, func(i int) []string { return []string{"idle/" + strconv.Itoa(i) + "/0"} }); err != nil {
			return err
		}
		time.Sleep(settled)
		after, err = residentBytes(r.PID)
		return err
	})
	x.Count, x.Figure = uint64(r.Count), float64(after-before)/float64(r.Count)
	return x, err
}
