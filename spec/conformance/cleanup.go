package conformance

import (
	"context"
	"maps"
	"slices"
	"strings"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// traces are what a check may have left on the target.
type traces struct {
	sessions map[string]bool // Client Identifiers
	retained map[string]bool // Topic Names
}

// sent looks at a packet on its way out.
func (tr *traces) sent(r *octets.Received) {
	switch r.Type {
	case octets.CONNECT:
		if !r.Clean || r.Number(octets.SessionExpiryInterval, 0) > 0 {
			add(&tr.sessions, r.ClientID)
		}
		if r.Retain {
			add(&tr.retained, r.Topic)
		}
	case octets.PUBLISH:
		if r.Retain && r.Payload != "" && !strings.ContainsAny(r.Topic, "+#\x00") {
			add(&tr.retained, r.Topic)
		}
	}
}

func add(set *map[string]bool, name string) {
	if name == "" {
		return
	}
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[name] = true
}

// cleanUp removes the sessions and retained messages of a check. It works with fresh
// connections, as a check may have left its own in any state; what cannot be removed
// stays, as the names are unique to the run.
func (t *T) cleanUp(ctx context.Context) {
	for _, id := range slices.Sorted(maps.Keys(t.traces.sessions)) {
		converse(ctx, t, func(p *probe.Peer) {
			c := t.target.Connect(id)
			p.Connect(c)
		})
	}
	if len(t.traces.retained) == 0 {
		return
	}
	converse(ctx, t, func(p *probe.Peer) {
		p.Connect(t.target.Connect("mqttlab" + t.id + "z"))
		for _, topic := range slices.Sorted(maps.Keys(t.traces.retained)) {
			p.Send(octets.Publish{Topic: topic, Retain: true})
		}
		p.Barrier("PINGREQ is answered")
	})
}

// converse talks on a connection of its own, outside the check and its transcript. It
// says whether all went as wanted.
func converse(ctx context.Context, t *T, talk func(*probe.Peer)) bool {
	conn, err := t.target.Open(ctx)
	if err != nil {
		return false
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	type giveUp struct{}
	p := probe.New(conn, probe.Options{
		Name: "housekeeping", Version: t.version, Timings: t.timings, Log: probe.NewTranscript(),
		Fail: func(probe.Failure) { panic(giveUp{}) },
	})
	defer p.Close()
	ok := true
	func() {
		defer func() {
			if r := recover(); r != nil {
				if _, expected := r.(giveUp); !expected {
					panic(r)
				}
				ok = false
			}
		}()
		talk(p)
		p.Disconnect()
	}()
	return ok
}

// alive says whether the target accepts a fresh client.
func (t *T) alive(ctx context.Context) bool {
	return converse(ctx, t, func(p *probe.Peer) { p.Connect(t.target.Connect("mqttlab" + t.id + "y")) })
}
