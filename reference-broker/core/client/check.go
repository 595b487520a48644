package client

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"mqttlab/reference-broker/core/topic"
	"mqttlab/reference-broker/mqtt"
)

// CheckConnect returns all that is wrong with a CONNECT whatever the Server, so that an owner can refuse it before it opens a Network Connection.
func CheckConnect(c *mqtt.Connect) error {
	var errs []error
	bad := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, invalid(mqtt.ProtocolError, format, args...))
		}
	}
	v := c.Version
	bad(v != mqtt.V31 && v != mqtt.V311 && v != mqtt.V5, "version %d is none of 3 (3.1), 4 (3.1.1), 5 (5.0)", byte(v))
	// [MQTT311 3.1.2-22]
	bad(v != mqtt.V5 && c.Password.Set && !c.Username.Set, "MQTT %v allows no password without a user name", v)
	// [X5 3.1.2.11.10-1]
	bad(c.AuthenticationData != nil && !c.AuthenticationMethod.Set, "authentication data without an authentication method")
	bad(v != mqtt.V5 && c.AuthenticationMethod.Set, "MQTT %v has no enhanced authentication", v)
	// [MQTT5 3.1.3-4] [MQTT5 3.1.3-12] [MQTT311 3.1.3-4] [MQTT311 3.1.3-11]
	errs = append(errs, checkString("client identifier", c.ClientID), checkString("user name", c.Username.Value), checkUser(c.UserProperties))
	if w := c.Will; w != nil {
		// [MQTT5 3.1.2-12] [MQTT5 3.1.3-11] [MQTT5 4.7.0-1] [MQTT311 3.1.2-14] [MQTT311 3.1.3-10] [MQTT311 4.7.1-1]
		err := checkPublish(&mqtt.Publish{
			Topic: w.Topic, QoS: w.QoS, PayloadFormat: w.PayloadFormat, ContentType: w.ContentType, ResponseTopic: w.ResponseTopic,
			CorrelationData: w.CorrelationData, UserProperties: w.UserProperties,
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("will: %w", err))
		}
		bad(len(w.Payload) > mqtt.MaxStringLength, "will payload of %d bytes; %d are possible", len(w.Payload), mqtt.MaxStringLength)
	}
	return errors.Join(errs...)
}

// checkPublish reports what no Server would take.
func checkPublish(p *mqtt.Publish) error {
	// [MQTT5 3.3.2-2] [MQTT5 4.7.3-1] [MQTT311 3.3.2-2]
	if err := topic.CheckName(p.Topic); err != nil {
		return invalid(mqtt.TopicNameInvalid, "topic name %q: %v", p.Topic, err)
	}
	if err := checkString("topic name", p.Topic); err != nil {
		return err
	}
	// [MQTT5 3.3.1-4] [MQTT311 3.3.1-4]
	if p.QoS > mqtt.ExactlyOnce {
		return invalid(mqtt.ProtocolError, "QoS %d does not exist", p.QoS)
	}
	// [MQTT5 3.3.2-14]
	if p.ResponseTopic != "" {
		if err := topic.CheckName(p.ResponseTopic); err != nil {
			return invalid(mqtt.TopicNameInvalid, "response topic %q: %v", p.ResponseTopic, err)
		}
		// [MQTT5 3.3.2-13]
		if err := checkString("response topic", p.ResponseTopic); err != nil {
			return err
		}
	}
	// [MQTT5 3.3.4-6]
	if len(p.SubscriptionIdentifiers) > 0 {
		return invalid(mqtt.ProtocolError, "a client's message has no Subscription Identifier")
	}
	if p.TopicAlias != 0 {
		return invalid(mqtt.TopicAliasInvalid, "a Topic Alias belongs to the connection, not to the message: turn on topic aliases in the configuration")
	}
	if p.PayloadFormat.Value > 1 {
		return invalid(mqtt.PayloadFormatInvalid, "payload format %d is neither 0 (bytes) nor 1 (UTF-8)", p.PayloadFormat.Value)
	}
	// [MQTT5 3.3.2-19]
	if err := checkString("content type", p.ContentType.Value); err != nil {
		return err
	}
	if len(p.CorrelationData) > mqtt.MaxStringLength {
		return invalid(mqtt.PacketTooLarge, "correlation data of %d bytes; %d are possible", len(p.CorrelationData), mqtt.MaxStringLength)
	}
	if err := checkUser(p.UserProperties); err != nil {
		return err
	}
	if n := publishSize(mqtt.V5, p); n > mqtt.MaxRemainingLength {
		return invalid(mqtt.PacketTooLarge, "PUBLISH of %d bytes; MQTT carries %d", n, mqtt.MaxRemainingLength)
	}
	return nil
}

func checkUser(props []mqtt.UserProperty) error {
	for _, u := range props {
		// [MQTT5 1.5.7-1]
		if err := checkString("user property", u.Name); err != nil {
			return err
		}
		if err := checkString("user property", u.Value); err != nil {
			return err
		}
	}
	return nil
}

// checkString reports why s can't be a UTF-8 Encoded String. [MQTT5 4.7.3-3] [MQTT311 4.7.3-3]
func checkString(what, s string) error {
	if len(s) > mqtt.MaxStringLength {
		return invalid(mqtt.PacketTooLarge, "%s of %d bytes; %d are possible", what, len(s), mqtt.MaxStringLength)
	}
	// [MQTT5 1.5.4-1] [MQTT311 1.5.3-1]
	if !utf8.ValidString(s) {
		return invalid(mqtt.MalformedPacket, "%s %q is not UTF-8", what, s)
	}
	// [MQTT5 1.5.4-2] [MQTT311 1.5.3-2]
	for i := range len(s) {
		if s[i] == 0 {
			return invalid(mqtt.MalformedPacket, "%s %q holds U+0000", what, s)
		}
	}
	return nil
}

// checkFilter takes a Topic Filter apart. Before 5.0 a shared one is a filter like any other.
// [MQTT5 4.7.1-1] [MQTT5 4.7.1-2] [MQTT5 4.8.2-1] [MQTT5 4.8.2-2] [MQTT311 4.7.1-2] [MQTT311 4.7.1-3]
func checkFilter(v mqtt.Version, s string) (f topic.Filter, err error) {
	if v == mqtt.V5 {
		f, err = topic.ParseFilter(s)
	} else {
		f.Path, err = s, topic.CheckFilter(s)
	}
	if err != nil {
		return f, invalid(mqtt.TopicFilterInvalid, "topic filter %q: %v", s, err)
	}
	return f, checkString("topic filter", s)
}
