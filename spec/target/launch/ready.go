package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"mqttlab/spec/octets"
)

const (
	// pollEvery is the pause between two questions whether it serves.
	pollEvery = 50 * time.Millisecond
	// answerWithin is how long one CONNECT may go unanswered before the next is tried.
	answerWithin = 2 * time.Second
	// linesShown is how much of a log stands in an error.
	linesShown = 20
)

// await polls with CONNECT until there is a CONNACK, the broker ends or StartTimeout is over.
func (b *Broker) await(ctx context.Context, began time.Time) error {
	deadline := began.Add(b.recipe.StartTimeout)
	limit, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	fail := &Error{Trouble: PortClosed, What: b.what(), Detail: "nobody listens"}
	for try := 0; ; try++ {
		if how, gone := b.engine.exited(limit); gone {
			fail.Trouble, fail.Detail = Exited, how
			return b.failed(fail, began)
		}
		// A broker may speak one version only; its refusal is an answer, too.
		version := []octets.Version{octets.V311, octets.V5}[try%2]
		var said error // the most telling of this round
		for _, address := range b.engine.addresses() {
			err := b.ask(limit, address, version)
			if err == nil {
				b.at.Store(&address)
				return nil
			}
			if said == nil || trouble(b.engine, said) == PortClosed { // what one open port says is more than that others are closed
				said = err
			}
		}
		// In a round that is cut short it is the deadline that speaks, perhaps before it is seen in limit.
		if said != nil && (time.Now().Before(deadline) || fail.Err == nil) {
			fail.Trouble, fail.Detail, fail.Err = trouble(b.engine, said), said.Error(), said
		}
		select {
		case <-limit.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return b.failed(fail, began)
		case <-time.After(pollEvery):
		}
	}
}

// awaitListeners polls until the further listeners are there: brokers open one after the other.
// What they say is not asked here, as that takes the transport.
func (b *Broker) awaitListeners(ctx context.Context, began time.Time) error {
	limit, cancel := context.WithDeadline(ctx, began.Add(b.recipe.StartTimeout))
	defer cancel()
	further, err := b.engine.listeners()
	for _, u := range further {
		for {
			network, address := "tcp", u.Host
			if u.Host == "" {
				network, address = "unix", u.Path
			}
			conn, err := b.Dial(limit, network, address)
			if err == nil {
				conn.Close()
				break
			}
			select {
			case <-limit.Done():
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return b.failed(&Error{Trouble: PortClosed, What: b.what(), Detail: "nobody listens at " + u.String(), Err: err}, began)
			case <-time.After(pollEvery):
			}
		}
	}
	return err
}

// failed completes an error with what is known at the end.
func (b *Broker) failed(e *Error, began time.Time) error {
	e.After = time.Since(began)
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if how, gone := b.engine.exited(ctx); gone { // perhaps just now: that says more than a port
		e.Trouble, e.Detail, e.Err = Exited, how, nil
	}
	e.Log = lastLines(b.engine.log(ctx), linesShown)
	return e
}

// trouble says what the error of ask means. In front of a container stands a proxy of
// the engine, which accepts and then closes while nobody listens behind it.
func trouble(e engine, err error) Trouble {
	var op *net.OpError
	unconnected := errors.As(err, &op) && op.Op == "dial"
	closed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
	if unconnected || closed && e.proxied() {
		return PortClosed
	}
	return NotServing
}

// ask sends one CONNECT and is content with any CONNACK save "not yet".
func (b *Broker) ask(ctx context.Context, address string, v octets.Version) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	hello := octets.Connect{
		ClientID: "mqttlab-ready", Clean: true, KeepAlive: 10,
		UserName: b.recipe.UserName, Password: b.recipe.Password,
	}
	if _, err := conn.Write(octets.Bytes(v, hello)); err != nil {
		return err
	}
	answer, err := firstPacket(conn, v)
	switch {
	case errors.Is(err, net.ErrClosed):
		return fmt.Errorf("the port is open, and CONNECT is not answered within %v", answerWithin)
	case err != nil:
		return fmt.Errorf("CONNECT is not answered: %w", err)
	case answer.Type != octets.CONNACK:
		return fmt.Errorf("CONNECT is answered by %s", answer)
	case notYet(v, answer.Code):
		return fmt.Errorf("CONNECT is answered by %s", answer)
	}
	_, _ = conn.Write(octets.Bytes(v, octets.Disconnect{}))
	return nil
}

// firstPacket reads until there is one whole packet.
func firstPacket(conn net.Conn, v octets.Version) (*octets.Received, error) {
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		got = append(got, buf[:n]...)
		if p, size := octets.Decode(got, v); size > 0 {
			return p, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// notYet says that a Server tells it cannot serve for the moment.
func notYet(v octets.Version, code byte) bool {
	if v == octets.V5 {
		return code == 0x88 || code == 0x89 // Server unavailable, Server busy
	}
	return code == 0x03 // Server unavailable
}
