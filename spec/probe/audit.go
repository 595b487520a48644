package probe

import (
	"fmt"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// audit judges every packet of one connection by itself and by its place.
type audit struct {
	v       octets.Version
	connack bool
	refusal *octets.Received // DISCONNECT, or a CONNACK that refuses
}

// packet says what rule a packet from the target breaks, if any. Only the first breach
// is told: those after it often follow from it.
func (a *audit) packet(r *octets.Received) (Failure, bool) {
	place, ids := a.place(r)
	switch {
	case r.Type == octets.CONNACK:
		a.connack = true
		if r.Code != 0 {
			a.refusal = r
		}
	case r.Type == octets.DISCONNECT:
		a.refusal = r
	}
	if place != "" {
		return Failure{Why: place, Statements: ids, Acceptable: []string{"a packet the target may send here"}}, false
	}
	if len(r.Notes) == 0 {
		return Failure{}, true
	}
	n := r.Notes[0]
	return Failure{
		Why:        fmt.Sprintf("%s sent by the target: %s", r.Type, n.Rule),
		Statements: broken(a.v, r.Type, n),
		Acceptable: []string{fmt.Sprintf("a well-formed %s (at fault: %s, byte %d)", r.Type, n.Text, n.Offset)},
	}, false
}

// place judges order and direction.
func (a *audit) place(r *octets.Received) (string, []statement.ID) {
	v5 := a.v == octets.V5
	switch {
	case r.Type == octets.CONNECT, r.Type == octets.SUBSCRIBE, r.Type == octets.UNSUBSCRIBE, r.Type == octets.PINGREQ:
		return r.Type.String() + " is sent by clients only", only(v5, statement.X5("2.1.2-3"))
	case a.refusal != nil && a.refusal.Type == octets.DISCONNECT:
		return "nothing follows a DISCONNECT", statement.V5("3.14.4-1")
	case r.Type == octets.DISCONNECT && !v5:
		return "DISCONNECT is sent by clients only in MQTT 3.1.1", nil
	case r.Type == octets.DISCONNECT && (!a.connack || a.refusal != nil):
		return "DISCONNECT is sent after a CONNACK below 0x80 only", statement.V5("3.14.0-1")
	case r.Type == octets.CONNACK && a.connack:
		return "there is at most one CONNACK", only(v5, statement.V5("3.2.0-2"))
	case r.Type != octets.CONNACK && r.Type != octets.AUTH && !a.connack && r.Type != 0:
		if v5 {
			return "CONNACK comes before everything else", statement.V5("3.2.0-1")
		}
		return "CONNACK comes before everything else", statement.V311("3.2.0-1")
	}
	return "", nil
}

func only(v5 bool, ids []statement.ID) []statement.ID {
	if v5 {
		return ids
	}
	return nil
}

// rules maps what the reader noticed to the statements that say so.
var rules = map[octets.Rule]struct{ v311, v5 []statement.ID }{
	octets.ReservedType:     {nil, statement.X5("2.1.2-1")},
	octets.FixedFlags:       {statement.V311("2.2.2-1"), statement.V5("2.1.3-1")},
	octets.ShortestVarInt:   {nil, statement.V5("1.5.5-1")},
	octets.VarIntSize:       {nil, statement.X5("1.5.5-1")},
	octets.WellFormedUTF8:   {statement.V311("1.5.3-1"), statement.V5("1.5.4-1")},
	octets.NoNull:           {statement.V311("1.5.3-2"), statement.V5("1.5.4-2")},
	octets.PublishQoS:       {statement.V311("3.3.1-4"), statement.V5("3.3.1-4")},
	octets.NoDupAtQoS0:      {statement.V311("3.3.1-2"), statement.V5("3.3.1-2")},
	octets.NonZeroPacketID:  {statement.V311("2.3.1-1"), statement.V5("2.2.1-4")},
	octets.AckFlagsReserved: {nil, statement.V5("3.2.2-1")},
	octets.NoWildcards:      {statement.V311("3.3.2-2"), statement.V5("3.3.2-2")},
	octets.TopicNotEmpty:    {statement.V311("4.7.3-1"), statement.X5("3.3.2.1-1")},
	octets.KnownProperty:    {nil, statement.X5("2.2.2.2-1")},
}

// broken names the statements behind a note.
func broken(v octets.Version, in octets.Type, n octets.Note) []statement.ID {
	if v != octets.V5 {
		return rules[n.Rule].v311
	}
	switch n.Rule {
	case octets.PropertyAllowed:
		return statement.X5("T2.4-" + in.String())
	case octets.PropertyOnce:
		if in == octets.CONNACK {
			return statement.X5("3.2.2.3-1")
		}
		return nil
	case octets.PropertyValue:
		return propertyValue[n.Property]
	}
	return rules[n.Rule].v5
}

// propertyValue names the statement that limits the value of a property.
var propertyValue = map[octets.PropertyID][]statement.ID{
	octets.PayloadFormatIndicator:          statement.X5("3.3.2.3.2-1"),
	octets.SubscriptionIdentifier:          statement.X5("3.3.2.3.8-1"),
	octets.ReceiveMaximum:                  statement.X5("3.2.2.3.3-1"),
	octets.TopicAlias:                      statement.V5("3.3.2-8"),
	octets.MaximumQoS:                      statement.X5("3.2.2.3.4-1"),
	octets.RetainAvailable:                 statement.X5("3.2.2.3.5-1"),
	octets.MaximumPacketSize:               statement.X5("3.2.2.3.6-1"),
	octets.WildcardSubscriptionAvailable:   statement.X5("3.2.2.3.11-1"),
	octets.SubscriptionIdentifierAvailable: statement.X5("3.2.2.3.12-1"),
	octets.SharedSubscriptionAvailable:     statement.X5("3.2.2.3.13-1"),
}
