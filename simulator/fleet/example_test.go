package fleet_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"mqttlab/reports/model"
	"mqttlab/simulator/fleet"
	"mqttlab/simulator/scenario"
)

// Two hours of a house full of sensors, in virtual time: nothing has to run beside it, and it gives the same result on any machine.
func Example() {
	s, err := scenario.Load("building")
	if err != nil {
		log.Fatal(err)
	}
	s.Duration = 2 * time.Hour
	record, err := fleet.Run(context.Background(), fleet.Options{Scenario: s, Mode: model.Virtual})
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range record.Fleet.Groups {
		l := g.Ledger[0]
		fmt.Printf("%d %ss on %s: QoS %d, %d sent, %d reached their sink, %d lost\n", g.Devices, g.Name, g.Link, l.QoS, l.Sent, l.Reached(), l.Lost)
	}
	// Output:
	// 120 rooms on thread: QoS 0, 2880 sent, 2880 reached their sink, 0 lost
	// 20 meters on lte-m: QoS 1, 160 sent, 160 reached their sink, 0 lost
	// 60 doors on wifi-powersave: QoS 2, 210 sent, 210 reached their sink, 0 lost
}
