package client_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
)

// TestDayOfIdleness runs client and broker in one bubble: Keep Alive holds the connection for a day, and the message still gets through.
func TestDayOfIdleness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := broker.New(broker.Config{})
		if err != nil {
			t.Fatal(err)
		}
		connections := 0
		opts := &client.Options{
			Connect: mqtt.Connect{KeepAlive: 30},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				connections++
				return b.Pipe()
			},
		}
		c, err := client.Dial(t.Context(), "mqtt://broker", opts)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := c.Subscribe(t.Context(), client.Filter{TopicFilter: "a", QoS: 2})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		if _, err := c.Publish(t.Context(), &client.Message{Topic: "a", QoS: 2}); err != nil {
			t.Error(err)
		}
		for m, err := range sub.Messages(t.Context()) {
			if err != nil || m.Topic != "a" {
				t.Errorf("got %v, %v", m, err)
			}
			break
		}
		if connections != 1 {
			t.Errorf("%d connections in a day, want 1", connections)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
