package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/client"
	"mqttlab/reference-broker/mqtt"
)

// inProcess returns options that connect to a broker in the same process.
func inProcess() (opts *client.Options, stop func()) {
	b, err := broker.New(broker.Config{})
	if err != nil {
		log.Fatal(err)
	}
	dial := func(context.Context, string, string) (net.Conn, error) { return b.Pipe() }
	return &client.Options{Dial: dial}, func() { _ = b.Close(context.Background()) }
}

func Example() {
	opts, stop := inProcess() // a program that talks to a real server leaves Dial out
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	c, err := client.Dial(ctx, "mqtt://localhost", opts)
	if err != nil {
		log.Fatal(err)
	}
	sub, err := c.Subscribe(ctx, client.Filter{TopicFilter: "plant/+/pressure", QoS: mqtt.AtLeastOnce})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Publish(ctx, &client.Message{Topic: "plant/7/pressure", Payload: []byte("3.2 bar"), QoS: mqtt.AtLeastOnce}); err != nil {
		log.Fatal(err)
	}
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Topic, string(m.Payload))
		break
	}
	if err := c.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: plant/7/pressure 3.2 bar
}

func ExampleClient_Publish_errors() {
	opts, stop := inProcess()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, "mqtt://localhost", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close(ctx) }()

	_, err = c.Publish(ctx, &client.Message{Topic: "plant/#"})
	var invalid *client.InvalidError
	var refused *client.RefusedError
	switch {
	case errors.As(err, &invalid):
		fmt.Println("our mistake:", err)
	case errors.As(err, &refused):
		fmt.Println("the server did not want it:", err)
	case errors.Is(err, client.ErrUnderWay):
		fmt.Println("no answer yet")
	}
	fmt.Println(errors.Is(err, mqtt.TopicNameInvalid))
	// Output:
	// our mistake: not sent: topic name "plant/#": a topic name has no wildcard + or #
	// true
}

func ExampleClient_Enqueue() {
	opts, stop := inProcess()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, "mqtt://localhost", opts)
	if err != nil {
		log.Fatal(err)
	}
	var pending []*client.Pending
	for i := range 100 {
		p, err := c.Enqueue(&client.Message{Topic: "log", Payload: fmt.Append(nil, i), QoS: mqtt.ExactlyOnce})
		if err != nil {
			log.Fatal(err)
		}
		pending = append(pending, p)
	}
	for _, p := range pending {
		if _, err := p.Wait(ctx); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(len(pending), "messages acknowledged")
	_ = c.Close(ctx)
	// Output: 100 messages acknowledged
}

func ExampleSubscription_Handle() {
	opts, stop := inProcess()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, "mqtt://localhost", opts)
	if err != nil {
		log.Fatal(err)
	}
	sub, err := c.Subscribe(ctx, client.Filter{TopicFilter: "ask", QoS: mqtt.AtLeastOnce})
	if err != nil {
		log.Fatal(err)
	}
	answers, err := c.Subscribe(ctx, client.Filter{TopicFilter: "answer", QoS: mqtt.AtLeastOnce})
	if err != nil {
		log.Fatal(err)
	}
	handled := make(chan error, 1)
	go func() { // four at a time; publishing from a handler is fine
		handled <- sub.Handle(ctx, 4, func(ctx context.Context, m *client.Message) {
			if m.ResponseTopic == "" {
				m.Ack(mqtt.ImplementationSpecificError)
				return
			}
			_, _ = c.Publish(ctx, &client.Message{Topic: m.ResponseTopic, CorrelationData: m.CorrelationData, Payload: []byte("42"), QoS: mqtt.AtLeastOnce})
		})
	}()
	question := &client.Message{Topic: "ask", ResponseTopic: "answer", CorrelationData: []byte("q1"), QoS: mqtt.AtLeastOnce}
	if _, err := c.Publish(ctx, question); err != nil {
		log.Fatal(err)
	}
	for m, err := range answers.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(m.CorrelationData), string(m.Payload))
		break
	}
	_ = c.Close(ctx)
	fmt.Println(<-handled)
	// Output:
	// q1 42
	// <nil>
}

func ExampleOpenFileStore() {
	opts, stop := inProcess()
	defer stop()
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := client.OpenFileStore(filepath.Join(dir, "meter-7"))
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	opts.Store = store
	opts.Connect = mqtt.Connect{ClientID: "meter-7", SessionExpiryInterval: 86400}
	c, err := client.Dial(ctx, "mqtt://localhost", opts)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range c.Restored() {
		fmt.Println("an earlier process has left", p.Message().Topic)
	}
	// When Enqueue returns, the message is on disk: it arrives once, even if this process is killed now.
	if _, err := c.Enqueue(&client.Message{Topic: "readings/7", Payload: []byte("21.5"), QoS: mqtt.ExactlyOnce}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Close(ctx))
	// Output: <nil>
}
