package settings

import (
	"math"
	"slices"
	"time"

	"mqttlab/reference-broker/mqtt"
)

const (
	// longest bounds times of the program: more is a mistake in the unit.
	longest = 24 * time.Hour
	// auto is what access.anonymous is until somebody decides.
	auto = "auto"
)

// table returns all keys but listeners[...].*, in the order in which they are printed. Their values belong to s.
func (s *Settings) table() []setting {
	return slices.Concat(s.program(), s.access(), s.features(), s.choices(), s.limits())
}

func (s *Settings) program() []setting {
	return []setting{
		{"listeners", s.listenerURLs(), "addresses: mqtt, mqtts, ws, wss with host, port and, for the web, path; mqtt+unix:///path; in the file perhaps with certificates of their own"},
		{"http", text(&s.HTTP), "address of /metrics and /healthz, such as 127.0.0.1:9090; empty: none"},
		{"sys_interval", duration(&s.SysInterval, 0, longest), "time between two publications of $SYS/broker/...; 0s: none"},
		{"drain", duration(&s.Drain, 0, longest), "how long clients may take to go when the broker is stopped"},
		{"store.folder", s.file(&s.Store), "for what must outlive the process; empty: all is kept in memory"},
		{"store.minimum_free", size(&s.MinimumFree, "none", -1, 1<<40), "room on its disk below which the broker ends in order, before the disk is full"},
		{"log.level", choice(&s.LogLevel, levels(), levels()...), "debug, info, warn or error"},
		{"log.format", choice(&s.LogFormat, formats(), formats()...), "text or json"},
		{"tls.certificate", s.file(&s.TLS.Chain), "PEM file with the certificate chain of listeners that name none"},
		{"tls.key", s.file(&s.TLS.Key), "PEM file with its private key"},
		{"tls.client_ca", s.file(&s.TLS.ClientCA), "PEM file with authorities; clients need a certificate of theirs, whose Common Name is the user; empty: they need none"},
		{"tls.handshake_timeout", duration(&s.HandshakeTimeout, time.Millisecond, longest), "for TLS and WebSocket handshakes together"},
		{"tls.handshakes", whole(&s.Handshakes, 1, math.MaxInt32), "how many may be under way at each listener; one more ends the oldest"},
		{"websocket.origins", words(&s.Origins), `hosts whose web pages may connect, besides the broker's own; patterns such as "*.example.com"`},
	}
}

func levels() []string  { return []string{"debug", "info", "warn", "error"} }
func formats() []string { return []string{"text", "json"} }

func (s *Settings) access() []setting {
	c := &s.Broker.Server
	anonymous := []string{"true", "false", auto}
	return []setting{
		{"access.users", s.file(&s.Users), "password file, which mqttlab broker passwd edits; empty: there are no passwords"},
		{"access.rules", s.file(&s.Rules), "file of access rules; empty: who is let in may do everything"},
		{"access.anonymous", choice(&s.anonymousBy, anonymous, anonymous...), "whether clients may come in that name no user; auto: where no network can reach the broker and there is no password file"},
		{"access.failure_time", duration(&s.FailureTime, time.Millisecond, time.Minute), "how long a refusal takes at least"},
		{"access.hashing", whole(&s.Hashing, 0, 1024), "passwords hashed at once, 19 MiB each; 0: one per processor"},
		{"access.waiting", whole(&s.Waiting, 1, math.MaxInt32), "logins that may wait for that; more are told that the broker is busy (0x89)"},
		{"access.close_unauthorized", boolean(&c.CloseUnauthorized), "disconnect who publishes what the rules forbid, instead of answering 0x87"},
	}
}

func (s *Settings) features() []setting {
	c := &s.Broker.Server
	qos := mqtt.Some[mqtt.QoS]
	return []setting{
		{"features.maximum_qos", choice(&c.MaximumQoS, []string{"2", "1", "0"}, mqtt.Opt[mqtt.QoS]{}, qos(1), qos(0)), "announced to 5.0 clients; a Subscription above it is granted it"},
		{"features.retain", not(&c.NoRetain), "retained messages"},
		{"features.wildcard_subscriptions", not(&c.NoWildcardSubscriptions), "+ and # in Topic Filters"},
		{"features.shared_subscriptions", not(&c.NoSharedSubscriptions), "$share/NAME/FILTER"},
		{"features.subscription_identifiers", not(&c.NoSubscriptionIdentifiers), "Subscription Identifiers"},
		{"features.topic_aliases", whole(&c.TopicAliasMaximum, 0, math.MaxUint16), "Topic Aliases that one client may set, announced; 0: none"},
		{"features.outbound_topic_aliases", aliases(&c.MaximumOutboundAliases), "those used towards one client, if it allows them; 0: none, unlimited: as many as it allows"},
	}
}

// aliases is a limit that may be 0.
func aliases(dst *int) value {
	v := limit(dst)
	set := v.set
	v.set = func(s string) error {
		if s == "0" {
			*dst = 0
			return nil
		}
		return set(s)
	}
	return v
}

func (s *Settings) choices() []setting {
	c := &s.Broker.Server
	either := func(dst *bool, off, on string) value { return choice(dst, []string{off, on}, false, true) }
	return []setting{
		{"choices.overlapping_subscriptions", either(&c.SeparateCopies, "merged", "separate"), "merged: one copy with the highest QoS and all identifiers; separate: one for each"},
		{"choices.no_matching_subscribers", either(&c.HideNoSubscribers, "told", "hidden"), "told: a message that nobody receives is answered with 0x10; hidden: with 0x00"},
		{"choices.qos0_offline", either(&c.KeepQoS0Offline, "dropped", "queued"), "QoS 0 messages for clients that are away"},
		{"choices.dollar_topics", either(&c.DollarTopics, "refused", "allowed"), "publications of clients to topics that begin with $, $SYS too"},
		{"choices.shared_subscriptions_311", boolean(&c.Shared311), "Shared Subscriptions for 3.1 and 3.1.1 clients too"},
		{"choices.long_client_ids_31", boolean(&c.LongClientIDs31), "Client Identifiers over 23 bytes for 3.1 clients"},
		{"choices.empty_client_id", either(&c.RequireClientID, "assigned", "refused"), "what a client without Client Identifier gets: one, or 0x85"},
		{"choices.check_payload_format", boolean(&c.CheckPayloadFormat), "refuse payloads that are announced as UTF-8 and are not, with 0x99"},
		{"choices.reason_strings", boolean(&c.ReasonStrings), "explain failures to clients in a Reason String"},
		{"choices.response_information", text(&c.ResponseInformation), "prefix of Response Information, which the Client Identifier follows; empty: none is given"},
		{"choices.keep_alive", keepAlive(&c.ServerKeepAlive), "Keep Alive of 5.0 clients; client: what they ask for, 0s: off"},
		{"redirect.reference", text(&c.Redirect.Reference), "Server Reference that all clients are sent to, such as host:port; empty: none"},
		{"redirect.permanent", boolean(&c.Redirect.Permanent), "say 0x9D, Server moved, instead of 0x9C, Use another server"},
	}
}

func (s *Settings) limits() []setting {
	b, c := &s.Broker, &s.Broker.Server.Limits
	bytes := func(dst *int) value { return size(dst, unlimited, noLimit, noLimit-1) }
	socket := func(dst *int) value { return size(dst, "", 0, 1<<40) }
	return []setting{
		{"limits.maximum_connections", whole(&b.MaximumConnections, 1, math.MaxInt32), "more are closed as soon as they are accepted"},
		{"limits.connect_rate", limit(&s.ConnectRate), "connections per second from one source, an IPv4 address or IPv6 /64, not of this machine; more are closed as soon as they are accepted"},
		{"limits.connect_burst", whole(&s.ConnectBurst, 1, math.MaxInt32), "those that it may open at once before"},
		{"limits.connect_timeout", duration(&c.ConnectTimeout, time.Millisecond, longest), "from accepting a connection to an accepted CONNECT; then it is closed"},
		{"limits.maximum_packet_size", size(&c.MaximumPacketSize, unlimited, 0, mqttLargest), "announced to 5.0 clients; larger packets end the connection with 0x95"},
		{"limits.maximum_client_id", limit(&c.MaximumClientID), "bytes of a Client Identifier, at least 23; longer ones are refused with 0x85"},
		{"limits.maximum_sessions", limit(&c.MaximumSessions), "connected or not; a CONNECT that needs one more gets 0x97"},
		{"limits.maximum_session_expiry", seconds(&c.MaximumSessionExpiry, "never", mqtt.SessionNeverExpires), "cap of the Session Expiry Interval, for 3.1.1 Sessions too"},
		{"limits.receive_maximum", whole(&c.ReceiveMaximum, 1, math.MaxUint16), "QoS 2 messages of a client that wait for PUBREL, announced; one more gets 0x93"},
		{"limits.inflight", whole(&c.MaximumInflight, 1, math.MaxUint16), "unacknowledged messages to a client, besides its own Receive Maximum; more wait in the queue"},
		{"limits.queue_messages", limit(&c.QueueMessages), "messages that wait for a Session; the newest is dropped"},
		{"limits.queue_bytes", bytes(&c.QueueBytes), "their topics and payloads"},
		{"limits.total_queue_bytes", bytes(&c.TotalQueueBytes), "what waits for all Sessions together, 64 bytes more for each message"},
		{"limits.subscriptions", limit(&c.Subscriptions), "of a Session; one more gets 0x97"},
		{"limits.total_subscriptions", limit(&c.TotalSubscriptions), "of all Sessions together, likewise"},
		{"limits.topic_levels", limit(&c.TopicLevels), "of names and filters; beyond they are refused with 0x90 and 0x8F"},
		{"limits.retained_messages", limit(&c.RetainedMessages), "a message for one more topic is refused with 0x97"},
		{"limits.retained_bytes", bytes(&c.RetainedBytes), "their topics and payloads, likewise"},
		{"limits.held_packets", limit(&c.HeldPackets), "packets held while a CONNECT is being decided on; one more gets 0x97"},
		{"limits.held_bytes", bytes(&c.HeldBytes), "their topics and payloads, likewise"},
		{"limits.slow_bytes", socket(&b.SlowLimit), "bytes that wait for a slow client before its QoS 0 messages are dropped and its packets not read"},
		{"limits.outgoing_bytes", socket(&b.OutgoingLimit), "bytes that wait for a slow client before its connection is closed"},
		{"limits.linger", duration(&b.Linger, time.Millisecond, longest), "how long a connection that is being closed may take to read what was sent before"},
	}
}

// mqttLargest is the size of the largest packet that MQTT can express: five bytes of header and 268,435,455 behind them.
const mqttLargest = 5 + 268_435_455
