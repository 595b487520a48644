package fleet

import (
	"bytes"
	"strings"
	"testing"

	"mqttlab/netem/pcapng"
	"mqttlab/reports/model"
)

// TestTCPAndCapture: a device with the TCP of a small stack sends shorter headers, and all of its packets are in the capture.
func TestTCPAndCapture(t *testing.T) {
	text := `
name: captured
duration: 1m
ramp: 1s
settle: 1s
groups:
  - {name: g, count: 3, interval: 10s, qos: 1, tcp: TCP, payload_bytes: 3000, link: {up: {delay: 50ms}, down: {delay: 50ms}}}
`
	up := map[string]int64{}
	for _, tcp := range []string{"linux", "lwip"} {
		var file bytes.Buffer
		w := pcapng.NewWriter(&file, "test")
		g := mustRun(t, Options{Scenario: parse(t, strings.Replace(text, "TCP", tcp, 1)), Mode: model.Virtual, Capture: w}).Fleet.Groups[0]
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		wantDelivered(t, g, 18)
		if int64(file.Len()) < g.Wire.UpBytes+g.Wire.DownBytes {
			t.Errorf("%s: the capture has %d bytes, the links carried %d", tcp, file.Len(), g.Wire.UpBytes+g.Wire.DownBytes)
		}
		up[tcp] = g.Wire.UpPackets
	}
	if up["lwip"] <= up["linux"] {
		t.Errorf("packets up: %v; segments of 536 bytes need more of them", up)
	}
	if _, err := Run(t.Context(), Options{Scenario: parse(t, brief), Mode: model.Live, Target: "mqtt://127.0.0.1:1", Capture: pcapng.NewWriter(&bytes.Buffer{}, "")}); err == nil || !strings.Contains(err.Error(), "no packets of its own") {
		t.Errorf("live mode: %v", err)
	}
}
