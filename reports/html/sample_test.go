package html_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

func millis(ms float64) model.Millis {
	return model.Millis(time.Duration(ms * float64(time.Millisecond)))
}

// sampleAreas are real area names with a plausible number of checks each.
var sampleAreas = map[string]int{
	"connect": 14, "connack": 6, "publish": 12, "qos": 9, "subscribe": 10, "unsubscribe": 5, "session": 8, "keepalive": 3,
	"will": 8, "retain": 9, "properties": 11, "shared-subscriptions": 6, "topics": 9, "topic-alias": 5, "flow-control": 4, "malformed": 15,
}

// conformance is a record with every verdict, long names and hostile text.
func conformance() *model.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	r := &model.Record{
		Kind: model.Conformance, Tool: model.Tool{Name: "mqttlab", Version: "0.1.0"},
		Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), DurationMS: millis(18_340), Seed: 4711,
		Target: model.Target{URL: "mqtt://127.0.0.1:1883", Name: "mosquitto 2.0.11", Features: []model.Feature{
			{Name: "retain", Offered: true, Source: "connack"},
			{Name: "shared-subscription", Offered: true, Source: "connack"},
			{Name: "maximum-qos", Offered: true, Source: "connack", Detail: "2"},
			{Name: "enhanced-authentication", Source: "probe", Detail: "CONNACK 0x8C"},
		}},
		Statements: map[string]model.Statement{
			"MQTT5-3.3.1-4": {Level: "MUST NOT", Section: "3.3.1.2 QoS", Summary: "A PUBLISH never has both QoS bits set; whoever receives one closes with a Malformed Packet."},
		},
	}
	odd := []model.Verdict{model.Nonstrict, model.Info, model.Unsupported, model.Skipped, model.Info, model.Nonstrict}
	for _, area := range slices.Sorted(maps.Keys(sampleAreas)) {
		for i := range sampleAreas[area] {
			for _, version := range []string{"3.1.1", "5.0"} {
				prefix := map[string]string{"3.1.1": "MQTT311", "5.0": "MQTT5"}[version]
				id := fmt.Sprintf("%s-3.%d.9-%d", prefix, len(area), i+1)
				r.Statements[id] = model.Statement{Level: "MUST", Section: "3." + area, Summary: "What the standard says about " + area + ", in our words, with enough of them to fill a line or two on a narrow screen."}
				v := model.Pass
				if rng.IntN(9) == 0 {
					v = odd[rng.IntN(len(odd))]
				}
				r.Checks = append(r.Checks, model.Check{
					Name: fmt.Sprintf("%sCheckNumber%d", strings.ToUpper(area[:1])+strings.ReplaceAll(area[1:], "-", ""), i+1),
					Area: area, MQTT: version, Level: "MUST", Verdict: v, Statements: []string{id},
					Title: "answers what a client may send in this place with what the standard asks for", DurationMS: millis(rng.ExpFloat64() * 20),
					Reason: map[bool]string{true: "", false: "the target chose one of several ways"}[v == model.Pass],
				})
			}
		}
	}
	r.Statements["MQTT5-4.99.1-1"] = model.Statement{Level: "MUST", Section: "4.99", Summary: "Nobody checks this."}
	r.Checks = append(r.Checks, failing()...)
	r.Seal()
	return r
}

// overTransports is a record of few checks over each of five transports.
func overTransports() *model.Record {
	r := conformance()
	r.Checks = slices.DeleteFunc(r.Checks, func(c model.Check) bool { return !strings.HasSuffix(c.Name, "1") && c.Area != "publish" })
	few := slices.Clone(r.Checks)
	for _, over := range []string{"tls", "unix", "ws", "wss"} {
		for _, c := range few {
			c.Transport = over
			r.Checks = append(r.Checks, c)
		}
	}
	r.Seal()
	return r
}

func failing() []model.Check {
	qos := model.Check{
		Name: "PublishWithBothQoSBits", Area: "publish", MQTT: "5.0", Level: "MUST NOT", Verdict: model.Fail,
		Title: "closes the Network Connection after a PUBLISH with both QoS bits set", Statements: []string{"MQTT5-3.3.1-4"},
		Reason: "the target acknowledged a PUBLISH of QoS 3", Closed: model.LeftOpen, DurationMS: millis(6.2),
		Failure: &model.Failure{
			Sent:       `PUBLISH QoS 3, topic "mqttlab/qos3", packet id 1, 5 octets`,
			Acceptable: []string{"DISCONNECT 0x81 (Malformed Packet), then close", "close"},
			Got:        "PUBACK packet id 1, reason 0x00; connection still open after PINGREQ was answered",
		},
		Transcript: []model.Line{
			{AtMS: 0, From: "check", Packet: "connected"},
			{AtMS: millis(0.4), From: "check", Packet: `CONNECT v5 client "mqttlab-1" clean start, keep alive 60`, Hex: "101600044d5154540502003c0000096d7174746c61622d31"},
			{AtMS: millis(1.1), From: "target", Packet: "CONNACK success, receive maximum 20", Hex: "200900000622000a210014"},
			{AtMS: millis(1.3), From: "check", Packet: "PUBLISH QoS 3", Hex: "3616000c" + strings.Repeat("6d", 400)},
			{AtMS: millis(2.0), From: "target", Packet: "PUBACK 1", Hex: "40020001"},
		},
	}
	crash, known, inconclusive, fixed := qos, qos, qos, qos
	crash.Name, crash.Area, crash.Verdict = "RemainingLengthOfFiveOctetsWithAVeryLongNameThatMustWrapSomewhere", "malformed", model.Crash
	crash.Title, crash.Reason = "refuses a Remaining Length of five octets", "connection refused on all later attempts"
	known.Name, known.Verdict, known.Reason = "Known<script>alert(1)</script>", model.KnownFailure, "listed: mosquitto issue 2205 & <b>others</b>"
	inconclusive.Name, inconclusive.Verdict, inconclusive.Failure, inconclusive.Transcript = "OurFault", model.Inconclusive, nil, nil
	inconclusive.Reason = "no second connection could be opened: too many open files"
	fixed.Name, fixed.Verdict, fixed.MQTT, fixed.Reason = "NowPasses", model.Fixed, "3.1.1", "listed as failing, but passes: remove it from the list"
	return []model.Check{qos, crash, known, inconclusive, fixed}
}

// brokers is five records of so many checks under each of two versions, every check with a transcript.
func brokers(checks int) []*model.Record {
	var out []*model.Record
	for i, name := range []string{"mosquitto 2.0.11", "mqttlab reference broker", "EMQX 5.8", "mqtt://broker.with-a-very-long-name.example:1883", "NATS 2.10"} {
		rng := rand.New(rand.NewPCG(uint64(i), 5))
		r := conformance()
		r.Target.Name, r.Checks = name, r.Checks[:0:0]
		for n := range checks {
			for _, version := range []string{"3.1.1", "5.0"} {
				document := map[string]string{"3.1.1": "MQTT311", "5.0": "MQTT5"}[version]
				id := fmt.Sprintf("%s-3.%d.%d-%d", document, 1+n%15, n/15%4, n)
				r.Statements[id] = model.Statement{Level: "MUST", Section: "3.1.2 CONNECT Variable Header", Summary: "What the standard says in this place, in our words, with enough of them to fill a line or two on a narrow screen."}
				c := failing()[0]
				c.Name, c.MQTT, c.Area, c.Statements = fmt.Sprintf("Check%d", n), version, fmt.Sprintf("area-%d", n%15), []string{id}
				for at := range 25 {
					c.Transcript = append(c.Transcript, model.Line{AtMS: millis(float64(at)), From: "check/sender", Packet: `PUBLISH QoS 1, topic "mqttlab/7/topic", 40 octets`, Hex: strings.Repeat("6d", 60)})
				}
				switch k := rng.IntN(100); {
				case i == 1 || k >= 14:
					c.Verdict, c.Reason, c.Failure = model.Pass, "", nil
				case k >= 8:
					c.Verdict = model.Nonstrict
				}
				r.Checks = append(r.Checks, c)
			}
		}
		r.Seal()
		out = append(out, r)
	}
	return out
}

// fleet is a record of two groups over ten minutes, with an outage in the middle.
func fleet(seed uint64, slower float64) *model.Record {
	cpu := millis(5310)
	r := &model.Record{
		Kind: model.FleetRun, Tool: model.Tool{Name: "mqttlab", Version: "0.1.0"}, Seed: seed,
		Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), DurationMS: millis(600_000),
		Target: model.Target{URL: "mqtt://127.0.0.1:1883", Name: "mosquitto 2.0.11"},
		Fleet: &model.Fleet{
			Scenario: model.Scenario{Name: "city-meters", Text: "name: city-meters\nseed: 7\nduration: 10m\ngroups:\n  - name: water-meters\n    count: 800\n    link: nb-iot\n"},
			Mode:     model.Emulated, IntervalMS: millis(5000), TargetCPUMS: &cpu,
			Validity: model.Validity{Valid: true, LatenessP99MS: millis(1.8), LatenessLimitMS: millis(20)},
		},
	}
	r.Fleet.Groups = []model.Group{
		sampleGroup(seed, "water-meters", "nb-iot", 800, 1, 620*slower),
		sampleGroup(seed+1, "street-lamps", "lte-m", 200, 0, 85*slower),
	}
	r.Seal()
	return r
}

func sampleGroup(seed uint64, name, link string, devices, qos int, median float64) model.Group {
	const intervals, each = 120, 60
	rng := rand.New(rand.NewPCG(seed, 3))
	g := model.Group{Name: name, Devices: devices, Link: link}
	record := func(m model.Measure, p model.Path, wait float64) {
		rec, heat := latency.NewRecorder(devices), latency.NewHeat(5*time.Second)
		for i := range devices * each {
			ms := median * math.Exp(0.25*rng.NormFloat64())
			if rng.Float64() < 0.03 {
				ms += 1500 * rng.ExpFloat64()
			}
			if rng.Float64() < 0.05 {
				ms += wait * rng.ExpFloat64()
			}
			at := time.Duration(i) * 10 * time.Minute / time.Duration(devices*each)
			rec.Record(i%devices, millis(ms).Duration())
			heat.Record(at+millis(ms).Duration(), millis(ms).Duration())
		}
		l, err := rec.Latency(m, p)
		l.Heat = heat.Model()
		if err != nil {
			panic(err) // only an overflow could
		}
		g.Latency = append(g.Latency, l)
	}
	if qos > 0 {
		record(model.Intended, model.ToAck, 9000)
		record(model.Service, model.ToAck, 0)
	}
	record(model.Intended, model.ToDelivery, 9000)
	record(model.Service, model.ToDelivery, 0)

	sent := int64(devices * each)
	l := model.Ledger{QoS: qos, Sent: sent, Late: 120, Expired: 9, Pending: 4, LateAfterMS: millis(60_000)}
	if qos > 0 {
		l.Duplicated, l.Copies, l.Acknowledged, l.OutOfOrder = 611, 640, sent-13, 37
	} else {
		l.Lost = 412
	}
	l.Delivered = sent - l.Late - l.Expired - l.Pending - l.Duplicated - l.Lost
	g.Ledger = []model.Ledger{l}

	up, busy, down := make([]int64, intervals), make([]int64, intervals), make([]int64, intervals)
	for i := range intervals {
		out := 0.0
		if i >= 50 && i < 75 {
			out = math.Min(1, float64(75-i)/18)
		}
		down[i] = int64(out * 0.8 * float64(devices))
		busy[i] = int64(out * 0.2 * float64(devices))
		up[i] = int64(devices) - down[i] - busy[i]
		n := int64(float64(devices*each)/intervals*(0.9+0.2*rng.Float64())) * up[i] / int64(devices)
		g.Rates.Sent = append(g.Rates.Sent, n)
		g.Rates.Delivered = append(g.Rates.Delivered, n*98/100)
		g.Rates.Retransmissions = append(g.Rates.Retransmissions, int64(rng.IntN(12)))
		g.Rates.UpBytes = append(g.Rates.UpBytes, n*140)
		g.Rates.DownBytes = append(g.Rates.DownBytes, n*60)
	}
	g.States = []model.StateSeries{{State: "connected", Counts: up}, {State: "connecting", Counts: busy}, {State: "waiting", Counts: down}}
	g.Wire = &model.Wire{Layer: "ip", UpBytes: 6_812_345, DownBytes: 2_345_678, UpPackets: 91_234, DownPackets: 71_222, LostPackets: 1234, Retransmissions: 1287}
	total := float64(devices)
	g.Power = &model.Power{
		Profile: link, WindowMS: millis(600_000), Sessions: sent, RadioOnMS: millis(91_000), JoulesPerMessage: 0.31,
		Joules: model.PowerStates{Sleep: 0.9 * total, Wake: 3.1 * total, Tx: 6.2 * total, Rx: 2.4 * total, Tail: 5.5 * total, Idle: 0.4 * total},
		Years:  model.Years{Mean: 4.81, Low: 3.92, High: 5.77},
	}
	return g
}
