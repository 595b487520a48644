package topics

import (
	"context"
	"fmt"
	"strings"

	"github.com/onsi/gomega"

	"mqttlab/spec/conformance"
	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
	"mqttlab/spec/target"
)

// told are messages in words, for failures.
func told(messages []*octets.Received) []string {
	words := make([]string, len(messages))
	for i, m := range messages {
		words[i] = m.String()
	}
	return words
}

// row says which of the names match a filter and which do not.
type row struct {
	filter         string
	matches, other []string
}

// wantMatches subscribes a client to each filter and publishes to all names.
func wantMatches(t *conformance.T, rows ...row) {
	publisher := t.Connect()
	for i, r := range rows {
		p := t.Connect()
		p.Subscribe(octets.Subscription{Filter: t.Topic(fmt.Sprint(i, r.filter))})
		sentinel := t.Topic(fmt.Sprint("end", i)) // in plain letters: some targets refuse others
		p.Subscribe(octets.Subscription{Filter: sentinel})
		for _, name := range append(append([]string(nil), r.other...), r.matches...) {
			publisher.Publish(octets.Publish{Topic: t.Topic(fmt.Sprint(i, name)), Payload: name})
		}
		publisher.Publish(octets.Publish{Topic: sentinel, Payload: "end"})
		var got []string
		m := p.Want(octets.PUBLISH, "the messages that match arrive")
		for ; m.Payload != "end"; m = p.Want(octets.PUBLISH, "the messages that match arrive") {
			got = append(got, m.Payload)
		}
		for _, late := range p.Barrier("the connection stays open") { // order holds per topic only
			got = append(got, late.Payload)
		}
		t.Expect(got).To(gomega.ConsistOf(r.matches), "names that match the filter %q (below the topic of this check)", r.filter)
	}
}

var _ = conformance.Register(conformance.Check{
	Name:   "Hash",
	Title:  "lets # match the level above it and any number below",
	Covers: statement.X5("4.7.1-1"),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		wantMatches(t,
			row{"/a/#", []string{"/a", "/a/", "/a/b", "/a/b/c", "/a//", "/a/b/c/d/e/f/g"}, []string{"/b", "/", "/ab", "/A/b", "/aa/b"}},
			row{"/#", []string{"", "/", "/a", "/a/b", "//"}, []string{" a"}},
			row{"/+/#", []string{"/", "/a", "/a/b", "//", "//x"}, []string{""}},
		)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Plus",
	Title:  "lets + match one level, which may be empty",
	Covers: statement.X5("4.7.1-2"),
	Needs:  []target.Feature{target.Wildcard},
	Run: func(_ context.Context, t *conformance.T) {
		wantMatches(t,
			row{"/a/+", []string{"/a/b", "/a/", "/a/x"}, []string{"/a", "/a/b/c", "/a//", "/b/b", "/a/b/"}},
			row{"/+/+", []string{"/a/b", "//x", "//", "/a/"}, []string{"/a", "/", "/a/b/c"}},
			row{"/+/end", []string{"/a/end", "//end"}, []string{"/end", "/a/b/end", "/a/ends"}},
			row{"/+", []string{"/a", "/"}, []string{"", "/a/b", "//"}},
		)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "EmptyLevels",
	Title:  "keeps leading, trailing and doubled / apart as levels that are empty",
	Covers: statement.IDs(statement.X5("4.7.1-3"), statement.V311("4.7.3-4"), statement.V5("4.7.3-4")),
	Run: func(_ context.Context, t *conformance.T) {
		names := []string{"/a", "//a", "/a/", "/a//b", "/a/b", "/", "//", "/a/b/", "///"}
		for i, name := range names {
			rest := append(append([]string(nil), names[:i]...), names[i+1:]...)
			wantMatches(t, row{name, []string{name}, rest})
		}
		// Names that begin with /, or are nothing but that, are valid as well.
		p := t.Connect()
		lead := "/" + t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: lead}, octets.Subscription{Filter: "/"})
		p.Publish(octets.Publish{Topic: t.Topic("a"), Payload: "no"})
		p.Publish(octets.Publish{Topic: lead, Payload: "yes"})
		p.WantMessage(lead, "yes", "a name that begins with / is another one than without")
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "CaseAndSpaces",
	Title:  "tells capital letters from small ones, and takes spaces",
	Covers: statement.IDs(statement.X5("4.7.3-1"), statement.V311("4.7.3-4"), statement.V5("4.7.3-4")),
	Run: func(_ context.Context, t *conformance.T) {
		wantMatches(t,
			row{"/Name", []string{"/Name"}, []string{"/name", "/NAME", "/nAME"}},
			row{"/\u00c4", []string{"/\u00c4"}, []string{"/\u00e4"}},
			row{"/a b/c ", []string{"/a b/c "}, []string{"/ab/c", "/a b/c", "/a  b/c ", "/a b/ c"}},
			row{"/ ", []string{"/ "}, []string{"/", "/  "}},
		)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "NotNormalised",
	Title:  "compares names and filters as they are, without normalising characters",
	Covers: statement.IDs(statement.V311("4.7.3-4"), statement.V5("4.7.3-4")),
	Run: func(_ context.Context, t *conformance.T) {
		wantMatches(t,
			row{"/\u00e9", []string{"/\u00e9"}, []string{"/e\u0301", "/e"}},
			row{"/e\u0301", []string{"/e\u0301"}, []string{"/\u00e9"}},
			row{"/\ufb01", []string{"/\ufb01"}, []string{"/fi"}},
			row{"/\u212b", []string{"/\u212b"}, []string{"/\u00c5"}},
			row{"/a\u200bb", []string{"/a\u200bb"}, []string{"/ab"}},
			row{"/\U0001F600", []string{"/\U0001F600"}, []string{"/\U0001F601", "/\ufffd", "/?"}},
		)
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ByteOrderMark",
	Title:  "keeps EF BB BF in names and filters as the character that it is",
	Covers: statement.IDs(statement.V311("1.5.3-3"), statement.V5("1.5.4-3")),
	Run: func(_ context.Context, t *conformance.T) {
		p, publisher := t.Connect(), t.Connect()
		bare, marked := t.Topic("a"), "\ufeff"+t.Topic("a")
		p.Subscribe(octets.Subscription{Filter: marked})
		publisher.Publish(octets.Publish{Topic: bare, Payload: "bare"})
		publisher.Publish(octets.Publish{Topic: marked, Payload: "marked"})
		p.WantMessage(marked, "marked", "the filter matches the name with U+FEFF only, and that arrives as it is")
		wantMatches(t, row{"/a\ufeff/b", []string{"/a\ufeff/b"}, []string{"/a/b"}})
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "ControlCharacters",
	Title:  "passes control characters and non-characters in names on unchanged, or closes",
	Covers: statement.X5("1.5.4-1"),
	Run: func(_ context.Context, t *conformance.T) {
		for _, char := range []string{"\x01", "\x1f", "\x7f", "\u0080", "\u009f", "\ufdd0", "\ufffe", "\uffff", "\U0010ffff"} {
			p, topic := t.Connect(), t.Topic("a"+char+"b")
			p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: topic}}}, octets.Publish{Topic: topic, Payload: "x"})
			t.OneOf(p, "the name arrives as it is, or is treated as malformed",
				conformance.Where("PUBLISH with the name unchanged", true, func(r conformance.Reaction) bool {
					for _, m := range r.Packets {
						if m.Type == octets.PUBLISH && m.Topic == topic {
							return true
						}
					}
					return false
				}),
				conformance.Closed().Info("closes on control characters or non-characters in a name"),
				conformance.Where("SUBACK that refuses", true, func(r conformance.Reaction) bool { return suback(r) >= 0x80 && suback(r) != 0xFF }).
					Info("refuses control characters or non-characters in a filter"))
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "Dollar",
	Title:  "lets no filter that begins with a wildcard match a name that begins with $",
	Covers: statement.IDs(statement.V311("4.7.2-1"), statement.V5("4.7.2-1")),
	Needs:  []target.Feature{target.Wildcard},
	// it hears what all clients say
	Exclusive: true,
	Run: func(_ context.Context, t *conformance.T) {
		p, wild, publisher := t.Connect(), t.Connect(), t.Connect()
		rest := t.Topic("x")
		own := "$" + rest
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: own}, {Filter: "$SYS/#"}}})
		p.Want(octets.SUBACK, "SUBSCRIBE is answered")
		_, below, _ := strings.Cut(rest, "/")
		wild.Subscribe(octets.Subscription{Filter: "#"}, octets.Subscription{Filter: "+/#"}, octets.Subscription{Filter: "+/" + below})
		for qos := range min(1, t.Limits().MaximumQoS) + 1 {
			// A server may close on these; the names of its own remain then.
			via := t.Connect()
			via.Send(octets.Publish{Topic: own, Payload: "x", QoS: qos, ID: 1, Retain: false})
			via.Reaction(nil)
		}
		publisher.Publish(octets.Publish{Topic: rest, Payload: "end"})
		for m := wild.Want(octets.PUBLISH, "wildcards match other names"); m.Topic != rest; m = wild.Want(octets.PUBLISH, "wildcards match other names") {
			t.Expect(m.Topic).NotTo(gomega.HavePrefix("$"), "name of a message for filters that begin with a wildcard")
		}
		if len(p.Messages(1, "the connection stays open")) == 0 {
			t.Info("shows clients no topic that begins with $, so that none can match")
		}
	},
})

var _ = conformance.Register(conformance.Check{
	Name:   "DollarExchange",
	Title:  "keeps clients from exchanging messages on topics that begin with $",
	Covers: statement.X5("4.7.2-1"),
	Run: func(_ context.Context, t *conformance.T) {
		p, topic := t.Connect(), "$"+t.Topic("x")
		p.Send(octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: topic}}})
		p.Want(octets.SUBACK, "SUBSCRIBE is answered")
		via := t.Connect()
		via.Send(octets.Publish{Topic: topic, Payload: "x", QoS: min(1, t.Limits().MaximumQoS), ID: 1})
		via.Reaction(nil)
		t.Expect(told(p.Messages(1, "the connection stays open"))).To(gomega.BeEmpty(), "messages on a topic that begins with $")
	},
})
