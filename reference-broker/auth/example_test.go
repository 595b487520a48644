package auth_test

import (
	"fmt"

	"mqttlab/reference-broker/auth"
	"mqttlab/reference-broker/core/server"
)

func ExampleParseRules() {
	rules, err := auth.ParseRules("rules.yaml", []byte(`
default: deny
rules:
- deny: all
  topic: fleet/+/key
- allow: [publish, will]
  topic: fleet/%c/#
- allow: subscribe
  user: operator
  topic: fleet/#
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(kind server.AccessKind, user, client, topic string) {
		fmt.Println(topic, rules.Authorize(server.Access{Kind: kind, Username: user, Client: client, Topic: topic}))
	}
	ask(server.PublishTo, "sensor", "s1", "fleet/s1/temperature")
	ask(server.PublishTo, "sensor", "s1", "fleet/s2/temperature")
	ask(server.PublishTo, "sensor", "s1", "fleet/s1/key")
	ask(server.SubscribeTo, "operator", "desk", "fleet/+/temperature")
	ask(server.SubscribeTo, "operator", "desk", "fleet/#") // would bring fleet/+/key, too
	// Output:
	// fleet/s1/temperature true
	// fleet/s2/temperature false
	// fleet/s1/key false
	// fleet/+/temperature true
	// fleet/# false
}

func ExampleParseRules_mistakes() {
	_, err := auth.ParseRules("rules.yaml", []byte("rules:\n- alow: publish\n  topic: a/#\n- deny: everything\n  topic: a/#/b\n"))
	fmt.Println(err)
	// Output:
	// rules.yaml:2: unknown key "alow": did you mean allow?
	// rules.yaml:4: "everything" is not one of publish, subscribe, will, all
	// rules.yaml:5: topic "a/#/b": # stands alone in the last level of a topic filter
}
