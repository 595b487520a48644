package shared

import (
	"context"
	"slices"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// wantRefused wants SUBSCRIBE to these filters refused, in SUBACK or by a close.
func wantRefused(t *conformance.T, why string, filters ...string) {
	for _, f := range filters {
		p := t.Connect()
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: f}}})
		t.OneOf(p, why+": "+f,
			conformance.Where("SUBACK that refuses", true, func(r conformance.Reaction) bool {
				return slices.ContainsFunc(r.Packets, func(p *octets.Received) bool {
					return p.Type == octets.SUBACK && len(p.Codes) == 1 && p.Codes[0] >= 0x80
				})
			}),
			conformance.Closed())
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyName",
	Title:  "refuses a shared filter without a Share Name",
	Covers: statement.V5("4.8.2-1"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		wantRefused(t, "a Share Name has at least one character", "$share//"+t.Topic("a"), "$share//")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WrongName",
	Title:  "refuses a shared filter whose Share Name has a wildcard, or is not followed by a filter",
	Covers: statement.V5("4.8.2-2"),
	Needs:  append([]target.Feature{target.Wildcard}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		name := t.ClientID()
		wantRefused(t, "a Share Name has no wildcard and is followed by / and a filter",
			"$share/a+b/"+t.Topic("a"), "$share/a#/"+t.Topic("a"), "$share/+/"+t.Topic("a"), "$share/#/"+t.Topic("a"),
			"$share/"+name, "$share/"+name+"/")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "WrongPath",
	Title:  "refuses a shared filter that ends in an invalid filter",
	Covers: statement.V5("4.8.2-2", "4.7.1-1", "4.7.1-2"),
	Needs:  append([]target.Feature{target.Wildcard}, needs...),
	Run: func(_ context.Context, t *conformance.T) {
		wantRefused(t, "what follows the Share Name is a Topic Filter", filter(t, "", t.Topic("a#")), filter(t, "", t.Topic("a/#/b")), filter(t, "", t.Topic("a+")))
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NoLocal",
	Title:  "closes the Network Connection on No Local in a Shared Subscription",
	Covers: statement.V5("3.8.3-4"),
	Needs:  needs,
	Run: func(_ context.Context, t *conformance.T) {
		p := t.Connect()
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: filter(t, "", t.Topic("a")), NoLocal: true}}})
		t.WantClosed(p, "No Local on a Shared Subscription is a Protocol Error", 0x82)
	},
})
