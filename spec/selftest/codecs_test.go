package selftest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
	"mqttlab/spec/grammar"
	"mqttlab/spec/octets"
)

// The two codecs share no code, so that a mistake in one does not hide in both. Here they are made to agree about any bytes: whether they are
// a packet, what is in it, and what each makes of what the other writes. They differ on purpose in this:
//
//   - octets reads on where wire refuses, so a refusal of the one is a note of the other;
//   - octets judges the format only as far as packets of servers need it, see judgedByWireAlone;
//   - octets notes wildcards in a Topic Name, which wire leaves to the machine of the server; and a Remaining Length that is longer than needed,
//     which 3.1.1 allows.

// judgedByWireAlone are the fields whose content octets takes as it comes: what only a client sends, what depends on who sends, and
// Reason Codes, which the checks judge themselves.
var judgedByWireAlone = []string{
	"Control Packet type", "Protocol Name", "Protocol Version", "Connect Flags", "Subscription Options", "Topic Filter", "Reason Code",
	"Connect Return code", "return code", "Authentication Data", "Authentication Method", "Subscription Identifier", "Session Expiry Interval",
}

// FuzzCodecsAgree makes the two codecs agree about any bytes.
func FuzzCodecsAgree(f *testing.F) {
	for _, seed := range standardExamples {
		b, err := hex.DecodeString(strings.ReplaceAll(seed.hex, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed.v5, seed.fromServer, b)
	}
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		for i, c := range generated(v) {
			if i%40 == 0 {
				f.Add(v == octets.V5, false, c)
			}
		}
	}
	f.Fuzz(func(t *testing.T, v5, fromServer bool, b []byte) { agree(t, v5, fromServer, b) })
}

// TestCodecsAgreeOnCases makes them agree on every generated packet.
func TestCodecsAgreeOnCases(t *testing.T) {
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		for _, b := range generated(v) {
			agree(t, v == octets.V5, false, b)
		}
	}
}

// generated are the packets of the grammar for a server that offers everything.
func generated(v octets.Version) [][]byte {
	site := &grammar.Site{
		Version: v, ClientID: func() string { return "client" }, Topic: func(s string) string { return "top/" + s },
		MaximumQoS: 2, TopicAliasMaximum: 10, Wildcards: true, Shared: true, SubscriptionIDs: true,
	}
	var all [][]byte
	for _, rule := range grammar.Rules() {
		for _, c := range rule.Cases(site) {
			all = append(all, c.Bytes(7))
		}
	}
	return all
}

// standardExamples are the figures of the two standards, completed to whole packets, and answers of a server.
var standardExamples = []struct {
	v5, fromServer bool
	hex            string
}{
	{false, false, "10 14 0004 4d515454 04 ce 000a 0000 0000 0000 0000 0000"},
	{true, false, "10 1b 0004 4d515454 05 ce 000a 05 11 0000000a 0000 00 0000 0000 0000 0000"},
	{false, false, "32 07 0003 612f62 000a"},
	{true, false, "32 08 0003 612f62 000a 00"},
	{false, false, "82 0e 000a 0003 612f62 01 0003 632f64 02"},
	{true, false, "82 0f 000a 00 0003 612f62 01 0003 632f64 02"},
	{false, true, "90 05 000a 00 02 80"},
	{false, false, "a2 0c 000a 0003 612f62 0003 632f64"},
	{true, false, "e0 07 00 05 11 00000000"},
	{false, false, "30 07 0005 41 f0aa9b94"},
	{true, true, "20 13 00 00 10 21 0014 22 000a 24 01 25 01 12 0002 6964 28 01"},
	{false, true, "20 02 01 00"},
	{true, true, "20 02 00 01"},
	{true, true, "20 02 00 80"},
	{false, true, "90 03 3030 30"},
	{true, true, "b0 05 0001 00 00 11"},
	{true, true, "34 17 0003 612f62 000a 0c 01 01 0b 80 01 23 0001 03 0001 74 7879"},
	{true, true, "e0 05 8d 03 1f 0000"},
	{true, false, "f0 0b 18 09 15 0001 6d 16 0002 0001"},
	{true, false, "40 0c 0001 00 08 26 0001 6e 0002 7676"},
}

func agree(t *testing.T, v5, fromServer bool, b []byte) {
	version, from := octets.V311, wire.FromClient
	if v5 {
		version = octets.V5
	}
	if fromServer {
		from = wire.FromServer
	}
	d := wire.NewDecoder(from)
	d.Version = mqtt.Version(version)
	if len(b) > 0 && b[0]>>4 == byte(octets.CONNECT) {
		d.Version = 0
	}
	p, n, err := d.Next(b)
	if d.Version == mqtt.V31 { // which octets does not speak
		return
	}
	r, m := octets.Decode(b, version)
	where := func(format string, args ...any) string {
		return fmt.Sprintf("%s, v5=%t server=%t\n  % x\n  octets: %v\n  wire: %+v, %v", fmt.Sprintf(format, args...), v5, fromServer, b, r, p, err)
	}
	var mistake *wire.Error
	switch {
	case err != nil && !errors.As(err, &mistake):
		t.Fatal(where("an error of another type"))
	case err != nil && r != nil && len(r.Notes) == 0 && !slices.Contains(judgedByWireAlone, mistake.Field):
		t.Fatal(where("wire alone finds a mistake"))
	case err == nil && (r == nil) != (n == 0):
		t.Fatal(where("one takes it for a whole packet: wire %d bytes, octets %d", n, m))
	case err != nil || n == 0:
		return
	}
	if n != m {
		t.Fatal(where("sizes differ: wire %d, octets %d", n, m))
	}
	if i := slices.IndexFunc(r.Notes, func(n octets.Note) bool { return !notedByOctetsAlone(n, d.Version) }); i >= 0 {
		t.Fatal(where("octets alone finds a mistake: %v", r.Notes[i]))
	}
	if diff := cmp.Diff(ofWire(p), ofOctets(r)); diff != "" {
		t.Fatal(where("they read different things (-wire +octets):\n%s", diff))
	}
	exchange(t, d, p, r, where)
}

// notedByOctetsAlone says that wire is not meant to mind.
func notedByOctetsAlone(n octets.Note, v mqtt.Version) bool {
	return n.Rule == octets.NoWildcards || n.Rule == octets.ShortestVarInt && n.Offset == 1 && v != mqtt.V5
}

// exchange lets each codec read what the other writes of the same packet.
func exchange(t *testing.T, d *wire.Decoder, p mqtt.Packet, r *octets.Received, where func(string, ...any) string) {
	version := octets.Version(d.Version)
	written, err := wire.Append(nil, d.Version, p)
	if err != nil {
		t.Fatal(where("wire does not write what it has read: %v", err))
	}
	want := ofOctets(r)
	back, n := octets.Decode(written, version)
	if back == nil || n != len(written) || slices.ContainsFunc(back.Notes, func(n octets.Note) bool { return !notedByOctetsAlone(n, d.Version) }) {
		t.Fatal(where("octets does not take what wire has written: % x: %v", written, back))
	}
	if diff := cmp.Diff(want, ofOctets(back)); diff != "" {
		t.Fatal(where("octets reads something else from what wire has written (-before +after):\n%s", diff))
	}
	built := build(r, version)
	if built == nil {
		return
	}
	b := octets.Bytes(version, built)
	again, n, err := d.Next(b)
	if err != nil || n != len(b) {
		t.Fatal(where("wire does not take what octets has built: % x: %v", b, err))
	}
	if diff := cmp.Diff(want, ofWire(again)); diff != "" {
		t.Fatal(where("wire reads something else from what octets has built (-before +after):\n%s", diff))
	}
}
