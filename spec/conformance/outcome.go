package conformance

import (
	"fmt"
	"slices"
	"strings"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// Reaction is what a target did about the last thing sent.
type Reaction struct {
	// Packets came in this order, PINGRESP of our own question left out.
	Packets []*octets.Received
	// End is how the target ended the connection, nil while it stays open.
	End *probe.End
}

// Closed says whether the target ended the connection.
func (r Reaction) Closed() bool { return r.End != nil && r.End.ByTarget() }

// Refusal is the code of the DISCONNECT, or of the CONNACK that refused, before a
// close.
func (r Reaction) Refusal() (code byte, ok bool) {
	if !r.Closed() || r.End.Refusal == nil {
		return 0, false
	}
	return r.End.Refusal.Code, true
}

// String tells the reaction in words.
func (r Reaction) String() string {
	var parts []string
	for _, p := range r.Packets {
		if r.End == nil || p != r.End.Refusal {
			parts = append(parts, p.String())
		}
	}
	if r.End != nil {
		return strings.Join(append(parts, "connection "+r.End.String()), ", ")
	}
	return strings.Join(append(parts, "the connection stays open"), ", ")
}

// Outcome is one thing a target may do. Make one with the functions below and rank it
// with [Outcome.Nonstrict] or [Outcome.Info].
type Outcome struct {
	name    string
	verdict Verdict
	reason  string
	// early outcomes can hold before the target has closed or shown that it stays.
	early bool
	match func(Reaction) bool
}

// Nonstrict ranks an outcome as allowed, but not what the standard recommends.
func (o Outcome) Nonstrict(reason string) Outcome {
	o.verdict, o.reason = Nonstrict, reason
	return o
}

// Info ranks an outcome as the target's choice where the standard leaves one.
func (o Outcome) Info(reason string) Outcome {
	o.verdict, o.reason = Info, reason
	return o
}

// Closed is a close in whatever way, with or without a packet that says why.
func Closed() Outcome {
	return Outcome{name: "the connection is closed", match: Reaction.Closed}
}

// ClosedSilently is a close without DISCONNECT or refusing CONNACK.
func ClosedSilently() Outcome {
	return Outcome{name: "the connection is closed without a packet", match: func(r Reaction) bool {
		_, said := r.Refusal()
		return r.Closed() && !said
	}}
}

// ClosedWith is a close after a DISCONNECT, or a refusing CONNACK, with one of these
// codes; any code from 0x80 on if none is given.
func ClosedWith(codes ...byte) Outcome {
	return Outcome{
		name: "the connection is closed after " + codeList("DISCONNECT or CONNACK", codes),
		match: func(r Reaction) bool {
			code, ok := r.Refusal()
			return ok && (slices.Contains(codes, code) || len(codes) == 0 && code >= 0x80)
		},
	}
}

// Answered is a packet of a type; if codes are given, one whose Reason Code, or one of
// whose codes, is among them. Whether the connection stays open does not matter.
func Answered(t octets.Type, codes ...byte) Outcome {
	return Outcome{
		name: codeList(t.String(), codes), early: true,
		match: func(r Reaction) bool {
			return slices.ContainsFunc(r.Packets, func(p *octets.Received) bool {
				if p.Type != t {
					return false
				}
				in := func(c byte) bool { return slices.Contains(codes, c) }
				return len(codes) == 0 || slices.ContainsFunc(p.Codes, in) || len(p.Codes) == 0 && in(p.Code)
			})
		},
	}
}

// Ignored is no reaction at all: nothing is sent and the connection stays open.
func Ignored() Outcome {
	return Outcome{name: "nothing is sent and the connection stays open", match: func(r Reaction) bool {
		return r.End == nil && len(r.Packets) == 0
	}}
}

// StaysOpen is a connection that stays open, whatever is sent on it.
func StaysOpen() Outcome {
	return Outcome{name: "the connection stays open", match: func(r Reaction) bool { return r.End == nil }}
}

// Where is an outcome of the check's own. The name says what it is, as in "the message
// is delivered". early means that it can hold while the connection is open and more
// may come.
func Where(name string, early bool, match func(Reaction) bool) Outcome {
	return Outcome{name: name, early: early, match: match}
}

func codeList(name string, codes []byte) string {
	if len(codes) == 0 {
		return name
	}
	list := make([]string, len(codes))
	for i, c := range codes {
		list[i] = fmt.Sprintf("0x%02X", c)
	}
	return name + " " + strings.Join(list, " or ")
}
