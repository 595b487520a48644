package stack

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"mqttlab/netem/link"
	"mqttlab/netem/pcapng"
)

// captured is one packet read back from a capture file.
type captured struct {
	at      time.Time
	ip      header.IPv4
	out     bool
	comment string
}

// readCapture reads the packets of a file that pcapng wrote.
func readCapture(t *testing.T, file []byte) (all []captured) {
	t.Helper()
	u32 := binary.LittleEndian.Uint32
	for len(file) > 0 {
		size := u32(file[4:])
		if size < 12 || size%4 != 0 || int(size) > len(file) || u32(file[size-4:]) != size {
			t.Fatalf("block of %d bytes, %d are left", size, len(file))
		}
		if u32(file) == 6 {
			b := file[8 : size-4]
			n := u32(b[12:])
			c := captured{at: time.Unix(0, int64(uint64(u32(b[4:]))<<32|uint64(u32(b[8:])))), ip: b[20 : 20+n]}
			for o := b[20+(n+3)/4*4:]; o[0] != 0; {
				length := binary.LittleEndian.Uint16(o[2:])
				switch value := o[4 : 4+length]; o[0] {
				case 1:
					c.comment = string(value)
				case 2:
					c.out = value[0] == 2
				}
				o = o[4+(length+3)/4*4:]
			}
			all = append(all, c)
		}
		file = file[size:]
	}
	return all
}

// TestCaptureHasEveryPacketOnce runs bulk over lossy links and reads the capture back.
func TestCaptureHasEveryPacketOnce(t *testing.T) {
	var file bytes.Buffer
	capture := pcapng.NewWriter(&file, "test")
	n := newVirtual(t, Config{Seed: 5})
	if err := n.Listen("broker:1883", echo); err != nil {
		t.Fatal(err)
	}
	lossy := mustModel(t, link.Config{Delay: 20 * time.Millisecond, LossRatio: 0.1})
	d := n.mustDevice(t, DeviceConfig{Up: lossy, Down: lossy, Capture: capture})
	start := n.Now()
	if _, err := d.Open("broker:1883", &calls{
		opened:   func(s *Socket) { s.Send(make([]byte, 12000)) },
		readable: func(s *Socket) { s.Receive(make([]byte, 4096)) },
	}); err != nil {
		t.Fatal(err)
	}
	n.mustRun(t, time.Minute)
	if err := capture.Flush(); err != nil {
		t.Fatal(err)
	}
	var packets, bytes, lost [2]uint64
	last := start
	for i, c := range readCapture(t, file.Bytes()) {
		dir := down
		if c.out {
			dir = up
		}
		packets[dir]++
		bytes[dir] += uint64(len(c.ip))
		if strings.HasPrefix(c.comment, "lost: loss") {
			lost[dir]++
		}
		if c.at.Before(last) {
			t.Errorf("packet %d at %v, the one before at %v", i, c.at, last)
		}
		last = c.at
		if (c.ip.SourceAddress() == d.address) != c.out {
			t.Errorf("packet %d from %v, out is %v", i, c.ip.SourceAddress(), c.out)
		}
		segment := header.TCP(c.ip.Payload())
		pseudo := header.PseudoHeaderChecksum(header.TCPProtocolNumber, c.ip.SourceAddress(), c.ip.DestinationAddress(), uint16(len(segment)))
		if checksum.Checksum(segment, pseudo) != 0xffff || !c.ip.IsChecksumValid() {
			t.Errorf("packet %d: a checksum is wrong", i)
		}
	}
	u, v := d.Counters()
	if want := [2]uint64{u.Admitted, v.Admitted}; packets != want || lost[up] == 0 || lost[down] == 0 {
		t.Errorf("%d packets recorded, %d sent", packets, want)
	}
	if want := [2]uint64{u.AdmittedBytes, v.AdmittedBytes}; bytes != want {
		t.Errorf("%d bytes recorded, %d sent", bytes, want)
	}
	if want := [2]uint64{u.Dropped[link.DropLoss], v.Dropped[link.DropLoss]}; lost != want {
		t.Errorf("%d packets recorded as lost, %d were", lost, want)
	}
}
