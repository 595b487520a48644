package load

import (
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// beat is how often the sender of an open loop looks at the clock at least.
const beat = 100 * time.Microsecond

// latency sends at a rate whatever the broker does, so that a moment in which it stands still is felt by all messages that were due in it.
func (r run) latency() (Result, error) {
	subs, err := r.pair(0) // without a window the loop sends nothing of its own
	if err != nil {
		return Result{}, err
	}
	o := openLoop{run: r, start: time.Now(), took: make([]time.Duration, 0, r.due(r.Warm+r.Measure)+1)}
	for _, l := range subs {
		l.arrived = o.arrived
	}
	if err := r.tick(beat); err != nil {
		return Result{}, err
	}
	x, err := measure(r.PID, o.send)
	if err != nil {
		return Result{}, err
	}
	return o.result(x)
}

// due returns how many messages are to be sent in a time.
func (r run) due(d time.Duration) int { return int(d.Seconds() * float64(r.Rate)) }

// tick has turns end every d from now on.
func (lp *loop) tick(d time.Duration) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("timerfd_create", err)
	}
	lp.ticker = fd
	every := unix.NsecToTimespec(d.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	// Edge-triggered: each tick is an event, and nobody needs to read them.
	err = unix.EpollCtl(lp.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)})
	return os.NewSyscallError("epoll_ctl", err)
}

// openLoop is a run with a timetable. Stamps are the times at which messages were due, in nanoseconds since start.
type openLoop struct {
	run
	start   time.Time
	sent    int             // messages
	counted int             // of them, those that were due after Warm: they count
	took    []time.Duration // by those, as they came
}

// send sends all messages when they are due, then waits for what is still on the way, as long as something comes.
func (o *openLoop) send() error {
	total := o.due(o.Warm + o.Measure)
	progress, since := o.delivered, time.Now()
	for o.delivered < uint64(total) {
		now := time.Now()
		o.catchUp(now.Sub(o.start), total)
		if err := o.turn(time.Millisecond); err != nil {
			return err
		}
		switch {
		case o.delivered != progress || o.sent < total:
			progress, since = o.delivered, now
		case now.Sub(since) > o.Patience:
			return nil
		}
	}
	return nil
}

// catchUp sends what is due after so much time.
func (o *openLoop) catchUp(elapsed time.Duration, total int) {
	for ; o.sent < total; o.sent++ {
		at := time.Duration(float64(o.sent) / float64(o.Rate) * float64(time.Second))
		if at > elapsed {
			break
		}
		if at >= o.Warm {
			o.counted++
		}
		p := o.pubs[o.sent%len(o.pubs)]
		p.sendStamped(uint64(max(at, 1)))
		p.line.stir()
	}
	o.settle()
}

func (o *openLoop) arrived(_ *publisher, stamp uint64) {
	at := time.Duration(stamp)
	if at >= o.Warm {
		o.took = append(o.took, time.Since(o.start)-at)
	}
}

// result finds the percentile among all that were sent: what did not arrive took longer than all others.
func (o *openLoop) result(x Result) (Result, error) {
	slices.Sort(o.took)
	rank := (o.counted*99 + 99) / 100
	if rank > len(o.took) || rank < 1 {
		return Result{}, fmt.Errorf("only %d of %d messages arrived", len(o.took), o.counted)
	}
	x.Count, x.Lost = uint64(len(o.took)), uint64(o.counted-len(o.took))
	x.Figure = float64(o.took[rank-1].Nanoseconds()) / 1e3
	return x, nil
}
