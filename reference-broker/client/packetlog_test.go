package client

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"mqttlab/reference-broker/mqtt"
)

func TestPacketsAreLoggedWithoutSecrets(t *testing.T) {
	var log bytes.Buffer
	opts := Options{
		Connect: mqtt.Connect{Username: mqtt.Some("me"), Password: mqtt.Some([]byte("hush"))},
		Logger:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	bubble(t, opts, mqtt.Connack{}, func(t *testing.T, c *Client, _ listener, s *script) {
		go func() { s.send(&mqtt.Puback{PacketID: want[*mqtt.Publish](s, "message").PacketID}) }()
		if _, err := c.Publish(t.Context(), &Message{Topic: "a", QoS: 1, Payload: []byte("hush")}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
	text := log.String()
	for _, want := range []string{"packet=CONNECT", "packet=CONNACK", "packet=PUBLISH topic=a", "packet=PUBACK id=1"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the log:\n%s", want, text)
		}
	}
	if strings.Contains(text, "hush") {
		t.Errorf("a secret is in the log:\n%s", text)
	}
}
