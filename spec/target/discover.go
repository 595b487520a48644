package target

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// Discover finds out what the target offers in a version: from CONNACK, and by trying.
// What it leaves behind it removes. id makes its names unique. The round trip is
// measured on the way, and the complete timings are returned. The error of a target
// that cannot be reached is a [*ReachError]; that of one that does not speak the
// version a [*VersionError].
func Discover(ctx context.Context, t *Target, v octets.Version, id string) (*Found, probe.Timings, error) {
	timings := t.Timings.WithDefaults()
	d := &discovery{ctx: ctx, t: t, v: v, id: id, timings: timings, log: probe.NewTranscript()}
	connack, err := d.reach()
	if err != nil {
		return nil, timings, err
	}
	f := &Found{How: map[Feature]string{}, Lacks: map[Feature]string{}, Evidence: map[Feature]Evidence{}}
	d.announced(f, connack)
	d.try(f)
	d.configured(f)
	for _, feature := range features {
		if !f.Has(feature) && f.Lacks[feature] == "" {
			f.Lacks[feature] = "not announced"
		}
	}
	for _, feature := range t.Without {
		f.set(feature, false, fromFile)
	}
	custom := t.Timings
	custom.RTT = d.rtt
	return f, custom.WithDefaults(), ctx.Err()
}

// discovery is one run of Discover.
type discovery struct {
	ctx     context.Context
	t       *Target
	v       octets.Version
	id      string
	timings probe.Timings
	rtt     time.Duration
	log     *probe.Transcript
}

// failed carries a probe.Failure from a verb to attempt.
type failed struct{ probe.Failure }

// attempt runs a conversation on a fresh connection. It says whether all went as
// wanted.
func (d *discovery) attempt(name string, talk func(p *probe.Peer)) (err error) {
	conn, err := d.t.Open(d.ctx)
	if err != nil {
		return err
	}
	p := probe.New(conn, probe.Options{
		Name: name, Version: d.v, Timings: d.timings, Log: d.log,
		Fail: func(f probe.Failure) { panic(failed{f}) },
	})
	stop := context.AfterFunc(d.ctx, func() { conn.Close() })
	defer func() {
		stop()
		p.Close()
		if f, ok := recover().(failed); ok {
			err = fmt.Errorf("%s: %s", f.Why, f.Got)
		}
	}()
	talk(p)
	p.Disconnect()
	return nil
}

// reach gets one CONNECT accepted, or says why it cannot, and measures the round trip
// as the median of five.
func (d *discovery) reach() (*octets.Received, error) {
	var connack *octets.Received
	var refused probe.Event
	err := d.attempt("reach", func(p *probe.Peer) {
		c := d.t.Connect(d.id + "r")
		c.KeepAlive = 10 // without one, some targets announce that they want one
		p.Send(c)
		refused = p.Next(d.timings.Answer)
		if refused.Packet == nil || refused.Packet.Type != octets.CONNACK || refused.Packet.Code != 0 {
			panic(failed{probe.Failure{Why: "no accepting CONNACK", Got: refused.String()}})
		}
		trips := make([]time.Duration, 5)
		for i := range trips {
			start := time.Now()
			p.Barrier("PINGREQ is answered")
			trips[i] = time.Since(start)
		}
		slices.Sort(trips)
		d.rtt, connack = trips[len(trips)/2], refused.Packet
	})
	if connack != nil {
		return connack, nil
	}
	if d.ctx.Err() != nil {
		return nil, d.ctx.Err()
	}
	return nil, d.whyNot(err, refused)
}

// announced reads the CONNACK of 5.0.
func (d *discovery) announced(f *Found, c *octets.Received) {
	f.Limits = Limits{MaximumQoS: 2, ReceiveMaximum: 65535}
	if d.v != octets.V5 {
		return
	}
	const how = fromConnack
	n := func(id octets.PropertyID, absent uint32) uint32 { return c.Number(id, absent) }
	has := func(id octets.PropertyID) bool { _, ok := c.Prop(id); return ok }
	f.Limits.MaximumQoS = byte(n(octets.MaximumQoS, 2))
	f.Limits.ReceiveMaximum = uint16(n(octets.ReceiveMaximum, 65535))
	f.Limits.MaximumPacketSize = n(octets.MaximumPacketSize, 0)
	f.Limits.TopicAliasMaximum = uint16(n(octets.TopicAliasMaximum, 0))
	f.Limits.ServerKeepAlive = uint16(n(octets.ServerKeepAlive, 0))
	f.set(QoS1, f.Limits.MaximumQoS >= 1, how)
	f.set(QoS2, f.Limits.MaximumQoS >= 2, how)
	f.set(MaximumQoSBelow2, f.Limits.MaximumQoS < 2, how)
	f.set(TopicAlias, f.Limits.TopicAliasMaximum > 0, how)
	f.set(ReceiveMaximum, has(octets.ReceiveMaximum), how)
	f.set(MaxPacketSize, has(octets.MaximumPacketSize), how)
	f.set(ServerKeepAlive, has(octets.ServerKeepAlive), how)
	for _, a := range []struct {
		id      octets.PropertyID
		yes, no Feature
	}{
		{octets.RetainAvailable, Retained, RetainUnavailable},
		{octets.WildcardSubscriptionAvailable, Wildcard, NoWildcard},
		{octets.SharedSubscriptionAvailable, Shared, NoShared},
		{octets.SubscriptionIdentifierAvailable, SubscriptionIDs, NoSubscriptionIDs},
	} {
		available := n(a.id, 1) == 1
		f.set(a.yes, available, how)
		f.set(a.no, !available, how)
	}
}

// configured are the features that somebody set up.
func (d *discovery) configured(f *Found) {
	const how = fromFile
	s := d.t.Settings
	f.set(Auth, s.UserName != nil, how)
	f.set(ACL, s.ForbiddenTopic != "", how)
	f.set(ClientIDPolicy, s.RefusedClientID != "", how)
	f.set(Restart, d.t.Restart != nil, how)
	f.set(WebSocket, d.t.Socket != nil, how)
	for _, never := range []Feature{Redirect, Bridge} {
		f.Lacks[never] = "cannot be found out by a client"
	}
}
