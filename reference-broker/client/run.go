package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
)

// run is the goroutine that owns the client's life: it starts the two others for each Network Connection and waits for them.
func (c *Client) run(ctx context.Context) {
	defer close(c.ended)
	defer c.cancel()
	c.live(ctx)
	_ = c.persist() // what is over; forgetting it costs a repetition that the Server knows how to take
}

// live connects, again and again, until the client ends.
func (c *Client) live(ctx context.Context) {
	failures, everUp := 0, false
	to, next := c.target, (*target)(nil)
	for {
		if next != nil {
			to, next = next, nil
		}
		wasUp, err := c.attempt(ctx, to)
		everUp = everUp || wasUp
		if err == nil { // Disconnect, which cancels ctx next
			<-ctx.Done()
		}
		if ctx.Err() != nil {
			c.end(c.cause(), err)
			return
		}
		if !wasUp { // a server we were sent to is given up for our own
			to = c.target
		}
		if n := c.redirected(err); n != nil {
			next = n
		} else if !everUp && !c.opts.RetryFirst || !c.retry(err) {
			c.end(err, err)
			return
		}
		failures++
		if wasUp {
			failures = 1
		}
		wait := c.opts.backoff().Wait(failures, c.rnd)
		c.log.Info("waiting to connect again", "wait", wait, "error", err)
		select {
		case <-ctx.Done():
			c.end(c.cause(), err)
			return
		case <-time.After(wait):
		}
	}
}

func (c *Client) retry(err error) bool {
	if c.opts.Retry != nil {
		return c.opts.Retry(err)
	}
	return !permanent(err)
}

// redirected returns where the Server wants this client to go, nil if nowhere or the application does not agree. [X5 4.11-1]
func (c *Client) redirected(err error) *target {
	var refused *RefusedError
	if c.opts.Redirect == nil || !errors.As(err, &refused) || refused.Reference == "" {
		return nil
	}
	if refused.Code != mqtt.UseAnotherServer && refused.Code != mqtt.ServerMoved {
		return nil
	}
	url := c.opts.Redirect(refused.Reference)
	if url == "" {
		return nil
	}
	t, err := parseTarget(url)
	if err != nil {
		c.log.Warn("redirect ignored", "error", err)
		return nil
	}
	return t
}

// attempt is one Network Connection from dialling to its end. wasUp tells whether the Server accepted it.
func (c *Client) attempt(ctx context.Context, to *target) (wasUp bool, err error) {
	connect := c.opts.connect(to)
	if c.opts.AuthStart != nil {
		if connect.AuthenticationData, err = c.opts.AuthStart(ctx); err != nil {
			return false, fmt.Errorf("beginning the authentication: %w", err)
		}
	}
	dialCtx, cancel := context.WithTimeout(ctx, c.opts.connectTimeout())
	conn, err := c.opts.dial(dialCtx, to)
	cancel()
	if err != nil {
		return false, err
	}
	l := newLink(conn)
	c.mu.Lock()
	c.link = l
	c.m.Opened(time.Now(), connect)
	c.carryOut()
	c.mu.Unlock()
	go c.read(l, connect)
	go c.write(l)
	c.attend(ctx, l)
	c.mu.Lock()
	c.m.Lost(time.Now(), l.readErr)
	c.carryOut()
	c.link = nil
	c.mu.Unlock()
	c.tell(ctx)
	if !l.up {
		return false, to.unanswered(l.downErr)
	}
	return true, l.downErr
}

// unanswered says what to look at if err is that the Server ended the connection, or said something else, in the place of CONNACK.
func (t *target) unanswered(err error) error {
	var (
		violation *ViolationError
		read      *net.OpError
	)
	if !errors.Is(err, errHungUp) && !errors.As(err, &violation) && (!errors.As(err, &read) || errors.Is(err, net.ErrClosed)) {
		return err
	}
	advice := "does an MQTT broker listen there, and want a user name and password?"
	if strings.HasPrefix(t.url, "mqtt:") {
		advice = "does it want TLS (mqtts://), or a user name and password?"
	}
	return fmt.Errorf("%s did not answer CONNECT: %w; %s", t.address, err, advice)
}

// attend keeps time for the machine and calls hooks until the Network Connection has ended and both its goroutines are gone.
func (c *Client) attend(ctx context.Context, l *link) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	stop := ctx.Done()
	for {
		c.mu.Lock()
		c.armed, _ = c.m.Deadline()
		wait := time.Hour
		if !c.armed.IsZero() {
			wait = time.Until(c.armed)
		}
		c.mu.Unlock()
		timer.Reset(wait)
		select {
		case <-l.gone:
			<-l.flushed
			return
		case <-stop:
			stop = nil
			c.mu.Lock()
			closing := l.closing
			c.mu.Unlock()
			if !closing {
				l.close()
			}
		case <-c.poke:
			c.tell(ctx)
		case <-timer.C:
			c.mu.Lock()
			c.m.Advance(time.Now())
			c.carryOut()
			c.mu.Unlock()
		}
	}
}

// tell calls the application's hooks for the events that came up.
func (c *Client) tell(ctx context.Context) {
	c.mu.Lock()
	events := c.events
	c.events = nil
	c.mu.Unlock()
	for _, e := range events {
		switch {
		case e.connack != nil:
			c.log.Info("connected", "client", c.ClientID(), "session_present", e.connack.SessionPresent)
			if c.opts.OnConnect != nil {
				c.opts.OnConnect(e.connack)
			}
		case e.isDown:
			c.log.Info("disconnected", "error", e.down)
			if c.opts.OnDisconnect != nil {
				c.opts.OnDisconnect(e.down)
			}
		case e.auth:
			c.answer(ctx, e.challenge)
		}
	}
}

// answer lets the application answer a challenge of the enhanced authentication.
func (c *Client) answer(ctx context.Context, challenge []byte) {
	data, err := c.opts.Auth(ctx, challenge)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		err = c.m.Authenticate(time.Now(), &mqtt.Auth{ReasonCode: mqtt.ContinueAuthentication, AuthenticationData: data})
		if errors.Is(err, core.ErrNotConnected) { // the challenger has gone
			return
		}
	}
	if err != nil && c.link != nil { // [MQTT5 4.12.1-2]
		c.link.downErr = fmt.Errorf("answering the server's challenge: %w", err)
		_ = c.m.Disconnect(time.Now(), &mqtt.Disconnect{ReasonCode: mqtt.UnspecifiedError})
	}
	c.carryOut()
}

// end settles everything that still waits: with why what ended the client, last the last thing that went wrong with a connection.
func (c *Client) end(why, last error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.closing = why, true
	if errors.Is(why, ErrClosed) {
		select {
		case <-c.up:
		default: // Dial gave up: what it saw last is of interest
			c.err = last
		}
	} else {
		why = fmt.Errorf("client ended: %w", why)
	}
	for token, o := range c.ops {
		delete(c.ops, token)
		o.settleOnce(why)
	}
	c.endSubscriptions(why)
	c.dismissLine(why)
	c.tellChange()
}
