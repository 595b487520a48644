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

// An hour of a house full of sensors, in virtual time: nothing has to run beside it, and it gives the same result on any machine.
func Example() {
	s, err := scenario.Load("building")
	if err != nil {
		log.Fatal(err)
	}
	s.Duration = time.Hour
	record, err := fleet.Run(context.Background(), fleet.Options{Scenario: s, Mode: model.Virtual})
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range record.Fleet.Groups {
		l := g.Ledger[0]
		fmt.Printf("%d %ss on %s: QoS %d, %d sent, %d reached their sink, %d lost\n", g.Devices, g.Name, g.Link, l.QoS, l.Sent, l.Reached(), l.Lost)
	}
	// Output:
	// 120 rooms on thread: QoS 0, 1440 sent, 1440 reached their sink, 0 lost
	// 20 meters on lte-m: QoS 1, 80 sent, 80 reached their sink, 0 lost
	// 60 doors on wifi-powersave: QoS 2, 96 sent, 96 reached their sink, 0 lost
}
