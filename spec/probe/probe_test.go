package probe_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// talk runs a conversation with a server that plays a script: what it answers to each
// packet, by type. It returns the failure that ended the conversation, if any.
func talk(t *testing.T, script map[octets.Type]string, do func(p *probe.Peer)) (failure *probe.Failure, log *probe.Transcript) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			chunk := make([]byte, 1024)
			for {
				n, err := server.Read(chunk)
				if err != nil {
					return
				}
				for b := chunk[:n]; len(b) > 0; {
					r, used := octets.Decode(b, octets.V311)
					if r == nil {
						break
					}
					b = b[used:]
					answer := script[r.Type]
					if answer == "close" {
						return
					}
					if _, err := server.Write([]byte(answer)); err != nil {
						return
					}
				}
			}
		}()
		log = probe.NewTranscript()
		p := probe.New(client, probe.Options{
			Name: "client", Version: octets.V311, Timings: probe.Timings{}.WithDefaults(), Log: log,
			Fail: func(f probe.Failure) { panic(f) },
		})
		defer p.Close()
		defer func() {
			if f, ok := recover().(probe.Failure); ok {
				failure = &f
			}
		}()
		do(p)
	})
	return failure, log
}

const (
	connack  = "\x20\x02\x00\x00"
	pingresp = "\xD0\x00"
	puback   = "\x40\x02\x00\x01"
	message  = "\x30\x04\x00\x01th"
)

func TestVerbs(t *testing.T) {
	qos1 := octets.Publish{Topic: "t", QoS: 1, ID: 1}
	connect := func(p *probe.Peer) { p.Connect(octets.Connect{ClientID: "c", Clean: true}) }
	tests := []struct {
		name   string
		script map[octets.Type]string
		do     func(p *probe.Peer)
		got    string // part of what the failure says; empty for none
	}{
		{"want", map[octets.Type]string{octets.PUBLISH: puback}, func(p *probe.Peer) { p.Send(qos1); p.WantID(octets.PUBACK, 1, "acked") }, ""},
		{"want another id", map[octets.Type]string{octets.PUBLISH: puback}, func(p *probe.Peer) { p.Send(qos1); p.WantID(octets.PUBACK, 2, "acked") }, "PUBACK id=1"},
		{"want another type", map[octets.Type]string{octets.PUBLISH: puback}, func(p *probe.Peer) { p.Send(qos1); p.Want(octets.PUBREC, "received") }, "PUBACK id=1"},
		{"want and silence", nil, func(p *probe.Peer) { p.Send(qos1); p.Want(octets.PUBACK, "acked") }, "nothing within 3s"},
		{"want and close", map[octets.Type]string{octets.PUBLISH: "close"}, func(p *probe.Peer) { p.Send(qos1); p.Want(octets.PUBACK, "acked") }, "FIN"},
		{"message set aside", map[octets.Type]string{octets.PUBLISH: message + puback}, func(p *probe.Peer) {
			p.Publish(qos1)
			p.WantMessage("t", "h", "delivered")
		}, ""},
		{"silence", map[octets.Type]string{octets.PINGREQ: pingresp}, func(p *probe.Peer) { p.WantSilence("quiet") }, ""},
		{"no silence", map[octets.Type]string{octets.PINGREQ: message + pingresp}, func(p *probe.Peer) { p.WantSilence("quiet") }, `PUBLISH "t"`},
		{"no answer to the barrier", nil, func(p *probe.Peer) { p.WantSilence("quiet") }, "nothing within"},
		{"set aside breaks silence", map[octets.Type]string{octets.PUBLISH: message + puback, octets.PINGREQ: pingresp}, func(p *probe.Peer) {
			p.Publish(qos1)
			p.WantSilence("quiet")
		}, `PUBLISH "t"`},
		{"close", map[octets.Type]string{octets.PUBLISH: "close"}, func(p *probe.Peer) { p.Send(qos1); p.WantClose("closed") }, ""},
		{"no close", map[octets.Type]string{octets.PUBLISH: puback, octets.PINGREQ: pingresp}, func(p *probe.Peer) { p.Send(qos1); p.WantClose("closed") }, "stays open"},
		{"too early", map[octets.Type]string{octets.PUBLISH: "close"}, func(p *probe.Peer) {
			p.Send(qos1)
			p.WantCloseBetween(time.Second, 2*time.Second, "in time")
		}, "after 0s"},
		{"too late", nil, func(p *probe.Peer) { p.Send(qos1); p.WantCloseBetween(time.Second, 2*time.Second, "in time") }, "still open after 4s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script := map[octets.Type]string{octets.CONNECT: connack}
			for k, v := range tt.script {
				script[k] = v
			}
			failure, log := talk(t, script, func(p *probe.Peer) { connect(p); tt.do(p) })
			switch {
			case failure == nil && tt.got != "":
				t.Errorf("content, want a failure that says %q", tt.got)
			case failure != nil && (tt.got == "" || !strings.Contains(failure.Got, tt.got)):
				t.Errorf("%v\nwant %q", failure, tt.got)
			}
			if entries := log.Entries(); len(entries) < 3 || entries[1].Hex == "" || entries[2].Packet != "CONNACK 0x00 session-present=false" || !entries[2].FromTarget {
				t.Errorf("transcript: %+v", entries)
			}
		})
	}
}

func TestSentAndReceivedIsRecordedOnce(t *testing.T) {
	_, log := talk(t, map[octets.Type]string{octets.PINGREQ: pingresp}, func(p *probe.Peer) {
		p.Send(octets.Pingreq{}, octets.Pingreq{})
	})
	sent := 0
	for _, e := range log.Entries() {
		if e.Packet == "PINGREQ" && e.Hex == "c000" {
			sent++
		}
	}
	if sent != 2 {
		t.Errorf("two packets in one write make %d entries: %+v", sent, log.Entries())
	}
}

// TestLateAnswer lets a target answer only after it was asked whether it is there: the PINGRESP behind the answer belongs to
// nobody then.
func TestLateAnswer(t *testing.T) {
	script := map[octets.Type]string{
		octets.CONNECT: "\x20\x02\x00\x00",
		octets.PINGREQ: "\x40\x02\x00\x07" + "\xD0\x00",
		octets.PUBREL:  "\x70\x02\x00\x07",
	}
	failure, _ := talk(t, script, func(p *probe.Peer) {
		p.Connect(octets.Connect{ClientID: "c", Clean: true})
		p.Send(octets.Publish{Topic: "t", QoS: 1, ID: 7})
		end, got := p.Reaction(func(got []*octets.Received) bool { return got[len(got)-1].Type == octets.PUBACK })
		if end != nil || len(got) != 1 || got[0].Type != octets.PUBACK {
			t.Errorf("the reaction is %v, %v", end, got)
		}
		p.Send(octets.Pubrel(7))
		p.WantID(octets.PUBCOMP, 7, "PUBREL is answered")
	})
	if failure != nil {
		t.Error(failure)
	}
}

// TestClosesWithTheTarget has a target that says it closes, and waits for the client to do so too.
func TestClosesWithTheTarget(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := probe.New(client, probe.Options{
		Name: "client", Version: octets.V311, Timings: probe.Timings{}.WithDefaults(), Log: probe.NewTranscript(),
		Fail: func(f probe.Failure) { t.Error(f) },
	})
	defer p.Close()
	if err := server.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	server.SetReadDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck // the read tells
	if n, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client did not close: %d bytes, %v", n, err)
	}
}
