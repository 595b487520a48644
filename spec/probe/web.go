package probe

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// The opcodes of WebSocket frames that MQTT has to do with (RFC 6455, section 5.2).
const (
	Continuation byte = 0x0
	TextFrame    byte = 0x1
	BinaryFrame  byte = 0x2
	closeFrame   byte = 0x8
	pingFrame    byte = 0x9
	pongFrame    byte = 0xA
)

// Web is the client's end of a WebSocket, frame by frame: a net.Conn for the MQTT in its binary
// frames, on which illegal frames can be sent too. The package that the rest of the
// program speaks WebSocket with would refuse to send those.
type Web struct {
	net.Conn // the socket
	// Protocol is the subprotocol that the target has chosen, empty for none.
	Protocol string

	r    *bufio.Reader
	left uint64     // of the frame being read
	mu   sync.Mutex // guards writing: pongs come from the reader
}

// OpenWeb does the handshake on a socket. The subprotocols are those offered, none if it is empty.
// When ctx ends, so does the handshake. The socket is closed after an error; that of a target
// that refuses is a [*Refused].
func OpenWeb(ctx context.Context, socket net.Conn, host, path, subprotocols string) (*Web, error) {
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	w := &Web{Conn: socket, r: bufio.NewReader(socket)}
	if err := w.handshake(host, path, subprotocols); err != nil {
		socket.Close()
		return nil, errors.Join(err, ctx.Err())
	}
	return w, nil
}

// Refused is the answer of a server that wants no WebSocket.
type Refused struct{ Status string }

func (r *Refused) Error() string {
	return fmt.Sprintf("the WebSocket handshake was answered by %q", r.Status)
}

func (w *Web) handshake(host, path, subprotocols string) error {
	if path == "" || path == "/" {
		path = "/mqtt" // as most clients do
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: bXF0dGxhYiBtcXR0bGFiIQ==\r\nSec-WebSocket-Version: 13\r\n"
	if subprotocols != "" {
		request += "Sec-WebSocket-Protocol: " + subprotocols + "\r\n"
	}
	if _, err := io.WriteString(w.Conn, request+"\r\n"); err != nil {
		return err
	}
	response, err := http.ReadResponse(w.r, &http.Request{Method: http.MethodGet})
	switch {
	case err != nil:
		return fmt.Errorf("WebSocket handshake: %w", err)
	case response.StatusCode != http.StatusSwitchingProtocols:
		return &Refused{response.Status}
	}
	w.Protocol = strings.TrimSpace(response.Header.Get("Sec-WebSocket-Protocol"))
	return nil
}

// Write sends one binary frame.
func (w *Web) Write(b []byte) (int, error) {
	if err := w.Frame(BinaryFrame, true, true, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Frame sends one frame, right or wrong: with FIN or without, masked as a client has to or not.
func (w *Web) Frame(opcode byte, fin, masked bool, payload []byte) error {
	head := []byte{opcode, 0}
	if fin {
		head[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		head[1] = byte(n)
	case n < 1<<16:
		head[1] = 126
		head = binary.BigEndian.AppendUint16(head, uint16(n))
	default:
		head[1] = 127
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	body := append([]byte(nil), payload...)
	if masked {
		key := [4]byte{0x6d, 0x71, 0x74, 0x74}
		head[1] |= 0x80
		head = append(head, key[:]...)
		for i := range body {
			body[i] ^= key[i%4]
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.Conn.Write(append(head, body...))
	return err
}

// Read returns bytes of binary frames. A frame of another kind that should not come is an
// error; a close frame is io.EOF.
func (w *Web) Read(b []byte) (int, error) {
	for w.left == 0 {
		if err := w.next(); err != nil {
			return 0, err
		}
	}
	n, err := w.r.Read(b[:min(uint64(len(b)), w.left)])
	w.left -= uint64(n)
	return n, err
}

// next reads the head of a frame, and the whole of those that carry no data.
func (w *Web) next() error {
	var head [2]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return err
	}
	size := uint64(head[1] & 0x7f)
	if long := map[uint64]int{126: 2, 127: 8}[size]; long > 0 {
		var length [8]byte
		if _, err := io.ReadFull(w.r, length[8-long:]); err != nil {
			return unexpected(err)
		}
		size = binary.BigEndian.Uint64(length[:])
	}
	switch opcode := head[0] & 0x0f; {
	case head[1]&0x80 != 0:
		return errors.New("the target sent a masked WebSocket frame")
	case opcode == BinaryFrame || opcode == Continuation:
		w.left = size
		return nil
	case opcode == TextFrame:
		return errors.New("the target sent a text frame")
	case opcode == closeFrame:
		return io.EOF
	case opcode == pingFrame || opcode == pongFrame:
		return w.pong(opcode, size)
	default:
		return fmt.Errorf("the target sent a WebSocket frame of kind %d", opcode)
	}
}

// pong answers a ping and passes over a pong.
func (w *Web) pong(opcode byte, size uint64) error {
	const longest = 125 // RFC 6455, section 5.5
	if size > longest {
		return fmt.Errorf("the target sent a control frame of %d bytes", size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(w.r, body); err != nil {
		return unexpected(err)
	}
	if opcode == pingFrame {
		return w.Frame(pongFrame, true, true, body)
	}
	return nil
}

// unexpected is the error of a stream that ends within a frame.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
