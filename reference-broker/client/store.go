package client

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	core "mqttlab/reference-broker/core/client"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// Store keeps the client's half of one Session over the end of the process: QoS 1 and 2 messages that are not acknowledged, and how far the
// exchange of each is. It holds pairs of a key and a value that mean nothing to it. [OpenFileStore] has one. A Store belongs to one Client,
// whose calls do not overlap.
type Store interface {
	// Load hands out all pairs, in any order, until each returns an error. A value is valid during the call.
	Load(each func(key string, value []byte) error) error
	// Commit makes all changes, in this order, or none, and returns when they will outlive the process, and the power if they are to. After an error
	// the Client ends.
	Commit(changes []Change) error
}

// Change is one change of a Store.
type Change struct {
	Key   string
	Value []byte // nil: the pair is removed
}

// ErrNotKept: the Store of Options failed, which ended the client. What it was to keep was not sent.
var ErrNotKept = errors.New("the store of messages under way failed")

// The first byte of a key.
const (
	keyClient   = 'c' // the Client Identifier
	keyMessage  = 'm' // token: when it was taken, PUBLISH
	keyExchange = 'x' // token: Packet Identifier, whether it is released, and as which
	keyReceived = 'r' // Packet Identifier of an incoming QoS 2 message
)

func tokenKey(kind byte, t core.Token) string {
	return string(binary.BigEndian.AppendUint64([]byte{kind}, uint64(t)))
}

func receivedKey(id uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte{keyReceived}, id))
}

// journal collects what the Store has to know. What leaves the client on the Network Connection is written after the changes that were noted before.
type journal struct {
	store  Store      // nil: none
	commit sync.Mutex // held while the Store works; taken before Client.mu

	// Guarded by Client.mu.
	pending  []Change
	clientID string // in the Store
	releases uint64 // messages released so far, for their order
	received map[uint16]bool
	failure  error
}

func (j *journal) put(key string, value []byte) {
	j.pending = append(j.pending, Change{key, value})
}

func (j *journal) remove(key string) { j.put(key, nil) }

// take notes a message that the machine has taken. c.mu is held.
func (j *journal) take(t core.Token, p *mqtt.Publish, now time.Time) {
	if j.store == nil || p.QoS == mqtt.AtMostOnce {
		return
	}
	j.put(tokenKey(keyMessage, t), encodeMessage(p, now))
}

// note notes what an action changes. c.mu is held, and the action is not carried out yet.
func (c *Client) note(a *core.Action) {
	j := &c.journal
	switch a.Kind {
	case core.SendPublish:
		if a.Sending.PacketID != 0 && !a.Sending.Dup {
			j.put(tokenKey(keyExchange, a.Token), exchange{id: a.Sending.PacketID}.encode())
		}
	case core.SendAck:
		j.noteAck(a)
	case core.Done:
		if o := c.ops[a.Token]; o != nil && o.publish.QoS > mqtt.AtMostOnce {
			j.remove(tokenKey(keyMessage, a.Token))
			j.remove(tokenKey(keyExchange, a.Token))
		}
	case core.StateChange:
		if k, ok := a.Packet.(*mqtt.Connack); ok {
			c.noteSession(k)
		}
	}
}

func (j *journal) noteAck(a *core.Action) {
	switch {
	case a.AckType == mqtt.TypePubrel && a.Token != 0:
		j.releases++
		j.put(tokenKey(keyExchange, a.Token), exchange{id: a.AckID, released: j.releases}.encode())
	case a.AckType == mqtt.TypePubrec && !a.Code.Failed():
		j.received[a.AckID] = true
		j.put(receivedKey(a.AckID), []byte{})
	case a.AckType == mqtt.TypePubcomp && j.received[a.AckID]:
		delete(j.received, a.AckID)
		j.remove(receivedKey(a.AckID))
	}
}

// noteSession notes what a connection means for the Session.
func (c *Client) noteSession(k *mqtt.Connack) {
	j := &c.journal
	if id := c.m.ClientID(); id != j.clientID {
		j.clientID = id
		j.put(string(rune(keyClient)), []byte(id))
	}
	if k.SessionPresent || c.version == mqtt.V31 { // 3.1 does not tell
		return
	}
	for id := range j.received {
		j.remove(receivedKey(id))
	}
	clear(j.received)
}

// persist commits what was noted and returns when it is stored. c.mu is not held. A failure ends the client.
func (c *Client) persist() error {
	j := &c.journal
	if j.store == nil {
		return nil
	}
	j.commit.Lock()
	defer j.commit.Unlock()
	c.mu.Lock()
	changes, err := j.pending, j.failure
	j.pending = nil
	c.mu.Unlock()
	if err != nil || len(changes) == 0 {
		return err
	}
	if err = j.store.Commit(changes); err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", ErrNotKept, err)
	c.mu.Lock()
	j.failure = err
	c.mu.Unlock()
	c.cancel()
	return err
}

// cause returns why the client ends that was told to.
func (c *Client) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.journal.failure, ErrClosed)
}

// restore gives the machine what an earlier process has left, and makes it, which needs the Client Identifier. Nobody else knows c yet.
func (c *Client) restore(cfg *core.Config) error {
	j := &c.journal
	j.received = map[uint16]bool{}
	var found leftovers
	if j.store != nil {
		if err := j.store.Load(found.add); err != nil {
			return fmt.Errorf("reading what an earlier process has left in the store: %w", err)
		}
	}
	j.clientID = found.clientID
	id := cmp.Or(c.opts.Connect.ClientID, found.clientID)
	if found.clientID != "" && id != found.clientID {
		return fmt.Errorf("the store has the Session of client %q, Connect.ClientID is %q: use a store of its own for each", found.clientID, id)
	}
	c.m = core.New(cfg, id)
	kept, err := found.kept()
	if err != nil || len(kept)+len(found.received) == 0 {
		return err
	}
	for i := range kept {
		o := &op{publish: *kept[i].Publish, done: make(chan struct{})}
		kept[i].Publish = &o.publish
		c.ops[kept[i].Token] = o
		c.token = max(c.token, kept[i].Token)
		c.restored = append(c.restored, (*Pending)(o))
	}
	for _, id := range found.received {
		j.received[id] = true
	}
	j.releases = found.releases
	return c.m.Restore(time.Now(), kept, found.received)
}

// exchange is how far an outgoing message is.
type exchange struct {
	id       uint16
	released uint64 // its place in the order of PUBRECs; 0: none has come
}

func (x exchange) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(nil, x.id), x.released)
}

// encodeMessage writes PUBLISH as the codec of 5.0 does, with its payload behind it.
func encodeMessage(p *mqtt.Publish, taken time.Time) []byte {
	head := *p
	head.Payload = nil
	b := binary.BigEndian.AppendUint64(nil, uint64(taken.UnixNano()))
	d := wire.Delivery{PacketID: 1, QoS: p.QoS, Retain: p.Retain, MessageExpiryInterval: p.MessageExpiryInterval}
	b, _, _ = wire.AppendPublish(b, mqtt.V5, &head, d) // the machine has checked it
	return append(b, p.Payload...)
}

func decodeMessage(b []byte) (p *mqtt.Publish, taken time.Time, err error) {
	if len(b) < 8 {
		return nil, taken, errForeign
	}
	taken, b = time.Unix(0, int64(binary.BigEndian.Uint64(b))), b[8:]
	decoder := wire.NewDecoder(wire.FromClient)
	decoder.Version = mqtt.V5
	packet, n, err := decoder.Next(b)
	p, ok := packet.(*mqtt.Publish)
	if err != nil || !ok || p.QoS == mqtt.AtMostOnce {
		return nil, taken, errForeign
	}
	p.Payload, p.PacketID = b[n:], 0
	return p.Clone(), taken, nil
}

var errForeign = errors.New("the store holds what this program has not written")

// leftovers are what a Store holds.
type leftovers struct {
	clientID  string
	messages  map[core.Token]core.Kept
	exchanges map[core.Token]exchange
	received  []uint16
	releases  uint64 // the highest there is
}

// add takes one pair.
func (l *leftovers) add(key string, value []byte) error {
	if l.messages == nil {
		l.messages, l.exchanges = map[core.Token]core.Kept{}, map[core.Token]exchange{}
	}
	kind, rest := byte(0), []byte(nil)
	if key != "" {
		kind, rest = key[0], []byte(key[1:])
	}
	switch {
	case kind == keyClient && len(rest) == 0:
		l.clientID = string(value)
	case kind == keyReceived && len(rest) == 2:
		l.received = append(l.received, binary.BigEndian.Uint16(rest))
	case kind == keyMessage && len(rest) == 8:
		p, taken, err := decodeMessage(value)
		if err != nil {
			return err
		}
		t := core.Token(binary.BigEndian.Uint64(rest))
		l.messages[t] = core.Kept{Publish: p, Token: t, Taken: taken}
	case kind == keyExchange && len(rest) == 8 && len(value) == 10:
		x := exchange{binary.BigEndian.Uint16(value), binary.BigEndian.Uint64(value[2:])}
		l.exchanges[core.Token(binary.BigEndian.Uint64(rest))] = x
		l.releases = max(l.releases, x.released)
	default:
		return errForeign
	}
	return nil
}

// kept puts messages and exchanges together, in the order that Machine.Restore wants.
func (l *leftovers) kept() ([]core.Kept, error) {
	var all []core.Kept
	for t, x := range l.exchanges {
		k, ok := l.messages[t]
		if !ok || x.id == 0 || x.released > 0 && k.Publish.QoS != mqtt.ExactlyOnce {
			return nil, errForeign
		}
		k.PacketID, k.Released = x.id, x.released > 0
		l.messages[t] = k
	}
	for _, k := range l.messages {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b core.Kept) int {
		return cmp.Or(cmp.Compare(l.rank(a), l.rank(b)), cmp.Compare(a.Token, b.Token))
	})
	return all, nil
}

// rank is the place among the released messages; others follow them.
func (l *leftovers) rank(k core.Kept) uint64 {
	if !k.Released {
		return l.releases + 1
	}
	return l.exchanges[k.Token].released
}
