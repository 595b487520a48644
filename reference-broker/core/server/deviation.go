package server

import (
	"fmt"
	"strings"
)

// Deviation is a rule that the Server can be told to break, so that a test that can't see it broken is found out. Only faults that need the
// machine's state are here; what can be seen in the bytes alone is broken on the wire.
type Deviation uint8

// Deviations is a set of [Deviation] values. The zero value is a Server that conforms.
type Deviations uint64

// Has reports whether x is in the set.
func (d Deviations) Has(x Deviation) bool { return d>>x&1 != 0 }

// With returns the set with x in it.
func (d Deviations) With(x ...Deviation) Deviations {
	for _, x := range x {
		d |= 1 << x
	}
	return d
}

// The deviations; see Describe for what each does and which statements it breaks.
const (
	SessionPresentAlways Deviation = iota
	SessionPresentNever
	NoTakeOver
	CleanStartIgnored
	SessionNotKept
	SessionExpiryIgnored
	DisconnectRaisesExpiry
	SubscriptionsLostOnResume
	QueueLostOnResume
	QueueNewestFirst
	AssignedClientIDRepeated
	NoKeepAliveClose
	ServerKeepAliveIgnored
	WillNotPublished
	WillOnNormalDisconnect
	WillDelayIgnored
	WillNotCancelled
	WillLostOnTakeOver
	WillLostWithSession
	WillRetainIgnored
	RetainedNotStored
	RetainedNotReplaced
	RetainedSentWithoutFlag
	EmptyRetainedKept
	RetainHandlingIgnored
	RetainedToShared
	RetainAsPublishedIgnored
	RetainAlwaysForwarded
	QoS2Duplicated
	QoS2DupDiscarded
	NoResendOnResume
	NoPubrelOnResume
	DupNotSetOnResend
	QoSNotDowngraded
	ReceiveMaximumIgnored
	NoReceiveMaximumClose
	MaximumPacketSizeIgnored
	AliasesNotReset
	ExpiryNotCountedDown
	ExpiredDelivered
	NoLocalIgnored
	SharedNoLocalAccepted
	SharedToAll
	SharedNotRedelivered
	SubscriptionIdentifiersDropped
	SubscriptionIdentifierNotReplaced
	SubscriptionNotReplaced
	SubackShort
	UnsubackAlwaysSuccess
	UnsubscribeIgnored
	DollarMatchedByWildcard
	PlusMatchesMany
	HashMissesParent
	ReasonStringsUnasked
	ResponseInformationUnasked
	OverlapLowestQoS
	OverlapFirstIdentifierOnly
	WillLostAtTakeOver
	SharedNameIgnored
	RetainedQoSNotCapped
	DisconnectExpiryIgnored
	deviationCount
)

// Description tells people and tests what a [Deviation] is.
type Description struct {
	Name       string   // for configuration files
	Does       string   // what goes wrong
	Statements []string // what it breaks, such as "MQTT5 3.1.2-22"
}

// Describe returns the description of x. It panics for values that are no Deviation.
func (x Deviation) Describe() Description { return descriptions[x] }

// String returns the name.
func (x Deviation) String() string {
	if x < deviationCount {
		return descriptions[x].Name
	}
	return fmt.Sprintf("deviation %d", uint8(x))
}

// AllDeviations returns each Deviation there is, in order.
func AllDeviations() []Deviation {
	all := make([]Deviation, deviationCount)
	for i := range all {
		all[i] = Deviation(i)
	}
	return all
}

// ParseDeviation returns the Deviation of a name.
func ParseDeviation(name string) (Deviation, error) {
	for i := range descriptions {
		if descriptions[i].Name == name {
			return Deviation(i), nil
		}
	}
	names := make([]string, deviationCount)
	for i := range names {
		names[i] = descriptions[i].Name
	}
	return 0, fmt.Errorf("no deviation is called %q; there are %s", name, strings.Join(names, ", "))
}
