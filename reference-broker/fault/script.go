package fault

import (
	"sync"

	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// Frame is one Control Packet as bytes.
type Frame []byte

// Type is the Control Packet type.
func (f Frame) Type() mqtt.Type { return mqtt.Type(f[0] >> 4) }

// Body is what follows the fixed header; it aliases the frame.
func (f Frame) Body() []byte {
	for i := 1; i < len(f); i++ {
		if f[i] < 0x80 {
			return f[i+1:]
		}
	}
	return nil
}

// Client is what a script knows of one connection.
type Client struct {
	Conn    server.ConnID
	Version mqtt.Version  // 0 before CONNECT
	Connect *mqtt.Connect // as the client sent it; nil before CONNECT
	Notes   map[string]any
}

// Script is a [broker.Tap] in the language of packets. Its functions are never called at the same time and get each frame once; what they
// return takes its place. A nil function changes nothing. They may keep notes about a connection in Client.Notes, and about all of them in
// variables of their own.
type Script struct {
	// In rewrites what a client sends, before it is parsed.
	In func(c *Client, f Frame) []Frame
	// Out rewrites what the broker sends.
	Out func(c *Client, f Frame) []Frame
	// KeepOpen keeps a connection open that the broker wants to close.
	KeepOpen func(c *Client) bool

	mu      sync.Mutex // guards clients and the calls
	clients map[server.ConnID]*Client
}

func (s *Script) client(conn server.ConnID) *Client {
	c := s.clients[conn]
	if c == nil {
		c = &Client{Conn: conn, Notes: map[string]any{}}
		if s.clients == nil {
			s.clients = map[server.ConnID]*Client{}
		}
		s.clients[conn] = c
	}
	return c
}

// tapIn notes what a CONNECT says before the script sees it.
func (s *Script) tapIn(conn server.ConnID, frame []byte) broker.Tapped {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.client(conn)
	if p, ok := decode(wire.FromClient, c.Version, frame).(*mqtt.Connect); ok && c.Connect == nil {
		c.Connect, c.Version = p, p.Version
	}
	return rewrite(s.In, c, frame)
}

func rewrite(script func(*Client, Frame) []Frame, c *Client, frame []byte) broker.Tapped {
	if script == nil || len(frame) == 0 {
		return broker.Pass(frame)
	}
	var t broker.Tapped
	for _, f := range script(c, frame) {
		t.Frames = append(t.Frames, f)
	}
	return t
}

// decode reads one packet; nil if the bytes are none.
func decode(from wire.Side, v mqtt.Version, frame []byte) mqtt.Packet {
	d := wire.NewDecoder(from)
	d.Version = v
	p, _, err := d.Next(frame)
	if err != nil {
		return nil
	}
	return p
}

// encode is [wire.Append] for packets that a decoder made and a script changed within what the codec can write.
func encode(v mqtt.Version, p mqtt.Packet) Frame {
	b, err := wire.Append(nil, v, p)
	if err != nil {
		panic("fault: " + err.Error())
	}
	return b
}

// tap makes a Script usable as a broker.Tap without giving its fields' names to methods.
type tap struct{ s *Script }

func (t tap) In(conn server.ConnID, frame []byte) broker.Tapped { return t.s.tapIn(conn, frame) }

func (t tap) Out(conn server.ConnID, frame []byte) broker.Tapped {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return rewrite(t.s.Out, t.s.client(conn), frame)
}

func (t tap) Closing(conn server.ConnID) bool {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.s.KeepOpen == nil || !t.s.KeepOpen(t.s.client(conn))
}

// script is the Fault.Tap of a script whose functions keep no state across brokers; make is called once per broker.
func script(make func() *Script) func() broker.Tap {
	return func() broker.Tap { return tap{make()} }
}

// editOut changes each packet of type P that the broker sends.
func editOut[P mqtt.Packet](change func(c *Client, p P)) func() broker.Tap {
	return script(func() *Script {
		return &Script{Out: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromServer, c.Version, f).(P); ok {
				change(c, p)
				f = encode(c.Version, p)
			}
			return []Frame{f}
		}}
	})
}

// editIn changes each packet of type P that a client sends.
func editIn[P mqtt.Packet](change func(c *Client, p P)) func() broker.Tap {
	return script(func() *Script {
		return &Script{In: func(c *Client, f Frame) []Frame {
			if p, ok := decode(wire.FromClient, c.Version, f).(P); ok {
				change(c, p)
				f = encode(c.Version, p)
			}
			return []Frame{f}
		}}
	})
}

// rawOut changes the bytes of each packet of a type that the broker sends; the frame may be changed in place.
func rawOut(t mqtt.Type, change func(c *Client, f Frame) []Frame) func() broker.Tap {
	return script(func() *Script {
		return &Script{Out: only(t, change)}
	})
}

// rawIn changes the bytes of each packet of a type that a client sends, well-formed or not.
func rawIn(t mqtt.Type, change func(c *Client, f Frame) []Frame) func() broker.Tap {
	return script(func() *Script {
		return &Script{In: only(t, change)}
	})
}

func only(t mqtt.Type, change func(c *Client, f Frame) []Frame) func(*Client, Frame) []Frame {
	return func(c *Client, f Frame) []Frame {
		if f.Type() != t {
			return []Frame{f}
		}
		return change(c, f)
	}
}
