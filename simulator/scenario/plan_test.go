package scenario

import (
	"math"
	"testing"
)

// TestPlanAgreesWithWhatWasMeasured compares with captures of plain TCP: 32 bytes of payload on a topic of 10 take 150, 260 and 476 bytes.
func TestPlanAgreesWithWhatWasMeasured(t *testing.T) {
	for qos, want := range map[string]int{"0": 150, "1": 260, "2": 476} {
		s, err := Parse("f.yaml", []byte(smallest+"    topic: 0123456789\n    client_id: x{index}\n    payload_bytes: 32\n    qos: "+qos+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		p := s.Plan(&s.Groups[0])
		if math.Abs(float64(p.WireBytes-want)) > 2 || p.MessagesPerSecond != 100 || p.PayloadBytes != 32 {
			t.Errorf("QoS %s: %+v, want %d bytes on the wire", qos, p, want)
		}
	}
	s, err := Parse("f.yaml", []byte(loaded))
	if err != nil {
		t.Fatal(err)
	}
	// Two minutes: 30 s at 1, 10 s at 2, 20 s at 3, 60 s at 0.5 are 140 s of pace.
	if p := s.Plan(&s.Groups[3]); math.Abs(p.MessagesPerSecond-4*3/60.0*140/120) > 1e-6 || p.PayloadBytes != len(`{"celsius":20.5,"state":"on"`)+79 {
		t.Errorf("%+v", p)
	}
}
