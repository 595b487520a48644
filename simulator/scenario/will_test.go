package scenario

import (
	"strings"
	"testing"
)

func TestMistakesInWillExpiryAndPower(t *testing.T) {
	_, err := Parse("f.yaml", []byte(`
name: f
duration: 1m
groups:
  - {name: a, count: 2, interval: 1s, message_expiry: 1500ms, power: nb-iott, will: {payload: x}}
  - {name: b, count: 2, interval: 1s, will: {topic: "b/+/{x}", delay: 1s, qos: 3}}
`))
	if err == nil {
		t.Fatal("no mistake found")
	}
	for _, want := range []string{
		"groups[0].message_expiry: needs version 5.0", "groups[0].message_expiry: 1.5s is not in whole seconds",
		`groups[0].power: there is no "nb-iott": did you mean "nb-iot"?`, "groups[0].will.topic: is missing",
		"groups[1].will.topic: \"b/+/{x}\" holds a wildcard", "unknown placeholder {x}", "groups[1].will.delay: needs version 5.0", "groups[1].will.qos: 3 is out of range",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no mistake %q in\n%v", want, err)
		}
	}
}
