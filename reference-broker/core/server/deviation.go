package server

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

// The deviations.
const (
	SessionPresentAlways              Deviation = iota // CONNACK says Session Present although there was none
	SessionPresentNever                                // CONNACK never says Session Present
	NoTakeOver                                         // a second connection of a client leaves the first one open
	CleanStartIgnored                                  // Clean Start finds the old Session
	SessionNotKept                                     // the Session ends with its connection
	SessionExpiryIgnored                               // a Session that is kept never ends
	DisconnectRaisesExpiry                             // DISCONNECT may raise the Session Expiry Interval from 0
	SubscriptionsLostOnResume                          // a Session is found, its Subscriptions are not
	QueueLostOnResume                                  // what was queued for a Session is dropped when it is resumed
	QueueNewestFirst                                   // the queue is sent in reverse order
	AssignedClientIDRepeated                           // the same Client Identifier is assigned to all
	NoKeepAliveClose                                   // a silent client stays connected
	ServerKeepAliveIgnored                             // Server Keep Alive is announced, the client's is used
	WillNotPublished                                   // no Will Message is published
	WillOnNormalDisconnect                             // the Will Message is published after DISCONNECT
	WillDelayIgnored                                   // the Will Message is published at once
	WillNotCancelled                                   // a Will Message that waits is published when its Session is resumed
	WillLostOnTakeOver                                 // no Will Message is published when another connection takes the Session
	WillLostWithSession                                // a Will Message that waits is dropped when its Session ends
	WillRetainIgnored                                  // the Will Message is never retained
	RetainedNotStored                                  // RETAIN stores and deletes nothing
	RetainedNotReplaced                                // the first retained message of a topic stays for ever
	RetainedSentWithoutFlag                            // retained messages come with RETAIN 0
	EmptyRetainedKept                                  // an empty retained message is stored
	RetainHandlingIgnored                              // each SUBSCRIBE brings the retained messages
	RetainedToShared                                   // Shared Subscriptions bring retained messages
	RetainAsPublishedIgnored                           // forwarded messages never have RETAIN
	RetainAlwaysForwarded                              // forwarded messages have the publisher's RETAIN
	QoS2Duplicated                                     // each repetition of a QoS 2 PUBLISH is delivered
	QoS2DupDiscarded                                   // a QoS 2 PUBLISH with DUP is taken for a repetition though it is the first
	NoResendOnResume                                   // nothing is sent again after a reconnect
	NoPubrelOnResume                                   // PUBREL is not sent again after a reconnect
	DupNotSetOnResend                                  // a PUBLISH sent again has DUP 0
	QoSNotDowngraded                                   // messages come at the QoS they were published with
	ReceiveMaximumIgnored                              // more messages than Receive Maximum are unacknowledged
	NoReceiveMaximumClose                              // a client may exceed the Server's Receive Maximum
	MaximumPacketSizeIgnored                           // packets larger than the client's Maximum Packet Size are sent
	AliasesNotReset                                    // the Topic Aliases of a client outlive its connection
	ExpiryNotCountedDown                               // messages are delivered with the Message Expiry Interval they came with
	ExpiredDelivered                                   // messages are delivered after their expiry
	NoLocalIgnored                                     // a client gets its own messages in spite of No Local
	SharedNoLocalAccepted                              // No Local is accepted on Shared Subscriptions
	SharedToAll                                        // all members of a Shared Subscription get each message
	SharedNotRedelivered                               // what a member that leaves has not acknowledged is lost
	SubscriptionIdentifiersDropped                     // messages come without Subscription Identifiers
	SubscriptionIdentifierNotReplaced                  // a repeated SUBSCRIBE leaves the old Subscription Identifier
	SubscriptionNotReplaced                            // a repeated SUBSCRIBE makes a second Subscription
	SubackShort                                        // SUBACK lacks the last Reason Code of several
	UnsubackAlwaysSuccess                              // UNSUBACK says 0x00 for a Subscription that did not exist
	UnsubscribeIgnored                                 // UNSUBSCRIBE is answered and removes nothing
	DollarMatchedByWildcard                            // filters that begin with a wildcard match topics that begin with $
	PlusMatchesMany                                    // + at the end of a filter matches as # does
	HashMissesParent                                   // a/# does not match a
	ReasonStringsUnasked                               // Reason Strings are sent although Request Problem Information is 0; needs ReasonStrings
	ResponseInformationUnasked                         // Response Information is sent to who did not ask; needs ResponseInformation
	OverlapLowestQoS                                   // a message that matches several Subscriptions comes at the lowest QoS among them
	OverlapFirstIdentifierOnly                         // several matching Subscriptions bring one copy with the identifier of one
	WillLostAtTakeOver                                 // a client that connects again loses the Will Message of its older connection
	SharedNameIgnored                                  // Shared Subscriptions to the same filter are one, whatever their Share Names
	RetainedQoSNotCapped                               // retained messages come at the QoS they were published with
	DisconnectExpiryIgnored                            // the Session Expiry Interval of DISCONNECT has no effect
	deviationCount
)
