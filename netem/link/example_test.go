package link_test

import (
	"fmt"
	"strings"
	"time"

	"mqttlab/netem/link"
)

// A recorded cell that is gone for two seconds, and slow after that.
func ExampleParseTrace() {
	trace, err := link.ParseTrace(strings.NewReader(`time_seconds,rate_bits_per_second
0,80000
1,0
3,8000
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := link.Compile(link.Config{Delay: 100 * time.Millisecond, Trace: trace})
	if err != nil {
		fmt.Println(err)
		return
	}
	l := link.New(model, 1, 0)
	for now := time.Duration(0); now < 2*time.Second; now += 450 * time.Millisecond {
		fmt.Println("sent at", now, "arrives at", l.Admit(now, 2000).At)
	}
	// Output:
	// sent at 0s arrives at 300ms
	// sent at 450ms arrives at 750ms
	// sent at 900ms arrives at 4.1s
	// sent at 1.35s arrives at 6.1s
	// sent at 1.8s arrives at 8.1s
}

// The downlink of an NB-IoT device in power saving mode: commands wait until it
// reports again.
func ExampleLink_Touch() {
	model, err := link.Compile(link.Config{Delay: 200 * time.Millisecond, Sleep: link.Sleep{
		Interval: 24 * time.Hour, Window: 10 * time.Second, AwakeAfterTraffic: 10 * time.Second, AfterTraffic: true,
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	l := link.New(model, 1, 0)
	l.Touch(48 * time.Hour)                                // the device reports
	due := l.Admit(48*time.Hour+time.Hour, 60).At          // a command an hour later
	_, at, released := l.Touch(48*time.Hour + 6*time.Hour) // the next report
	fmt.Println("due at", due)
	fmt.Println("released", released, "at", at)
	// Output:
	// due at 72h0m0s
	// released true at 54h0m0.2s
}
