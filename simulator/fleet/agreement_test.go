package fleet

import (
	"testing"
	"time"

	"mqttlab/reference-broker/broker"
	"mqttlab/reports/model"
)

// Loss of a few packets in a hundred puts the 99th percentile where retransmissions are, not at the foot of the slope to them.
const agreed = `
name: agreed
seed: 5
duration: 4s
ramp: 1s
settle: 500ms
groups:
  - name: g
    count: 100
    interval: 200ms
    qos: 1
    link:
      up: {delay: 60ms, jitter: 5ms, loss_ratio: 0.03, rate_bits_per_second: 500000, queue_bytes: 65536}
      down: {delay: 60ms, jitter: 5ms, rate_bits_per_second: 500000, queue_bytes: 65536}
`

// TestEmulatedAgreesWithVirtual holds the two clocks against each other: what differs may only be how late this machine was.
func TestEmulatedAgreesWithVirtual(t *testing.T) {
	if testing.Short() {
		t.Skip("takes real seconds")
	}
	_, url := startBroker(t, "127.0.0.1:0", broker.Config{})
	emulated := mustRun(t, Options{Scenario: parse(t, agreed), Mode: model.Emulated, Target: url}).Fleet
	late := emulated.Validity.LatenessP99MS.Duration()
	if !emulated.Validity.Valid || late > 5*time.Millisecond {
		t.Skipf("this machine is too busy to tell: %v late, %s", late, emulated.Validity.Reason)
	}
	virtual := mustRun(t, Options{Scenario: parse(t, agreed), Mode: model.Virtual}).Fleet
	// A message waits for the loop at the device, for the broker, and for the loop again.
	slack := 2*time.Millisecond + 4*late
	for i := 1; i <= 9; i++ {
		q := float64(i) / 10
		a, b := quantile(t, emulated.Groups[0], model.Intended, model.ToAck, q), quantile(t, virtual.Groups[0], model.Intended, model.ToAck, q)
		t.Logf("p%d0: emulated %v, virtual %v, difference %v (lateness p99 %v)", i, a, b, a-b, late)
		if (a - b).Abs() > slack {
			t.Errorf("p%d0: emulated %v, virtual %v: more than %v apart", i, a, b, slack)
		}
	}
	a, b := quantile(t, emulated.Groups[0], model.Intended, model.ToAck, 0.99), quantile(t, virtual.Groups[0], model.Intended, model.ToAck, 0.99)
	t.Logf("p99: emulated %v, virtual %v, ratio %.3f", a, b, a.Seconds()/b.Seconds())
	if (a - b).Abs() > b/5+slack {
		t.Errorf("p99: emulated %v, virtual %v", a, b)
	}
}
