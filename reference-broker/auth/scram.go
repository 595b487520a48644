package auth

import (
	"container/list"
	"crypto/hmac"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/xdg-go/scram"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// SCRAMSHA256Method is the Authentication Method of SCRAM-SHA-256, RFC 7677.
const SCRAMSHA256Method = "SCRAM-SHA-256"

const (
	// maxExchanges bounds the exchanges under way; each takes about 1 KiB. One more is refused with 0x89, Server busy.
	maxExchanges = 10_000
	// exchangeTime is how long a client may take to answer; the connect timeout of the Server is shorter by default.
	exchangeTime = 30 * time.Second
)

// exchanges are the SCRAM conversations of connections that have been asked for their proof. A connection that ends without an answer is not told
// of: its exchange goes when its time is over.
type exchanges struct {
	door   *Door
	secret []byte // makes the salts of unknown users

	mu    sync.Mutex // guards all below
	order list.List  // of *exchange, oldest first
	conns map[server.ConnID]*list.Element
}

type exchange struct {
	conn         server.ConnID
	conversation *scram.ServerConversation
	began        time.Time
}

func (x *exchanges) init(d *Door) {
	x.door, x.secret, x.conns = d, random(keySize), make(map[server.ConnID]*list.Element)
}

// begin takes the client's first message, which stands in CONNECT, or in AUTH to authenticate again.
func (x *exchanges) begin(conn server.ConnID, method string, data []byte) (a server.Admission, user string) {
	if method != SCRAMSHA256Method || x.door.cfg.Users == nil { // [MQTT5 4.12.0-1]
		return refusal(mqtt.BadAuthenticationMethod, "the Authentication Method is not supported"), ""
	}
	s, err := scram.SHA256.NewServer(x.lookUp)
	if err != nil {
		return refusal(mqtt.UnspecifiedError, "SCRAM cannot be used"), ""
	}
	c := s.NewConversation()
	answer, err := c.Step(string(data))
	switch {
	case err != nil, c.AuthzID() != "" && c.AuthzID() != c.Username():
		return refusal(mqtt.NotAuthorized, "the first message of SCRAM is wrong"), c.Username()
	case !x.put(&exchange{conn: conn, conversation: c, began: time.Now()}):
		return refusal(mqtt.ServerBusy, "too many logins at once"), c.Username()
	}
	return server.Admission{ReasonCode: mqtt.ContinueAuthentication, AuthenticationData: []byte(answer)}, c.Username()
}

// proceed takes the client's final message.
func (x *exchanges) proceed(conn server.ConnID, data []byte) (a server.Admission, user string) {
	e := x.take(conn)
	if e == nil || time.Since(e.began) > exchangeTime {
		return refusal(mqtt.NotAuthorized, "the exchange has taken too long"), ""
	}
	c := e.conversation
	answer, err := c.Step(string(data))
	if err != nil || !c.Valid() {
		return refusal(mqtt.NotAuthorized, "bad user name or password"), c.Username()
	}
	return server.Admission{Username: c.Username(), AuthenticationData: []byte(answer)}, c.Username()
}

// lookUp returns the keys of a user, or of a user whom nobody can prove to be.
func (x *exchanges) lookUp(user string) (scram.StoredCredentials, error) {
	u := x.door.cfg.Users.Users()
	if v, ok := u.hashes[user].(*verifier); ok {
		return v.StoredCredentials, nil
	}
	mac := hmac.New(sha256.New, x.secret)
	mac.Write([]byte(user))
	f := scram.KeyFactors{Salt: string(mac.Sum(nil)[:saltSize]), Iters: u.iterations}
	return scram.StoredCredentials{KeyFactors: f, StoredKey: random(keySize), ServerKey: random(keySize)}, nil
}

// put keeps an exchange, in place of an older one of the same connection. It returns false if there is no room.
func (x *exchanges) put(e *exchange) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.conns[e.conn]; old != nil {
		x.remove(old)
	}
	for front := x.order.Front(); front != nil && e.began.Sub(front.Value.(*exchange).began) > exchangeTime; front = x.order.Front() {
		x.remove(front)
	}
	if x.order.Len() >= maxExchanges {
		return false
	}
	x.conns[e.conn] = x.order.PushBack(e)
	return true
}

// take returns the exchange of a connection and forgets it; nil: there is none.
func (x *exchanges) take(conn server.ConnID) *exchange {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.conns[conn]; e != nil {
		return x.remove(e)
	}
	return nil
}

// remove takes an element out. The caller holds mu.
func (x *exchanges) remove(e *list.Element) *exchange {
	v := x.order.Remove(e).(*exchange)
	delete(x.conns, v.conn)
	return v
}
