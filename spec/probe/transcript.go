package probe

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"mqttlab/spec/octets"
)

// Limits of a transcript. A check that floods its target shall not fill the report.
const (
	maxEntryBytes = 4 << 10
	maxBytes      = 1 << 20
)

// Entry is one line of a transcript: bytes in one direction, or an event.
type Entry struct {
	// At is the time since the transcript began.
	At time.Duration
	// Peer names the connection.
	Peer string
	// FromTarget tells the direction.
	FromTarget bool
	// Packet is the decoded packet in one line, or the event.
	Packet string
	// Hex are the bytes in lower-case hexadecimal; empty for an event.
	Hex string
}

// Transcript collects what the peers of one check said and heard. It is safe for
// concurrent use.
type Transcript struct {
	start time.Time

	mu      sync.Mutex // guards the fields below
	entries []Entry
	bytes   int
	dropped int
}

// NewTranscript begins a transcript now.
func NewTranscript() *Transcript { return &Transcript{start: time.Now()} }

// Entries returns what was recorded, with a last line that counts what was left out.
func (t *Transcript) Entries() []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := append([]Entry(nil), t.entries...)
	if t.dropped > 0 {
		all = append(all, Entry{At: all[len(all)-1].At, Packet: fmt.Sprintf("%d more packets not recorded", t.dropped)})
	}
	return all
}

func (t *Transcript) add(peer string, fromTarget bool, packet string, raw []byte) {
	at := time.Since(t.start)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bytes > maxBytes {
		t.dropped++
		return
	}
	if len(raw) > maxEntryBytes {
		packet += fmt.Sprintf(" (first %d of %d bytes)", maxEntryBytes, len(raw))
		raw = raw[:maxEntryBytes]
	}
	t.bytes += len(raw) + len(packet)
	t.entries = append(t.entries, Entry{at, peer, fromTarget, packet, hex.EncodeToString(raw)})
}

// describe decodes what was written in one piece, packet by packet.
func describe(b []byte, v octets.Version, each func(packet string, raw []byte, r *octets.Received)) {
	for len(b) > 0 {
		r, n := octets.Decode(b, v)
		if r == nil {
			each(fmt.Sprintf("%d bytes that are no complete packet", len(b)), b, nil)
			return
		}
		each(r.String(), r.Raw, r)
		b = b[n:]
	}
}

// summary shortens a list of descriptions for a failure.
func summary(lines []string) string {
	const limit = 4
	if extra := len(lines) - limit; extra > 0 {
		lines = append(lines[:limit:limit], fmt.Sprintf("and %d more", extra))
	}
	return strings.Join(lines, ", ")
}
