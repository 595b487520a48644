package target

import "slices"

// Feature is something a target may or may not offer, under the name that the tables
// of statements use in their column "needs".
type Feature string

// What a target may offer.
const (
	QoS1                Feature = "qos1"
	QoS2                Feature = "qos2"
	Retained            Feature = "retained"
	Wildcard            Feature = "wildcard"
	Shared              Feature = "shared"
	SubscriptionIDs     Feature = "subscription-ids"
	TopicAlias          Feature = "topic-alias" // the target accepts aliases: Topic Alias Maximum above 0
	EnhancedAuth        Feature = "enhanced-auth"
	WebSocket           Feature = "websocket"
	ZeroLengthClientID  Feature = "zero-length-clientid"
	ResponseInformation Feature = "response-information"
	Redirect            Feature = "redirect"
	Bridge              Feature = "bridge"
)

// What a target may refuse or limit, and say so.
const (
	MaximumQoSBelow2  Feature = "maximum-qos<2"
	RetainUnavailable Feature = "retain-unavailable"
	NoWildcard        Feature = "no-wildcard"
	NoShared          Feature = "no-shared"
	NoSubscriptionIDs Feature = "no-subscription-ids"
	ReceiveMaximum    Feature = "receive-maximum" // CONNACK has one
	MaxPacketSize     Feature = "max-packet-size" // CONNACK has one
	ServerKeepAlive   Feature = "server-keepalive"
)

// What somebody has to set up, and name in the target file.
const (
	Auth           Feature = "auth"
	ACL            Feature = "acl"
	ClientIDPolicy Feature = "clientid-policy"
	Restart        Feature = "restart"
)

// Features lists all features in the order of their declaration above.
func Features() []Feature {
	return slices.Clone(features)
}

var features = []Feature{
	QoS1, QoS2, Retained, Wildcard, Shared, SubscriptionIDs, TopicAlias, EnhancedAuth, WebSocket, ZeroLengthClientID,
	ResponseInformation, Redirect, Bridge, MaximumQoSBelow2, RetainUnavailable, NoWildcard, NoShared, NoSubscriptionIDs,
	ReceiveMaximum, MaxPacketSize, ServerKeepAlive, Auth, ACL, ClientIDPolicy, Restart,
}

// How a feature is known.
const (
	fromConnack = "CONNACK"
	fromProbe   = "probe"
	fromFile    = "target file"
)

// Found is what is known about a target for one version.
type Found struct {
	// How tells for each feature the target has how that is known: "CONNACK",
	// "probe", "target file"; Lacks the same for each it has not.
	How, Lacks map[Feature]string
	// Evidence is what each source says of a feature, whichever was believed.
	Evidence map[Feature]Evidence
	// Limits are what CONNACK announced, with the standard's defaults where it did not.
	Limits Limits
}

// Has says whether the target offers a feature.
func (f *Found) Has(feature Feature) bool { return f.How[feature] != "" }

// Missing returns the first feature needed that the target lacks, and how that is
// known.
func (f *Found) Missing(needs []Feature) (missing Feature, how string, ok bool) {
	for _, n := range needs {
		if !f.Has(n) {
			return n, f.Lacks[n], true
		}
	}
	return "", "", false
}

// Evidence is what is known of a feature, side by side: "yes", "no", or nothing where a source
// does not say.
type Evidence struct {
	// Declared is what the target file says, Announced what CONNACK says, and Observed what
	// came of trying.
	Declared, Announced, Observed string
}

// Contradiction says in words that the target does otherwise than it announces, "" if it does not.
func (e Evidence) Contradiction() string {
	switch {
	case e.Announced == "yes" && e.Observed == "no":
		return "announced, and refused when tried"
	case e.Announced == "no" && e.Observed == "yes":
		return "announced as not available, and accepted when tried"
	}
	return ""
}

// note keeps what a source says.
func (f *Found) note(feature Feature, has bool, how string) {
	word := "no"
	if has {
		word = "yes"
	}
	e := f.Evidence[feature]
	switch how {
	case fromConnack:
		e.Announced = word
	case fromProbe:
		e.Observed = word
	case fromFile:
		e.Declared = word
	}
	f.Evidence[feature] = e
}

func (f *Found) set(feature Feature, has bool, how string) {
	f.note(feature, has, how)
	if has {
		f.How[feature] = how
		delete(f.Lacks, feature)
		return
	}
	delete(f.How, feature)
	f.Lacks[feature] = how
}

// Limits are the numbers of a CONNACK.
type Limits struct {
	// MaximumQoS is the highest QoS for PUBLISH; found by probing before 5.0.
	MaximumQoS byte
	// ReceiveMaximum is the target's window for QoS 1 and 2; 65535 if not announced.
	ReceiveMaximum uint16
	// MaximumPacketSize is in bytes; 0 if there is no limit.
	MaximumPacketSize uint32
	// TopicAliasMaximum is the highest alias the target accepts.
	TopicAliasMaximum uint16
	// ServerKeepAlive is in seconds; 0 if not announced.
	ServerKeepAlive uint16
}
