package wire

import "mqttlab/reference-broker/mqtt"

// codes is a set of Reason Codes.
type codes [4]uint64

func (c *codes) has(r mqtt.ReasonCode) bool { return c[r>>6]&(1<<(r&63)) != 0 }

func codeSet(list ...mqtt.ReasonCode) (c codes) {
	for _, r := range list {
		c[r>>6] |= 1 << (r & 63)
	}
	return c
}

func both(c codes) [2]codes { return [2]codes{c, c} }

func (c codes) and(list ...mqtt.ReasonCode) codes {
	for i, w := range codeSet(list...) {
		c[i] |= w
	}
	return c
}

var (
	// [MQTT5 3.4.2-1] [MQTT5 3.5.2-1] 0x10 comes from a Server only.
	received = codeSet(mqtt.Success, mqtt.UnspecifiedError, mqtt.ImplementationSpecificError, mqtt.NotAuthorized, mqtt.TopicNameInvalid,
		mqtt.PacketIdentifierInUse, mqtt.QuotaExceeded, mqtt.PayloadFormatInvalid)
	// [MQTT5 3.6.2-1] [MQTT5 3.7.2-1]
	released = codeSet(mqtt.Success, mqtt.PacketIdentifierNotFound)
	// [MQTT5 3.14.2-1] the codes that both ends may use.
	disconnected = codeSet(mqtt.NormalDisconnection, mqtt.UnspecifiedError, mqtt.MalformedPacket, mqtt.ProtocolError,
		mqtt.ImplementationSpecificError, mqtt.TopicNameInvalid, mqtt.ReceiveMaximumExceeded, mqtt.TopicAliasInvalid, mqtt.PacketTooLarge,
		mqtt.MessageRateTooHigh, mqtt.QuotaExceeded, mqtt.AdministrativeAction, mqtt.PayloadFormatInvalid)
)

// reasons holds the Reason Codes that each Control Packet of 5.0 may carry, by type and by the [Side] that sends it.
var reasons = [16][2]codes{
	// [MQTT5 3.2.2-8]
	mqtt.TypeConnack: {FromServer: codeSet(mqtt.Success, mqtt.UnspecifiedError, mqtt.MalformedPacket, mqtt.ProtocolError,
		mqtt.ImplementationSpecificError, mqtt.UnsupportedProtocolVersion, mqtt.ClientIdentifierNotValid, mqtt.BadUserNameOrPassword,
		mqtt.NotAuthorized, mqtt.ServerUnavailable, mqtt.ServerBusy, mqtt.Banned, mqtt.BadAuthenticationMethod, mqtt.TopicNameInvalid,
		mqtt.PacketTooLarge, mqtt.QuotaExceeded, mqtt.PayloadFormatInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported, mqtt.UseAnotherServer,
		mqtt.ServerMoved, mqtt.ConnectionRateExceeded)},
	mqtt.TypePuback:  {FromClient: received, FromServer: received.and(mqtt.NoMatchingSubscribers)},
	mqtt.TypePubrec:  {FromClient: received, FromServer: received.and(mqtt.NoMatchingSubscribers)},
	mqtt.TypePubrel:  both(released),
	mqtt.TypePubcomp: both(released),
	// [MQTT5 3.9.3-2]
	mqtt.TypeSuback: {FromServer: codeSet(mqtt.GrantedQoS0, mqtt.GrantedQoS1, mqtt.GrantedQoS2, mqtt.UnspecifiedError,
		mqtt.ImplementationSpecificError, mqtt.NotAuthorized, mqtt.TopicFilterInvalid, mqtt.PacketIdentifierInUse, mqtt.QuotaExceeded,
		mqtt.SharedSubscriptionsNotSupported, mqtt.SubscriptionIdentifiersNotSupported, mqtt.WildcardSubscriptionsNotSupported)},
	// [MQTT5 3.11.3-2]
	mqtt.TypeUnsuback: {FromServer: codeSet(mqtt.Success, mqtt.NoSubscriptionExisted, mqtt.UnspecifiedError,
		mqtt.ImplementationSpecificError, mqtt.NotAuthorized, mqtt.TopicFilterInvalid, mqtt.PacketIdentifierInUse)},
	// [X5 3.14.2.1-3] [X5 T2.6-8C]
	mqtt.TypeDisconnect: {
		FromClient: disconnected.and(mqtt.DisconnectWithWill),
		FromServer: disconnected.and(mqtt.NotAuthorized, mqtt.ServerBusy, mqtt.ServerShuttingDown, mqtt.BadAuthenticationMethod,
			mqtt.KeepAliveTimeout, mqtt.SessionTakenOver, mqtt.TopicFilterInvalid, mqtt.RetainNotSupported, mqtt.QoSNotSupported,
			mqtt.UseAnotherServer, mqtt.ServerMoved, mqtt.SharedSubscriptionsNotSupported, mqtt.ConnectionRateExceeded,
			mqtt.MaximumConnectTime, mqtt.SubscriptionIdentifiersNotSupported, mqtt.WildcardSubscriptionsNotSupported),
	},
	// [MQTT5 3.15.2-1] [X5 3.15.2.1-1]
	mqtt.TypeAuth: {
		FromClient: codeSet(mqtt.ContinueAuthentication, mqtt.ReAuthenticate),
		FromServer: codeSet(mqtt.Success, mqtt.ContinueAuthentication),
	},
}
