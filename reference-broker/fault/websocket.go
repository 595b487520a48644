package fault

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"

	"mqttlab/reference-broker/mqtt"
)

// These faults change what is under a WebSocket.
var _ = register(
	Fault{
		Name: "web-text-accepted", Title: "takes text frames for binary ones",
		Breaks: []string{"MQTT5-6.0.0-1", "MQTT311-6.0.0-1"},
		Under: framesIn(func(f webFrame) webFrame {
			if f.opcode() == webText {
				f.head = f.head&0xf0 | webBinary
			}
			return f
		}),
	},
	Fault{
		Name: "web-unmasked-accepted", Title: "takes frames of a client that are not masked",
		Breaks: []string{"MQTT5-6.0.0-1", "MQTT311-6.0.0-1"},
		Under: framesIn(func(f webFrame) webFrame {
			if f.mask == nil {
				f.mask = make([]byte, 4) // which changes nothing
			}
			return f
		}),
	},
	Fault{
		Name: "web-text-sent", Title: "sends PUBLISH in text frames",
		Breaks: []string{"MQTT5-6.0.0-1", "MQTT311-6.0.0-1"},
		Under: func(c net.Conn) net.Conn {
			return &webSocket{Conn: c, out: webStream{frame: func(f webFrame) webFrame {
				if f.opcode() == webBinary && len(f.payload) > 0 && mqtt.Type(f.payload[0]>>4) == mqtt.TypePublish {
					f.head = f.head&0xf0 | webText
				}
				return f
			}}}
		},
	},
	Fault{
		Name: "web-rest-of-frame-lost", Title: "reads one packet of each WebSocket frame",
		Breaks: []string{"MQTT5-6.0.0-2", "MQTT311-6.0.0-2"},
		Under: framesIn(func(f webFrame) webFrame {
			if n := packetLength(f.data()); n > 0 && n < len(f.payload) {
				f.payload = f.payload[:n]
			}
			return f
		}),
	},
	Fault{
		Name: "web-part-of-packet-lost", Title: "does not read a WebSocket frame that begins with a part of a packet",
		Breaks: []string{"MQTT5-6.0.0-2", "MQTT311-6.0.0-2"},
		Under: framesIn(func(f webFrame) webFrame {
			if packetLength(f.data()) == 0 {
				f.payload = nil
			}
			return f
		}),
	},
	Fault{
		Name: "web-first-subprotocol", Title: "agrees to the first subprotocol that is offered, whatever it is",
		Breaks: []string{"MQTT5-6.0.0-4", "MQTT311-6.0.0-4"},
		Under: func(c net.Conn) net.Conn {
			s, first := &webSocket{Conn: c}, "mqtt"
			s.in.head = func(request string) string {
				_, offered, _ := strings.Cut(request, "Sec-WebSocket-Protocol: ")
				if i := strings.IndexAny(offered, ",\r"); i > 0 {
					first = offered[:i]
				}
				return request
			}
			s.out.head = func(response string) string {
				return strings.Replace(response, "Sec-Websocket-Protocol: mqtt", "Sec-Websocket-Protocol: "+first, 1)
			}
			return s
		},
	},
)

const (
	webText   = 1
	webBinary = 2
)

// webFrame is a frame of RFC 6455.
type webFrame struct {
	head    byte   // FIN and opcode
	mask    []byte // nil or four bytes
	payload []byte // as it is sent, masked
}

func (f webFrame) opcode() byte { return f.head & 0x0f }

// data is the payload without the mask.
func (f webFrame) data() []byte {
	b := bytes.Clone(f.payload)
	for i := range b {
		if f.mask != nil {
			b[i] ^= f.mask[i%4]
		}
	}
	return b
}

// cutFrame cuts a frame off; n is 0 until all of it is there.
func cutFrame(b []byte) (f webFrame, n int) {
	if len(b) < 2 {
		return f, 0
	}
	size, at := int(b[1]&0x7f), 2
	switch {
	case size == 126 && len(b) >= 4:
		size, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case size == 127 && len(b) >= 10:
		size, at = int(binary.BigEndian.Uint64(b[2:])), 10
	case size >= 126:
		return f, 0
	}
	masked := b[1]&0x80 != 0
	if masked {
		at += 4
	}
	if len(b) < at+size {
		return f, 0
	}
	f = webFrame{head: b[0], payload: b[at : at+size]}
	if masked {
		f.mask = b[at-4 : at]
	}
	return f, at + size
}

func appendFrame(dst []byte, f webFrame) []byte {
	var masked byte
	if f.mask != nil {
		masked = 0x80
	}
	dst = append(dst, f.head)
	switch n := len(f.payload); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	return append(append(dst, f.mask...), f.payload...)
}

// packetLength is the length of the whole packet that b begins with, 0 if there is none.
func packetLength(b []byte) int {
	size, shift := 0, 0
	for i := 1; i < len(b) && i < 5; i++ {
		size |= int(b[i]&0x7f) << shift
		shift += 7
		if b[i] < 0x80 {
			if n := i + 1 + size; n <= len(b) {
				return n
			}
			return 0
		}
	}
	return 0
}

// webStream changes one direction: the head of the HTTP handshake, then each frame. A nil function changes nothing.
type webStream struct {
	head  func(string) string
	frame func(webFrame) webFrame

	shaken bool
	held   []byte // not whole yet
}

// feed takes bytes of the stream and returns those that go on.
func (s *webStream) feed(b []byte) []byte {
	s.held = append(s.held, b...)
	var on []byte
	if !s.shaken {
		end := bytes.Index(s.held, []byte("\r\n\r\n"))
		if end < 0 {
			return nil
		}
		head := string(s.held[:end+4])
		s.held, s.shaken = s.held[end+4:], true
		if s.head != nil {
			head = s.head(head)
		}
		on = []byte(head)
	}
	for {
		f, n := cutFrame(s.held)
		if n == 0 {
			return on
		}
		if s.frame != nil {
			f = s.frame(f)
		}
		on = appendFrame(on, f)
		s.held = s.held[n:]
	}
}

// webSocket is the server's end of a socket with a WebSocket on it. One goroutine reads and one writes at a time, as with any connection.
type webSocket struct {
	net.Conn
	in, out webStream
	ready   []byte // read, changed, not yet taken
}

// framesIn changes each frame of a client.
func framesIn(change func(webFrame) webFrame) func(net.Conn) net.Conn {
	return func(c net.Conn) net.Conn { return &webSocket{Conn: c, in: webStream{frame: change}} }
}

func (s *webSocket) Read(b []byte) (int, error) {
	chunk := make([]byte, 4<<10)
	for len(s.ready) == 0 {
		n, err := s.Conn.Read(chunk)
		s.ready = append(s.ready, s.in.feed(chunk[:n])...)
		if err != nil && len(s.ready) == 0 {
			return 0, err
		}
	}
	n := copy(b, s.ready)
	s.ready = s.ready[n:]
	return n, nil
}

func (s *webSocket) Write(b []byte) (int, error) {
	if on := s.out.feed(b); len(on) > 0 {
		if _, err := s.Conn.Write(on); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}
