package device

import (
	"errors"
	"time"

	"mqttlab/simulator/ledger"

	core "mqttlab/reference-broker/core/client"
)

// lack says what a device has not got.
type lack uint8

const (
	power lack = 1 << iota
	cable
)

func (l lack) has(what lack) bool { return l&what != 0 }

// errUnplugged is what an unplugged device finds.
var errUnplugged = errors.New("the cable was pulled out")

// vanish takes the endpoint off the network. The target is told nothing.
func (e *endpoint) vanish(why lack) {
	e.down |= why
	if e.attempt != nil {
		e.attempt.e = nil
		e.attempt = nil
	}
	e.conn, e.unread, e.unsent, e.retryAt = nil, nil, nil, time.Time{}
	e.host.Vanish()
}

// comeBack is the end of one lack. With nothing else missing the device connects again, after a first wait of its policy.
func (e *endpoint) comeBack(now time.Time, why lack) {
	e.down &^= why
	if e.down != 0 || e.retired {
		return
	}
	e.host.Return()
	e.tried = 0
	e.retryAt = now.Add(e.common.Reconnect.Backoff.Wait(1, e.random()))
	e.move(now, ledger.Waiting)
}

// LosePower is a battery that is pulled out: the device vanishes with all that it had in memory, its session and the messages in its hands included. The
// target finds a connection on which nothing ever comes. Nothing is due until RestorePower.
func (d *Sensor) LosePower() {
	if d.retired || d.down.has(power) {
		return
	}
	now := d.host.Now()
	d.flush(now)
	d.vanish(power)
	d.forget()
	d.machine = core.New(&d.common.Client, d.machine.ClientID())
	d.reborn = true
	d.timer.Stop()
	d.move(now, ledger.Down)
}

// forget loses all that a device without power has in memory.
func (d *Sensor) forget() {
	for _, m := range append(d.open, d.stored...) {
		h, _ := ledger.ParseHeader(m.Payload)
		d.group.Book.GaveUp(h, ledger.NoPower)
	}
	d.open, d.stored, d.answers, d.unanswered, d.resting, d.alarm = nil, nil, nil, 0, false, false
	for i := range d.ears {
		d.ears[i].resumed(false)
	}
	if d.image != nil {
		d.image.forget()
	}
}

// RestorePower boots the device. What would have been due meanwhile was never made.
func (d *Sensor) RestorePower() {
	if d.retired || !d.down.has(power) {
		return
	}
	now := d.host.Now()
	for d.dueAt < d.group.End && d.dueAt <= now.Sub(d.common.Start) {
		d.group.Book.NotMade()
		d.advance()
	}
	d.comeBack(now, power)
	d.flush(now)
}

// Unplug is a cable that is pulled out: the device notices and keeps what it has, the target is told nothing.
func (d *Sensor) Unplug() {
	if d.retired || d.down.has(cable) {
		return
	}
	now := d.host.Now()
	d.flush(now)
	d.vanish(cable)
	if d.machine.State() == core.Disconnected {
		d.move(now, ledger.Down)
	} else {
		d.machine.Lost(now, errUnplugged)
	}
	d.flush(now)
}

// Plug puts the cable back in.
func (d *Sensor) Plug() {
	if d.retired || !d.down.has(cable) {
		return
	}
	now := d.host.Now()
	d.comeBack(now, cable)
	d.flush(now)
}

// Darken takes the device's link away without telling anybody; TCP and Keep Alive will find out. Dark times may overlap.
func (d *Sensor) Darken() {
	d.dark++
	if d.dark == 1 {
		d.host.SetDark(true)
	}
}

// Lighten is the end of one Darken.
func (d *Sensor) Lighten() {
	d.dark--
	if d.dark == 0 {
		d.host.SetDark(false)
	}
}
