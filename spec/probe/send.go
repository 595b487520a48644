package probe

import (
	"time"

	"mqttlab/spec/octets"
)

// Send writes packets in one piece. An error of the connection is not a failure yet:
// the target may have closed it, and how it did so shows when reading.
func (p *Peer) Send(packets ...octets.Packet) { p.Write(octets.Bytes(p.o.Version, packets...)) }

// Write writes bytes as they are, right or wrong.
func (p *Peer) Write(b []byte) {
	var lines []string
	describe(b, p.o.Version, func(line string, raw []byte, r *octets.Received) {
		lines = append(lines, line)
		p.o.Log.add(p.o.Name, false, line, raw)
		if r != nil && p.o.Sent != nil {
			p.o.Sent(r)
		}
	})
	p.sent, p.sentAt = summary(lines), time.Now()
	if err := p.conn.SetWriteDeadline(p.sentAt.Add(p.o.Timings.Answer)); err == nil {
		_, err = p.conn.Write(b)
		if err != nil {
			p.o.Log.add(p.o.Name, false, "write: "+err.Error(), nil)
		}
	}
}

// Note records what the check has sent past the peer, on its [Peer.Conn].
func (p *Peer) Note(what string, raw []byte) {
	p.o.Log.add(p.o.Name, false, what, raw)
	p.sent, p.sentAt = what, time.Now()
}

// NextID returns Packet Identifiers from 1 upwards, for packets that the check lays
// out itself. The set-up verbs use it too.
func (p *Peer) NextID() uint16 {
	p.lastID++
	if p.lastID == 0 {
		p.lastID = 1
	}
	return p.lastID
}

// Disconnect sends DISCONNECT (0x00) and waits until the target has closed or Settle
// is over, then closes.
func (p *Peer) Disconnect() {
	p.Send(octets.Disconnect{})
	for e := p.Next(p.o.Timings.Settle); e.Packet != nil; {
		e = p.Next(p.o.Timings.Settle)
	}
	p.Close()
}
