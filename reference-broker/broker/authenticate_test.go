package broker

import (
	"testing"
	"testing/synctest"
	"time"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

// slowDoor lets one user in, after a second.
type slowDoor struct{}

func (slowDoor) Authenticate(_ server.ConnID, p mqtt.Packet) server.Admission {
	time.Sleep(time.Second)
	user := p.(*mqtt.Connect).Username.Or("")
	if user != "friend" {
		return server.Admission{ReasonCode: mqtt.BadUserNameOrPassword}
	}
	return server.Admission{Username: user}
}

func TestAuthenticatorDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, Config{Authenticator: slowDoor{}})
		friend, foe := pipe(t, b, mqtt.V5), pipe(t, b, mqtt.V5)
		began := time.Now()
		foe.send(&mqtt.Connect{Version: mqtt.V5, Username: mqtt.Some("foe")})
		friend.send(&mqtt.Connect{Version: mqtt.V5, Username: mqtt.Some("friend"), ClientID: "f"}, &mqtt.Pingreq{})
		if a := want[*mqtt.Connack](friend, "the friend is let in"); a.ReasonCode != mqtt.Success {
			t.Errorf("CONNACK %s", a.ReasonCode)
		}
		want[*mqtt.Pingresp](friend, "what came before the decision is answered after it")
		if a := want[*mqtt.Connack](foe, "the foe is told"); a.ReasonCode != mqtt.BadUserNameOrPassword {
			t.Errorf("CONNACK %s", a.ReasonCode)
		}
		foe.wantClose("refused")
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v: one decision held up the other", took)
		}
	})
}
