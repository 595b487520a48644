package selftest

import (
	"slices"
	"testing"

	"mqttlab/reference-broker/fault"
	"mqttlab/spec/checks"
	"mqttlab/spec/conformance"
)

// realBugs are conformance bugs that brokers had, from public issue threads: what went wrong, the check that finds it, and a fault that imitates it.
var realBugs = []struct {
	bug   string
	where string
	check string
	fault string
}{
	{"each repeat of a QoS 2 PUBLISH is delivered", "rmqtt #456, vernemq #944", "qos/QoS2Repeated", "qos2-repeats-delivered"},
	{"a QoS 2 PUBLISH with DUP whose first copy was lost is discarded", "emqx #18441", "qos/QoS2FirstCopyLost", "qos2-first-with-dup-lost"},
	{"PUBREL is not sent again on reconnect", "mosquitto #1454", "qos/PubrelResent", "resume-resends-no-pubrel"},
	{"what is sent again has DUP 0", "bifromq #281", "qos/PublishResent", "resume-without-dup"},
	{"a Share Name with wildcards is taken", "mosquitto #3319, vernemq #756", "shared/WrongName", "share-name-wildcard-accepted"},
	{"wrong header flags on SUBSCRIBE are taken", "wolfMQTT #486", "subscribe/WrongFlags", "subscribe-flags-accepted"},
	{"wrong header flags on UNSUBSCRIBE are taken", "wolfMQTT #492", "unsubscribe/WrongFlags", "unsubscribe-flags-accepted"},
	{"overlapping subscriptions deliver below the maximum QoS", "aedes #1090", "publish/OverlappingQoS", "overlap-lowest-qos"},
	{"Subscription Identifiers of other clients leak", "aedes #1074, mosquitto #3319", "properties/SubscriptionIdentifiersOfOthers", "subscription-identifier-of-others"},
	{"one copy for overlapping subscriptions with only the first identifier", "paho.mqtt.testing #56", "properties/OverlappingIdentifiers", "subscription-identifiers-lost"},
	{"subscribing again does not replace the Subscription Identifier", "mosquitto #1169", "subscribe/IdentifierReplaced", "subscription-identifier-not-replaced"},
	{"the Message Expiry Interval is not counted down", "hivemq-ce #616, #784, rmqtt #513", "properties/ExpiryCountedDown", "expiry-not-counted-down"},
	{"Retain Handling is ignored", "flashmq #119", "retain/Handling2", "retain-handling-ignored"},
	{"a resumed Session gets no retained messages", "rumqtt #1069", "retain/Handling1Resumed", "retain-handling-1-as-2"},
	{"Retain As Published is lost in the queue", "vernemq #2551", "retain/AsPublishedWhileAway", "retain-as-published-lost-in-queue"},
	{"the QoS of a retained message is not capped", "emqx #17781, wolfMQTT #520", "subscribe/RetainedQoS", "retained-qos-not-capped"},
	{"an empty retained message is not forwarded", "vernemq #156", "retain/RemovedByEmpty", "empty-retained-not-forwarded"},
	{"no will on take-over", "emqx #10551, mosquitto #3509, #1946", "will/TakeOver", "will-lost-on-take-over"},
	{"coming back within the Will Delay does not cancel the will", "mqtt-lib #154, nanomq #2412", "will/CancelledByReturn", "will-not-cancelled"},
	{"a will whose delay is longer than the Session is never sent", "mosquitto #1401, #3505", "will/SessionEndsFirst", "will-lost-with-session"},
	{"the Maximum Packet Size of the server is not enforced", "mosquitto #3515, mochi #120", "connack/MaximumPacketSizeExceeded", "own-maximum-packet-size-not-enforced"},
	{"CONNACK says a Receive Maximum that does not hold", "emqx #13399", "flow/ReceiveMaximumUsable", "server-receive-maximum-not-usable"},
	{"CONNACK says Maximum QoS 2", "flashmq #152, emqx #3304, gmqtt #108", "connack/LegalProperties", "connack-maximum-qos-2"},
	{"Will Retain is taken where retained messages are not available", "rmqtt #457", "connack/RetainUnavailable", "will-retain-unavailable-not-enforced"},
	{"a Reason String in spite of Request Problem Information 0", "mosquitto #3604, #3633", "connect/ProblemInformationUnwanted", "problem-information-unwanted"},
	{"a wrong answer to an unknown protocol level", "mosquitto #3696", "connect/ProtocolLevel", "protocol-level-unanswered"},
	{"an ill-formed Client Identifier is taken", "emqx #17159, mosquitto #693", "connect/ClientIDIllFormed", "client-id-ill-formed-accepted"},
	{"an ill-formed Topic Name is taken", "vernemq #2355, wolfMQTT #495", "packets/IllFormedText", "topic-not-utf8-accepted"},
	{"U+0000 in a Topic Name is taken", "mosquitto #732, wolfMQTT #535", "topics/NullInName", "name-null-accepted"},
	{"an empty Topic Name is taken", "rmqtt PR 481", "publish/EmptyTopicName", "topic-empty-accepted"},
	{"an empty Topic Filter is taken", "rmqtt PR 481", "subscribe/EmptyFilter", "subscribe-empty-filter-accepted"},
	{"+ matches several levels", "aedes #373, moquette #87", "topics/Plus", "plus-matches-many"},
	{"# misses the level above it", "paho.mqtt.rust #243", "topics/Hash", "hash-misses-parent"},
	{"a leading wildcard matches names with $", "nats-server #3924", "topics/Dollar", "dollar-matched"},
	{"retained messages are not sent for wildcards", "nats-server #4919, #4760", "retain/OnePerTopic", "retained-to-exact-filters-only"},
	{"QoS 2 is delivered as QoS 0", "nats-server PR 8414", "subscribe/DeliveryQoS", "qos2-delivered-as-qos0"},
	{"unacknowledged messages are not sent again on reconnect", "moquette PR 697", "session/PublishSentAgain", "nothing-resent-on-resume"},
	{"messages are sent again on a connection that stands", "moquette PR 697", "session/NotSentAgainMeanwhile", "resent-while-connected"},
	{"Session Present is always 1", "rabbitmq-mqtt #163", "session/Present", "session-present-always"},
	{"Session Present is never 1", "wolfMQTT #523, rocketmq-mqtt #281", "session/Present", "session-present-never"},
	{"a Session is kept beyond its expiry", "tbmq #372, mosquitto #1173, #2610", "session/ExpiryOver", "session-expiry-ignored"},
	{"a Session is dropped before its expiry", "mochi PR 216", "session/NeverExpires", "session-never-expiring-dropped"},
	{"DISCONNECT raises a Session Expiry Interval of 0", "fluxmq PR 625, MQTTnet PR 2264", "disconnect/ExpiryRaisedFromZero", "disconnect-raises-expiry"},
	{"a queue is delivered out of order", "vmq_server PR 28, mqtt-lib #151", "qos/OrderedQueue", "queue-newest-first"},
	{"no SUBACK", "vernemq #2453", "subscribe/Answered", "suback-withheld"},
	{"UNSUBACK 0x00 for a filter that did not exist", "seen in flashmq, nanomq, gmqtt", "unsubscribe/ReasonCodes", "unsuback-always-success"},
	{"the connection stays open after a Protocol Error", "emqx #3640", "malformed/ProtocolErrors", "errors-do-not-close"},
	{"Packet Identifier 0 is taken", "aedes PR 251", "publish/PacketIdentifierZero", "packet-id-zero-accepted"},
	{"Topic Aliases outlive their connection", "flashmq aa6d440, paho.mqtt.java #527", "alias/ForgottenOnReconnect", "alias-kept-over-reconnect"},
	{"a Topic Alias is sent that was never set", "flashmq d7e3ec8", "alias/FromTarget", "alias-never-set"},
	{"a failed re-authentication is not the end", "mosquitto #2339", "auth/ReauthenticationFails", "auth-failure-kept-open"},
	{"AUTH is not understood", "nanomq #2336", "auth/Exchange", "auth-code-wrong"},
	{"Will Delay Interval is ignored", "aedes #1098, flashmq #103", "will/Delay", "will-delay-ignored"},
	{"the server does not close after DISCONNECT", "seen in gmqtt", "disconnect/Closes", "disconnect-not-closed"},
	{"a second CONNECT is ignored", "seen in gmqtt", "connect/SecondConnect", "connect-second-ignored"},
	{"a message with an expiry is lost on a resumed Session", "rabbitmq-server #12705", "qos/SentDoesNotExpire", "sent-message-expires"},
	{"a PUBREC that comes again ends the connection", "vernemq #926", "qos/PubrecRepeated", "pubrel-withheld"},
	{"retained messages at QoS 0 are dropped", "mosquitto #2887, #3096", "retain/QoS0Stored", "retained-qos0-not-kept"},
}

// TestRealBugs wants, for each bug of a broker, the check that is to find it, and this very check to fail under the fault that imitates the bug.
func TestRealBugs(t *testing.T) {
	for _, bug := range realBugs {
		t.Run(bug.bug, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(checks.All(), func(c *conformance.Check) bool { return c.FullName() == bug.check })
			if i < 0 {
				t.Fatalf("%s: there is no check %s", bug.where, bug.check)
			}
			if !found(t, checks.All()[i], bug.fault) {
				t.Errorf("%s: %s does not fail under %s", bug.where, bug.check, bug.fault)
			}
		})
	}
}

// found says whether a check fails under a fault in any set-up.
func found(t *testing.T, c *conformance.Check, name string) bool {
	f, err := fault.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(setups, func(s setup) bool {
		if !s.selects(c) {
			return false
		}
		results := verify(t, s, f, conformance.Options{Checks: []*conformance.Check{c}})
		return slices.ContainsFunc(results, failing)
	})
}
