// Package testbed sets the reference broker up so that conformance checks can see all of it: some need a user and a forbidden topic, others a
// Server that lacks features and announces its limits. Each function changes a configuration into one such set-up; the constants are what a
// check has to know of it.
//
// The user's password is no secret: this broker is for tests on the machine it runs on.
package testbed

import (
	"sync/atomic"
	"time"

	"mqttlab/reference-broker/auth"
	"mqttlab/reference-broker/broker"
	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// What a guarded broker admits and refuses.
const (
	UserName        = "mqttlab"
	Password        = "correct horse"
	ForbiddenTopic  = "forbidden/topic"
	RefusedClientID = "mqttlab-refused"
)

// users is the password file of a guarded broker, with the fewest iterations that RFC 7677 allows: every check logs in several times.
const users = UserName + ":$scram-sha-256$i=4096$bXF0dGxhYiByZWZlcmVuY2U=" +
	"$EOoQmJdJgAJW9Wx1G7nGPA0QiL3ZHOdKcanLwg4ydz4=$kF2z7bFmPn0wrNplVk8RS5cl7OHnVVdbRuEmZCoNSpA="

// ConnectTimeout is short, because a check waits for it, and longer than checks wait for an answer (3 s): they must not take it for one.
const ConnectTimeout = 6 * time.Second

// Open leaves everything to everyone.
func Open(c *broker.Config) { c.Server.ConnectTimeout = ConnectTimeout }

// Guarded asks for the user's password or SCRAM-SHA-256, forbids a topic and refuses a Client Identifier.
func Guarded(c *broker.Config) {
	Open(c)
	parsed, err := auth.ParseUsers("testbed", []byte(users))
	if err != nil {
		panic(err) // the constant above is wrong
	}
	c.Authenticator = &doorman{Door: auth.NewDoor(auth.DoorConfig{Users: auth.FixedUsers(parsed), FailureTime: time.Millisecond})}
	c.Server.Authorize = func(a server.Access) bool { return a.Topic != ForbiddenTopic }
}

// doorman also looks at the Client Identifier. A password that the door has accepted once it does not have hashed again: a run connects thousands of
// times, and would spend half of its processor time on that.
type doorman struct {
	*auth.Door
	accepted atomic.Bool
}

func (d *doorman) Authenticate(conn server.ConnID, p mqtt.Packet) server.Admission {
	return d.AuthenticateUser("", conn, p)
}

func (d *doorman) AuthenticateUser(proven string, conn server.ConnID, p mqtt.Packet) server.Admission {
	c, ok := p.(*mqtt.Connect)
	if ok && c.ClientID == RefusedClientID {
		return server.Admission{ReasonCode: mqtt.ClientIdentifierNotValid}
	}
	plain := ok && proven == "" && !c.AuthenticationMethod.Set && c.Username.Or("") == UserName && string(c.Password.Or(nil)) == Password
	if plain && d.accepted.Load() {
		return server.Admission{Username: UserName}
	}
	a := d.Door.AuthenticateUser(proven, conn, p)
	if plain && a.ReasonCode == mqtt.Success {
		d.accepted.Store(true)
	}
	return a
}

// Limited lacks what a Server may lack, and announces every limit.
func Limited(c *broker.Config) {
	Open(c)
	s := &c.Server
	s.NoRetain, s.NoWildcardSubscriptions, s.NoSharedSubscriptions, s.NoSubscriptionIdentifiers = true, true, true, true
	s.RequireClientID = true
	s.ResponseInformation = "answers/"
	s.ServerKeepAlive = mqtt.Some[uint16](3) // longer ones are not waited for
	s.Limits.ReceiveMaximum = 3
	s.Limits.MaximumPacketSize = 4096
}

// WithoutQoS2 announces a Maximum QoS of 1.
func WithoutQoS2(c *broker.Config) {
	Open(c)
	c.Server.MaximumQoS = mqtt.Some(mqtt.AtLeastOnce)
}
