package pcapng

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTheFileIsWhatTheFormatSays holds a small file against its bytes, written down by
// hand from the format's description.
func TestTheFileIsWhatTheFormatSays(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, "lte-m")
	w.Packet(time.Unix(1, 2), Out, []byte{0x45, 1, 2, 3, 4}, "lost")
	w.Packet(time.Unix(0, 1<<33), In, []byte{0x45}, "")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := []byte("" +
		"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00" +
		"\x01\x00\x00\x00\x2c\x00\x00\x00\x65\x00\x00\x00\x00\x00\x00\x00" +
		"\x02\x00\x05\x00lte-m\x00\x00\x00" + "\x09\x00\x01\x00\x09\x00\x00\x00" + "\x00\x00\x00\x00" + "\x2c\x00\x00\x00" +
		"\x06\x00\x00\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\xca\x9a\x3b\x05\x00\x00\x00\x05\x00\x00\x00" +
		"\x45\x01\x02\x03\x04\x00\x00\x00" + "\x02\x00\x04\x00\x02\x00\x00\x00" + "\x01\x00\x04\x00lost" + "\x00\x00\x00\x00" + "\x3c\x00\x00\x00" +
		"\x06\x00\x00\x00\x30\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00" +
		"\x45\x00\x00\x00" + "\x02\x00\x04\x00\x01\x00\x00\x00" + "\x00\x00\x00\x00" + "\x30\x00\x00\x00")
	if diff := cmp.Diff(want, file.Bytes()); diff != "" {
		t.Errorf("file (-want +got):\n%s", diff)
	}
}

func TestFlushReportsTheFirstError(t *testing.T) {
	full := errors.New("disk full")
	w := NewWriter(failing{full}, "x")
	for range 100 {
		w.Packet(time.Unix(0, 0), In, make([]byte, 1500), "")
	}
	if err := w.Flush(); !errors.Is(err, full) {
		t.Errorf("Flush: %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
