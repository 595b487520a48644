package wire

import (
	"bytes"
	"testing"

	"mqttlab/reference-broker/mqtt"
)

func FuzzFromClient(f *testing.F) { fuzz(f, FromClient) }
func FuzzFromServer(f *testing.F) { fuzz(f, FromServer) }

// Whatever is accepted can be written, and what is written is accepted and written the same way again; no part of it is accepted as a whole.
func fuzz(f *testing.F, from Side) {
	for _, s := range samples() {
		if s.from == from {
			b, err := Append(nil, s.version, s.packet)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(byte(s.version), b)
		}
	}
	f.Fuzz(func(t *testing.T, version byte, b []byte) {
		d := NewDecoder(from)
		d.Version = mqtt.V31 + mqtt.Version(version%3)
		if len(b) > 0 && b[0]>>4 == byte(mqtt.TypeConnect) {
			d.Version = 0
		}
		d.MaximumPacketSize = 1 << 20
		p, n, err := d.Next(b)
		if err != nil || n == 0 {
			if p != nil {
				t.Fatalf("%T together with error %v", p, err)
			}
			return
		}
		for cut := range min(n, 64) {
			again := Decoder{From: from, Version: d.Version, texts: newTexts()}
			if _, n, err := again.Next(b[:cut]); n != 0 || err != nil {
				t.Fatalf("%d bytes of %d: %d, %v", cut, len(b), n, err)
			}
		}
		stable(t, d, p)
	})
}

func stable(t *testing.T, d *Decoder, p mqtt.Packet) {
	once, err := Append(nil, d.Version, p)
	if err != nil {
		t.Fatalf("read, but not written: %v\n%+v", err, p)
	}
	back, n, err := d.Next(once)
	if err != nil || n != len(once) {
		t.Fatalf("written, but not read: %v (%d of % x)", err, n, once)
	}
	twice, err := Append(nil, d.Version, back)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("% x became % x (%v)", once, twice, err)
	}
}
