package octets_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mqttlab/spec/octets"
)

func TestPacketsOnTheWire(t *testing.T) {
	tests := []struct {
		name   string
		packet octets.Packet
		v      octets.Version
		want   string
	}{
		{"connect 3.1.1", octets.Connect{ClientID: "a", Clean: true, KeepAlive: 10}, octets.V311, "10 0d 0004 4d515454 04 02 000a 0001 61"},
		{"connect 5.0", octets.Connect{ClientID: "a", Properties: octets.Properties{octets.ReceiveMaximum.Prop(2)}}, octets.V5, "10 11 0004 4d515454 05 00 0000 03 21 0002 0001 61"},
		{"will", octets.Connect{Will: &octets.Will{Topic: "w", Payload: "x", QoS: 1, Retain: true}, UserName: new("u"), Password: new("p")}, octets.V311, "10 18 0004 4d515454 04 ec 0000 0000 0001 77 0001 78 0001 75 0001 70"},
		{"publish qos 0", octets.Publish{Topic: "t", Payload: "p"}, octets.V311, "30 04 0001 74 70"},
		{"publish qos 2", octets.Publish{Topic: "t", QoS: 2, ID: 7, Dup: true, Retain: true}, octets.V5, "3d 06 0001 74 0007 00"},
		{"subscribe", octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: "#", QoS: 1, NoLocal: true, RetainHandling: 2}}}, octets.V5, "82 07 0001 00 0001 23 25"},
		{"unsubscribe", octets.Unsubscribe{ID: 1, Filters: []string{"#"}}, octets.V311, "a2 05 0001 0001 23"},
		{"pubrel", octets.Pubrel(3), octets.V5, "62 02 0003"},
		{"puback with code", octets.Ack{Type: octets.PUBACK, ID: 3, Code: 0x10}, octets.V5, "40 03 0003 10"},
		{"puback code in 3.1.1", octets.Ack{Type: octets.PUBACK, ID: 3, Code: 0x10}, octets.V311, "40 02 0003"},
		{"disconnect", octets.Disconnect{Code: 4}, octets.V5, "e0 01 04"},
		{"flags", octets.WithFlags(octets.Pingreq{}, 5), octets.V311, "c5 00"},
		{"length", octets.WithLength(octets.Pingreq{}, 0x80, 0), octets.V311, "c0 8000"},
		{"cut", octets.Cut(octets.Publish{Topic: "t", Payload: "pq"}, 2), octets.V311, "30 05 0001 74"},
		{"trimmed", octets.Trimmed(octets.Publish{Topic: "t", Payload: "pq"}, 2), octets.V311, "30 03 0001 74"},
		{"extended", octets.Extended(octets.Pingreq{}, 9), octets.V311, "c0 01 09"},
		{"patched", octets.Patched(octets.Publish{Topic: "t"}, 1, 0xFF), octets.V311, "30 03 00ff 74"},
		{"wrapped twice", octets.WithFlags(octets.WithType(octets.Pingreq{}, octets.CONNACK), 1), octets.V311, "21 00"},
		{"raw properties", octets.Publish{Topic: "t", Properties: octets.RawProperties(0x80, 0x00)}, octets.V5, "30 05 0001 74 8000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := fmt.Sprintf("%x", octets.Bytes(tt.v, tt.packet))
			if want := strings.ReplaceAll(tt.want, " ", ""); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestVarInt(t *testing.T) {
	for n, want := range map[uint32][]byte{0: {0}, 127: {0x7F}, 128: {0x80, 1}, 16384: {0x80, 0x80, 1}, 268435455: {0xFF, 0xFF, 0xFF, 0x7F}} {
		if got := octets.VarInt(n); !bytes.Equal(got, want) {
			t.Errorf("VarInt(%d) = % x, want % x", n, got, want)
		}
	}
	if got := octets.OverlongVarInt(5, 3); !bytes.Equal(got, []byte{0x85, 0x80, 0}) {
		t.Errorf("OverlongVarInt(5, 3) = % x", got)
	}
}

func TestDecode(t *testing.T) {
	props := octets.Properties{octets.TopicAlias.Prop(3), octets.User("k", "v"), octets.SubscriptionIdentifier.Prop(300)}
	raw := octets.Bytes(octets.V5, octets.Publish{Topic: "a/b", Payload: "hello", QoS: 1, ID: 9, Retain: true, Properties: props})
	r, n := octets.Decode(append(slices.Clone(raw), 0xC0, 0), octets.V5)
	if n != len(raw) {
		t.Fatalf("took %d bytes of %d", n, len(raw))
	}
	if r.Topic != "a/b" || r.Payload != "hello" || r.QoS != 1 || r.ID != 9 || !r.Retain || len(r.Notes) > 0 {
		t.Errorf("read as %s", r)
	}
	want := []octets.Value{{ID: octets.TopicAlias, Number: 3}, {ID: octets.UserProperty, Name: "k", Text: "v"}, {ID: octets.SubscriptionIdentifier, Number: 300}}
	if diff := cmp.Diff(want, r.Properties); diff != "" {
		t.Error(diff)
	}
	for i := range raw {
		if r, _ := octets.Decode(raw[:i], octets.V5); r != nil {
			t.Errorf("%d of %d bytes read as a packet", i, len(raw))
		}
	}
	last := r.Fields[len(r.Fields)-1]
	if last.Name != "Payload" || string(raw[last.Offset:last.Offset+last.Len]) != "hello" {
		t.Errorf("payload is said to lie at %+v", last)
	}
}

func TestNotes(t *testing.T) {
	tests := []struct {
		name string
		raw  string
		v    octets.Version
		want octets.Rule
	}{
		{"type 0", "\x00\x00", octets.V5, octets.ReservedType},
		{"auth in 3.1.1", "\xF0\x00", octets.V311, octets.ReservedType},
		{"pingresp flags", "\xD1\x00", octets.V311, octets.FixedFlags},
		{"pubrel flags", "\x60\x02\x00\x01", octets.V311, octets.FixedFlags},
		{"overlong length", "\xD0\x80\x00", octets.V311, octets.ShortestVarInt},
		{"five-byte length", "\xD0\xFF\xFF\xFF\xFF\x01", octets.V311, octets.VarIntSize},
		{"pingresp with a body", "\xD0\x01\x00", octets.V311, octets.NoTrailingBytes},
		{"short puback", "\x40\x01\x00", octets.V311, octets.CompleteFields},
		{"packet id 0", "\x40\x02\x00\x00", octets.V311, octets.NonZeroPacketID},
		{"qos 3", "\x36\x05\x00\x01t\x00\x01", octets.V311, octets.PublishQoS},
		{"dup at qos 0", "\x38\x03\x00\x01t", octets.V311, octets.NoDupAtQoS0},
		{"bad utf-8", "\x30\x03\x00\x01\xFF", octets.V311, octets.WellFormedUTF8},
		{"surrogate", "\x30\x05\x00\x03\xED\xA0\x80", octets.V311, octets.WellFormedUTF8},
		{"null", "\x30\x03\x00\x01\x00", octets.V311, octets.NoNull},
		{"wildcard", "\x30\x03\x00\x01#", octets.V311, octets.NoWildcards},
		{"empty topic", "\x30\x02\x00\x00", octets.V311, octets.TopicNotEmpty},
		{"ack flags", "\x20\x02\x02\x00", octets.V311, octets.AckFlagsReserved},
		{"unknown property", "\x20\x04\x00\x00\x01\x7F", octets.V5, octets.KnownProperty},
		{"property elsewhere", "\x20\x05\x00\x00\x02\x01\x00", octets.V5, octets.PropertyAllowed},
		{"property twice", "\x20\x07\x00\x00\x04\x24\x01\x24\x01", octets.V5, octets.PropertyOnce},
		{"maximum qos 2", "\x20\x05\x00\x00\x02\x24\x02", octets.V5, octets.PropertyValue},
		{"receive maximum 0", "\x20\x06\x00\x00\x03\x21\x00\x00", octets.V5, octets.PropertyValue},
		{"property length too long", "\x20\x04\x00\x00\x09\x24", octets.V5, octets.CompleteFields},
		{"no property length", "\x20\x02\x00\x00", octets.V5, octets.CompleteFields},
		{"suback without codes", "\x90\x02\x00\x01", octets.V311, octets.CompleteFields},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, n := octets.Decode([]byte(tt.raw), tt.v)
			if r == nil || n != len(tt.raw) {
				t.Fatalf("took %d bytes of %d", n, len(tt.raw))
			}
			if !slices.ContainsFunc(r.Notes, func(n octets.Note) bool { return n.Rule == tt.want }) {
				t.Errorf("notes %v, want %q", r.Notes, tt.want)
			}
		})
	}
}

func TestEveryClientPacketReadsCleanly(t *testing.T) {
	packets := []octets.Packet{
		octets.Connect{ClientID: "c", Will: &octets.Will{Topic: "w", Payload: "x", Retain: true}, UserName: new("u"), Password: new("p")},
		octets.Publish{Topic: "t", QoS: 2, ID: 1},
		octets.Pubrel(1), octets.Puback(1), octets.Pubrec(1), octets.Pubcomp(1),
		octets.Subscribe{ID: 1, Filters: []octets.Subscription{{Filter: "f"}}},
		octets.Unsubscribe{ID: 2, Filters: []string{"f"}},
		octets.Pingreq{},
		octets.Disconnect{},
		octets.Disconnect{Code: 4, Properties: octets.Properties{octets.SessionExpiryInterval.Prop(3)}},
	}
	for _, v := range []octets.Version{octets.V311, octets.V5} {
		for _, p := range packets {
			r, _ := octets.Decode(octets.Bytes(v, p), v)
			if r == nil || len(r.Notes) > 0 {
				t.Errorf("%s %T: %v", v, p, r)
			}
		}
	}
}

// FuzzDecode holds the reader to three promises: it never panics, it never takes more
// than there is, and what it keeps is bounded by what it was given.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x30\x0d\x00\x03a/b\x00\x09\x03\x23\x00\x03hi"), true)
	f.Add([]byte("\x20\x07\x00\x00\x04\x24\x01\x24\x01"), true)
	f.Add([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01a"), false)
	f.Add([]byte("\x90\xff\xff\xff\x7f\x00\x01\x00"), true)
	f.Fuzz(func(t *testing.T, b []byte, v5 bool) {
		v := octets.V311
		if v5 {
			v = octets.V5
		}
		r, n := octets.Decode(b, v)
		if n < 0 || n > len(b) || (r == nil) != (n == 0) {
			t.Fatalf("took %d of %d bytes, packet %v", n, len(b), r)
		}
		if r == nil {
			return
		}
		_ = r.String()
		if kept := len(r.Notes) + len(r.Fields) + len(r.Properties); kept > 4*len(b)+16 {
			t.Fatalf("%d things kept of %d bytes", kept, len(b))
		}
		for _, field := range r.Fields {
			if field.Offset < 0 || field.Offset+field.Len > n {
				t.Fatalf("field %+v outside a packet of %d bytes", field, n)
			}
		}
	})
}
