package target

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/probe"
)

// Trouble is why a target cannot be judged at all.
type Trouble string

// The troubles told apart.
const (
	Unreachable Trouble = "unreachable"
	TLSPort     Trouble = "expects TLS"
	NoHandshake Trouble = "takes no part in the handshake"
	Silent      Trouble = "silent"
	NotMQTT     Trouble = "does not speak MQTT"
	Closes      Trouble = "closes at once"
	Refuses     Trouble = "refuses every client"
)

// ReachError tells why a target cannot be judged, in one line with what to do.
type ReachError struct {
	Trouble Trouble
	URL     string
	// Detail is what was seen.
	Detail string
	// Err is the cause, nil if there is none below.
	Err error
}

// Error is one line.
func (e *ReachError) Error() string {
	advice := map[Trouble]string{
		Unreachable: "is a broker listening there?",
		TLSPort:     "this port answers TLS; write mqtts://, or give the port for plain MQTT",
		NoHandshake: "does it speak TLS or WebSocket there? a port for plain MQTT wants mqtt://",
		Silent:      "it accepts connections and does not answer CONNECT",
		NotMQTT:     "something else than an MQTT broker answers there",
		Closes:      "it closes the connection on a valid CONNECT; does it want TLS or a password?",
		Refuses:     "does it want a user name and password? name them in a target file",
	}[e.Trouble]
	return fmt.Sprintf("%s: %s; %s", e.URL, e.Detail, advice)
}

// Unwrap is the cause.
func (e *ReachError) Unwrap() error { return e.Err }

// VersionError tells that a target does not speak a version of the protocol.
type VersionError struct {
	Version octets.Version
	// Got is how it refused.
	Got string
}

// Error is one line.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the target does not speak MQTT %s (%s)", e.Version, e.Got)
}

// whyNot explains an attempt that did not lead to an accepting CONNACK.
func (d *discovery) whyNot(err error, e probe.Event) error {
	bad := func(t Trouble, detail string) error {
		return &ReachError{Trouble: t, URL: d.t.URL, Detail: detail, Err: err}
	}
	refusedVersion := byte(0x84)
	if d.v != octets.V5 {
		refusedVersion = 0x01
	}
	unheard := e.Packet == nil && e.End == nil && d.log.Entries() == nil
	switch {
	case unheard && strayed(err):
		return bad(NoHandshake, "connected, and then no handshake")
	case unheard:
		return bad(Unreachable, reason(err))
	case e.Packet != nil && e.Packet.Type == octets.CONNACK && (e.Packet.Code == refusedVersion || e.Packet.Code == 0x01):
		return &VersionError{d.v, e.Packet.String()}
	case e.Packet != nil && e.Packet.Type == octets.CONNACK:
		return bad(Refuses, "CONNECT was answered by "+e.Packet.String())
	}
	ended := e.End != nil && e.End.ByTarget()
	heard := d.heard()
	switch {
	case (ended || heard != "") && d.speaksTLS():
		return bad(TLSPort, "CONNECT is not answered as by an MQTT broker")
	case heard != "":
		return bad(NotMQTT, "CONNECT was answered by "+heard)
	case ended:
		return bad(Closes, "connection "+e.End.String())
	}
	return bad(Silent, fmt.Sprintf("no answer within %v", d.timings.Answer))
}

// heard is the first thing the target said.
func (d *discovery) heard() string {
	for _, entry := range d.log.Entries() {
		if entry.FromTarget && entry.Hex != "" {
			return fmt.Sprintf("the bytes %.60s", entry.Hex)
		}
	}
	return ""
}

// speaksTLS tries a TLS handshake; a target that answers one in any way speaks it.
func (d *discovery) speaksTLS() bool {
	conn, err := d.t.Open(d.ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(d.timings.Answer)); err != nil {
		return false
	}
	// The certificate is of no interest, only whether there is one.
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // nothing is sent
	err = client.HandshakeContext(d.ctx)
	var alert tls.AlertError
	return err == nil || errors.As(err, &alert)
}

// strayed reports whether a dial failed because the other end closed in a handshake, or answered it with something else.
func strayed(err error) bool {
	var (
		odd  tls.RecordHeaderError
		read *net.OpError
	)
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &odd) || errors.As(err, &read) && read.Op == "read" && !read.Timeout()
}

// reason shortens the error of a dial to what a person needs.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer to the connection request"
	case err == nil:
		return "no connection"
	}
	return err.Error()
}
