package auth

import (
	"cmp"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// Defaults of DoorConfig.
const (
	// DefaultFailureTime makes guessing slow and is hardly noticed by who mistypes.
	DefaultFailureTime = time.Second
	// DefaultWaiting is some ten seconds of argon2id on two cores; clients rarely wait longer for CONNACK.
	DefaultWaiting = 1000
)

// DoorConfig says who is let in. Without Users only those come in whom a certificate names, and with Anonymous everyone.
type DoorConfig struct {
	// Users are asked for passwords and SCRAM. nil: user names in CONNECT are not checked and count for nothing.
	Users *UserFile
	// Anonymous lets clients in that name no user. With Users, a name that is given must be right nevertheless.
	Anonymous bool
	// FailureTime is how long a refusal takes at least. 0: 1 s.
	FailureTime time.Duration
	// Hashing is how many passwords are hashed at once. 0: one per processor.
	Hashing int
	// Waiting is how many more may wait for that; further ones are refused with 0x89, Server busy. 0: 1000.
	Waiting int
	// Logger gets refusals at Info, with the user's name and never a password. nil: silent.
	Logger *slog.Logger
}

// Door decides who may connect. It is a broker.Authenticator. Its methods may be called from any goroutine, and block.
type Door struct {
	cfg       DoorConfig
	seed      maphash.Seed  // picks decoys
	slots     chan struct{} // one token per password being hashed
	waiting   atomic.Int64  // passwords being hashed or waiting to be
	exchanges exchanges
}

// NewDoor returns a Door.
func NewDoor(cfg DoorConfig) *Door {
	cfg.FailureTime = cmp.Or(cfg.FailureTime, DefaultFailureTime)
	cfg.Hashing = max(cmp.Or(cfg.Hashing, runtime.GOMAXPROCS(0)), 1)
	cfg.Waiting = cmp.Or(cfg.Waiting, DefaultWaiting)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Door{cfg: cfg, seed: maphash.MakeSeed(), slots: make(chan struct{}, cfg.Hashing)}
	d.exchanges.init(d)
	return d
}

// Authenticate answers a CONNECT or AUTH of a client of whom the transport knows nothing.
func (d *Door) Authenticate(conn server.ConnID, p mqtt.Packet) server.Admission {
	return d.AuthenticateUser("", conn, p)
}

// AuthenticateUser answers a CONNECT or AUTH. proven is the user whom the transport has checked already, by a certificate; empty: none. Such a client
// needs no password; if it names a user, it must be the same.
func (d *Door) AuthenticateUser(proven string, conn server.ConnID, p mqtt.Packet) server.Admission {
	start := time.Now()
	var a server.Admission
	var user string
	switch p := p.(type) {
	case *mqtt.Connect:
		user = p.Username.Or(proven)
		if p.AuthenticationMethod.Set {
			a, user = d.exchanges.begin(conn, p.AuthenticationMethod.Value, p.AuthenticationData)
		} else {
			a = d.login(proven, p)
		}
	case *mqtt.Auth:
		if p.ReasonCode == mqtt.ReAuthenticate {
			a, user = d.exchanges.begin(conn, p.AuthenticationMethod.Or(""), p.AuthenticationData)
		} else {
			a, user = d.exchanges.proceed(conn, p.AuthenticationData)
		}
	}
	if proven != "" && a.ReasonCode == mqtt.Success && a.Username != proven {
		a = refusal(mqtt.NotAuthorized, "the certificate names another user")
	}
	if a.ReasonCode != mqtt.Success && a.ReasonCode != mqtt.ContinueAuthentication {
		d.cfg.Logger.Info("login refused", "conn", uint64(conn), "user", user, "reason", a.Reason)
		if a.ReasonCode != mqtt.BadAuthenticationMethod { // which is no guess
			time.Sleep(d.cfg.FailureTime - time.Since(start))
		}
	}
	return a
}

func refusal(code mqtt.ReasonCode, why string) server.Admission {
	return server.Admission{ReasonCode: code, Reason: why}
}

// login answers a CONNECT without enhanced authentication.
func (d *Door) login(proven string, p *mqtt.Connect) server.Admission {
	switch {
	case proven != "" && p.Username.Or(proven) != proven:
		return refusal(mqtt.BadUserNameOrPassword, "the certificate names another user")
	case proven != "":
		return server.Admission{Username: proven}
	case !p.Username.Set && !d.cfg.Anonymous:
		return refusal(mqtt.NotAuthorized, "a user name is required")
	case !p.Username.Set:
		return server.Admission{}
	case d.cfg.Users == nil && d.cfg.Anonymous:
		return server.Admission{}
	case d.cfg.Users == nil:
		return refusal(mqtt.BadUserNameOrPassword, "there are no users with passwords")
	}
	if d.waiting.Add(1) > int64(d.cfg.Hashing+d.cfg.Waiting) {
		d.waiting.Add(-1)
		return refusal(mqtt.ServerBusy, "too many logins at once")
	}
	d.slots <- struct{}{}
	right := d.cfg.Users.Users().check(d.seed, p.Username.Value, p.Password.Value)
	<-d.slots
	d.waiting.Add(-1)
	if !right {
		return refusal(mqtt.BadUserNameOrPassword, "bad user name or password")
	}
	return server.Admission{Username: p.Username.Value}
}
