package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// Filter is one Topic Filter with its options.
type Filter = mqtt.Subscription

// subs is what the client knows of its Subscriptions. Guarded by Client.mu.
type subs struct {
	list           []*Subscription
	lastID         uint32 // Subscription Identifier
	unclaimed      *Subscription
	resubscribe    bool     // a connection has just come up
	sessionPresent bool     // what its CONNACK said
	leftovers      []string // filters the Server may still have and nobody wants
	// unwantedReceipts are of messages that came for nobody. The machine can't be told while it hands out actions.
	unwantedReceipts []core.Receipt
}

// Subscribe subscribes to all filters, or to none if the Server refuses one, and returns when it has answered. It waits for a connection if there is
// none. The Subscription lasts until its Close or the client's: where the Server did not keep the Session, the client subscribes again.
//
// In 5.0 the Subscription gets a Subscription Identifier, so that overlapping Subscriptions of one client each get what is theirs. Elsewhere
// messages go to every Subscription whose filters match: if two overlap and the Server sends one copy for each, both get both.
func (c *Client) Subscribe(ctx context.Context, filters ...Filter) (*Subscription, error) {
	s := c.newSubscription(slices.Clone(filters))
	o := &op{sub: s, done: make(chan struct{})}
	s.op = o
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return nil, c.closedErr()
	}
	c.lastID++
	s.id = c.lastID
	c.list = append(c.list, s)
	var err error
	if c.m.State() == core.Connected {
		err = c.sendSubscribe(s)
		c.carryOut()
	}
	c.mu.Unlock()
	if err == nil {
		select {
		case <-o.done:
			err = o.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		c.withdraw(s)
		return nil, err
	}
	return s, nil
}

// sendSubscribe sends the SUBSCRIBE of s. c.mu is held.
func (c *Client) sendSubscribe(s *Subscription) error {
	p := &mqtt.Subscribe{Subscriptions: s.filters}
	if c.version == mqtt.V5 && !c.m.Limits().NoSubscriptionIdentifier {
		p.SubscriptionIdentifier = s.id
	}
	c.token++
	if err := c.m.Subscribe(time.Now(), c.token, p); err != nil {
		return err
	}
	s.sent = true
	c.ops[c.token] = s.op
	return nil
}

// subscribeAgain sends on a new connection what the Server does not know. c.mu is held.
func (c *Client) subscribeAgain() {
	for _, s := range slices.Clone(c.list) {
		if s.granted && c.sessionPresent {
			continue
		}
		if s.granted { // again, so there is nobody who waits
			s.op = &op{sub: s, done: make(chan struct{})}
		}
		if err := c.sendSubscribe(s); err != nil {
			c.refuse(s, s.op, err)
		}
	}
	if filters := c.unwanted(c.leftovers); c.sessionPresent && len(filters) > 0 {
		c.token++
		if err := c.m.Unsubscribe(time.Now(), c.token, &mqtt.Unsubscribe{TopicFilters: filters}); err != nil {
			c.log.Warn("server keeps subscriptions that nobody wants", "filters", filters, "error", err)
		}
	}
	c.leftovers = nil
}

// subscribed handles the answer to a SUBSCRIBE. c.mu is held.
func (c *Client) subscribed(o *op, a *core.Action) {
	s := o.sub
	if a.Err != nil { // the connection was lost: subscribeAgain sends it on the next
		return
	}
	codes := a.Packet.(*mqtt.Suback).ReasonCodes
	var errs []error
	for i, code := range codes {
		if code.Failed() {
			err := &RefusedError{Packet: mqtt.TypeSuback, Code: code, Reason: a.Packet.(*mqtt.Suback).ReasonString}
			errs = append(errs, fmt.Errorf("subscribing to %q: %w", s.filters[i].TopicFilter, err))
		}
	}
	if len(errs) > 0 {
		c.refuse(s, o, errors.Join(errs...))
		return
	}
	if s.granted {
		return
	}
	s.granted, s.codes = true, codes
	o.settle(mqtt.Success, codes, nil)
}

// refuse ends a Subscription that the Server does not grant: the caller of Subscribe gets the error, or the reader of one that was granted before.
// c.mu is held.
func (c *Client) refuse(s *Subscription, o *op, err error) {
	c.remove(s)
	if s.granted {
		s.end(err)
		return
	}
	o.settle(0, nil, err)
}

// withdraw takes back a SUBSCRIBE whose caller does not get a Subscription. What the Server granted of it must not stay.
func (c *Client) withdraw(s *Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(s)
	for token, o := range c.ops {
		if o == s.op {
			delete(c.ops, token)
		}
	}
	s.drop()
	if s.sent {
		_, _ = c.sendUnsubscribe(s)
	}
	c.carryOut()
}

// sendUnsubscribe sends UNSUBSCRIBE for the filters of s that no other Subscription has, or remembers them for the next connection. The op is
// nil if there is nothing to wait for. c.mu is held.
func (c *Client) sendUnsubscribe(s *Subscription) (*op, error) {
	var names []string
	for _, f := range s.filters {
		names = append(names, f.TopicFilter)
	}
	filters := c.unwanted(names)
	if len(filters) == 0 {
		return nil, nil
	}
	if c.m.State() != core.Connected {
		c.leftovers = append(c.leftovers, filters...)
		return nil, nil
	}
	c.token++
	if err := c.m.Unsubscribe(time.Now(), c.token, &mqtt.Unsubscribe{TopicFilters: filters}); err != nil {
		return nil, err
	}
	o := &op{done: make(chan struct{})}
	c.ops[c.token] = o
	return o, nil
}

// unwanted returns those of the filters that no Subscription has. c.mu is held.
func (c *Client) unwanted(filters []string) (unwanted []string) {
	for _, f := range filters {
		has := func(s *Subscription) bool {
			return slices.ContainsFunc(s.filters, func(g Filter) bool { return g.TopicFilter == f })
		}
		if !slices.ContainsFunc(c.list, has) {
			unwanted = append(unwanted, f)
		}
	}
	return unwanted
}

// remove takes s out of the list and reports whether it was in. c.mu is held.
func (c *Client) remove(s *Subscription) bool {
	i := slices.Index(c.list, s)
	if i < 0 {
		return false
	}
	c.list = slices.Delete(c.list, i, i+1)
	return true
}

// endSubscriptions ends all Subscriptions with the client. c.mu is held.
func (c *Client) endSubscriptions(why error) {
	for _, s := range c.list {
		if !s.granted {
			s.op.settleOnce(why)
		}
		s.end(why)
	}
	c.list = nil
	if c.unclaimed != nil {
		c.unclaimed.end(why)
	}
}

// dispatch queues an incoming message for the Subscriptions it belongs to. c.mu is held.
func (c *Client) dispatch(p *mqtt.Publish, receipt core.Receipt) {
	var to [4]*Subscription
	found := c.route(p, to[:0])
	if len(found) == 0 && c.unclaimed != nil {
		found = append(found, c.unclaimed)
	}
	if len(found) == 0 {
		c.log.Debug("message without a subscription", "topic", p.Topic)
		c.unwantedReceipts = append(c.unwantedReceipts, receipt)
		return
	}
	var d *delivery
	for i, s := range found {
		if i > 0 || receipt == 0 {
			s.push(received(new(Message), p, d))
			continue
		}
		first := &struct { // one allocation for both
			Message
			delivery
		}{delivery: delivery{c: c, receipt: receipt, left: len(found)}}
		d = &first.delivery
		s.push(received(&first.Message, p, d))
	}
}

// route appends the Subscriptions that p belongs to: those whose identifier it carries, or without identifiers those whose filters match. A
// filter has to match in either case, for a resumed Session may hold identifiers that an earlier program gave. c.mu is held.
func (c *Client) route(p *mqtt.Publish, to []*Subscription) []*Subscription {
	for _, s := range c.list {
		if slices.Contains(p.SubscriptionIdentifiers, s.id) && s.matches(p.Topic) {
			to = append(to, s)
		}
	}
	if len(to) > 0 {
		return to
	}
	for _, s := range c.list {
		if s.matches(p.Topic) {
			to = append(to, s)
		}
	}
	return to
}

func (s *Subscription) matches(name string) bool {
	for _, path := range s.paths {
		if topic.Match(path, name) {
			return true
		}
	}
	return false
}

// acknowledge tells the Server that all Subscriptions are done with a message.
func (c *Client) acknowledge(d *delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m.Ack(time.Now(), d.receipt, d.code)
	c.carryOut()
}
