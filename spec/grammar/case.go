package grammar

import (
	"bytes"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// Stage is the moment at which a case is sent.
type Stage byte

// The stages. At the last four an exchange has come to where the client sends that packet.
const (
	Opening       Stage = iota // instead of CONNECT
	Connected                  // behind an accepted CONNECT
	AwaitsPuback               // the server has sent a QoS 1 PUBLISH
	AwaitsPubrec               // the server has sent a QoS 2 PUBLISH
	AwaitsPubrel               // the server has sent PUBREC
	AwaitsPubcomp              // the server has sent PUBREL
)

// Outcome is what a server may do about a case.
type Outcome byte

// The outcomes.
const (
	// Refused: it closes the Network Connection, in 5.0 best after one of the Codes.
	Refused Outcome = iota
	// Open: the standard names no reaction. Closing, ignoring and answering are all fine, but it is one of them.
	Open
	// Answered: the packet is right, and Answer comes, with its Packet Identifier where it has one.
	Answered
	// Taken: the packet is right and asks for no answer: the connection stays open.
	Taken
	// NotGranted: SUBACK refuses the filter, or the connection is closed.
	NotGranted
)

// Case is one packet.
type Case struct {
	// Name says which packet is wrong and how, or what is special about a right one.
	Name string
	// Stage is when to send it.
	Stage Stage
	// Bytes lays it out. id is the Packet Identifier of the exchange of the stage; other stages do not need it.
	Bytes func(id uint16) []byte
	// Like lays out the well-formed packet it was made from; nil for none.
	Like func(id uint16) []byte
	// Outcome is what may come of it, Codes the fitting Reason Codes of a refusal, best first, Answer and ID the answer.
	Outcome Outcome
	Codes   []byte
	Answer  octets.Type
	ID      uint16
	// MayBeTooLarge: the packet is right, but a server may have a limit below it of which it has not told.
	MayBeTooLarge bool
	// About are the statements.
	About []statement.ID
}

// Site is what the packets of a run depend on.
type Site struct {
	// Version is that of the packets.
	Version octets.Version
	// ClientID returns a new Client Identifier, Topic a Topic Name below a level of the run's own.
	ClientID func() string
	Topic    func(string) string
	// UserName and Password are those the server asks for; nil for none.
	UserName, Password *string
	// MaximumQoS, MaximumPacketSize (0: none) and TopicAliasMaximum are the limits of the server. Right packets keep to them.
	MaximumQoS        byte
	MaximumPacketSize int
	TopicAliasMaximum uint16
	// Wildcards, Shared and SubscriptionIDs say what the server offers.
	Wildcards, Shared, SubscriptionIDs bool
}

func (s *Site) v5() bool { return s.Version == octets.V5 }

// ids picks the statements of the site's version.
func (s *Site) ids(v311, v5 []statement.ID) []statement.ID {
	if s.v5() {
		return v5
	}
	return v311
}

// Rule is a rule of the packet format with the cases that try it.
type Rule struct {
	// Name is that of its check, Title what a conforming server does.
	Name, Title string
	// Covers are the statements of all its cases.
	Covers []statement.ID
	// Lenient is set where the standard forbids the packets and names no reaction of the receiver.
	Lenient bool
	// Cases makes the cases. They are the same for the same site.
	Cases func(s *Site) []Case
}

// Rules returns all rules, in the order in which a packet is read.
func Rules() []Rule {
	return []Rule{
		fixedHeaderFlags, publishFlags, packetTypes, remainingLength, truncated, trailing,
		connectFlags, protocolVersions, packetIdentifierZero,
		illFormedText, nullInText, unusualText,
		unknownProperty, foreignProperty, repeatedProperty, propertyValue, propertyLength, cutProperty,
		subscriptionOptions, invalidNames, invalidFilters, reasonCodes, wrongReasonCodes, strayAcknowledgements,
		boundaries, boundaryProperties,
	}
}

// Differs returns the first byte in which the packet of a case differs from the well-formed one, and the field that this byte is in there. A
// Remaining Length that only follows from another difference does not count. ok is false where there is nothing to compare.
func (c *Case) Differs(v octets.Version, id uint16) (offset int, field string, ok bool) {
	if c.Like == nil {
		return 0, "", false
	}
	got, like := c.Bytes(id), c.Like(id)
	switch {
	case bytes.Equal(got, like):
		return 0, "", false
	case got[0] != like[0]:
		return 0, "Fixed Header", true
	}
	body, likeBody := bodyAt(got), bodyAt(like)
	n := 0
	for body+n < len(got) && likeBody+n < len(like) && got[body+n] == like[likeBody+n] {
		n++
	}
	if body+n == len(got) && likeBody+n == len(like) {
		return 1, "Remaining Length", true
	}
	field = "behind the last field"
	if r, _ := octets.Decode(like, v); r != nil {
		for _, f := range r.Fields {
			if f.Offset <= likeBody+n && likeBody+n < f.Offset+f.Len {
				field = f.Name
			}
		}
	}
	return body + n, field, true
}

// bodyAt is where the body of a packet begins: behind a Remaining Length of at most four bytes.
func bodyAt(b []byte) int {
	at := 1
	for at < min(5, len(b)-1) && b[at] >= 0x80 {
		at++
	}
	return min(at+1, len(b))
}
