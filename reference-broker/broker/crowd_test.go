package broker

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

const (
	crowd     = 60 // publishers
	eachSends = 40
)

// crowdPayload is different for each message in each byte but a few.
func crowdPayload(publisher, number int) []byte {
	rng := rand.New(rand.NewPCG(uint64(publisher), uint64(number)))
	b := binary.BigEndian.AppendUint32(nil, uint32(publisher))
	b = binary.BigEndian.AppendUint32(b, uint32(number))
	for range rng.IntN(3000) {
		b = append(b, byte(rng.Uint32()))
	}
	return b
}

// speak sends all messages of one publisher in pieces of any size, and ends in one of three ways.
func speak(p *peer, publisher int) error {
	var b []byte
	for n := range eachSends {
		b, _ = wire.Append(b, p.v, &mqtt.Publish{Topic: fmt.Sprint("t/", publisher), Payload: crowdPayload(publisher, n)})
	}
	switch publisher % 3 {
	case 0:
		b, _ = wire.Append(b, p.v, &mqtt.Disconnect{})
	case 1:
		b = append(b, 0, 0) // no Control Packet
	}
	rng := rand.New(rand.NewPCG(7, uint64(publisher)))
	for len(b) > 0 {
		n := min(len(b), 1+rng.IntN(5000))
		if _, err := p.nc.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	if publisher%3 == 2 {
		return p.nc.Close()
	}
	return nil
}

// What many clients send at once arrives whole and in order, also what came right before a client's end.
func TestManyPublishersAtOnce(t *testing.T) {
	url := listen(t, start(t, Config{SlowLimit: 64 << 20}), loopback) // nothing is dropped
	sub := dial(t, url, mqtt.V5)
	sub.connect("sub")
	sub.subscribe("t/#", mqtt.AtMostOnce)
	var wg sync.WaitGroup
	for i := range crowd {
		p := dial(t, url, mqtt.V311)
		p.connect(fmt.Sprint("pub", i))
		wg.Go(func() {
			if err := speak(p, i); err != nil {
				t.Errorf("publisher %d: %v", i, err)
			}
		})
	}
	next := make([]int, crowd)
	for range crowd * eachSends {
		m := want[*mqtt.Publish](sub, "a message")
		publisher := int(binary.BigEndian.Uint32(m.Payload))
		if string(m.Payload) != string(crowdPayload(publisher, next[publisher])) {
			t.Fatalf("publisher %d: message %d came in place of %d, or was changed", publisher, binary.BigEndian.Uint32(m.Payload[4:]), next[publisher])
		}
		next[publisher]++
	}
	wg.Wait()
}
