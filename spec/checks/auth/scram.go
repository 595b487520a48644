package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"mqttlab/spec/conformance"
)

// scram is the method that checks speak: the one that brokers with enhanced
// authentication have in common (RFC 5802, RFC 7677).
const scram = "SCRAM-SHA-256"

// mostIterations bounds the work that a target can ask for.
const mostIterations = 1 << 20

// exchange is the client's side of one SCRAM exchange.
type exchange struct {
	user, password string
	bare           string // first message without its header
}

func newExchange(t *conformance.T) *exchange {
	s := t.Settings()
	e := &exchange{user: *s.UserName}
	if s.Password != nil {
		e.password = *s.Password
	}
	name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(e.user)
	e.bare = fmt.Sprintf("n=%s,r=%016x%016x", name, t.Rand().Uint64(), t.Rand().Uint64())
	return e
}

// first is the client's first message.
func (e *exchange) first() string { return "n,," + e.bare }

// final answers the server's first message. verifier is what the server has to prove
// itself with.
func (e *exchange) final(serverFirst string) (final, verifier string, err error) {
	var nonce, salt64, count string
	for field := range strings.SplitSeq(serverFirst, ",") {
		switch name, value, _ := strings.Cut(field, "="); name {
		case "r":
			nonce = value
		case "s":
			salt64 = value
		case "i":
			count = value
		}
	}
	iterations, err := strconv.Atoi(count)
	if err != nil || iterations < 1 || iterations > mostIterations {
		return "", "", fmt.Errorf("iterations %q", count)
	}
	salt, err := base64.StdEncoding.DecodeString(salt64)
	if err != nil {
		return "", "", fmt.Errorf("salt: %w", err)
	}
	salted, err := pbkdf2.Key(sha256.New, e.password, salt, iterations, sha256.Size)
	if err != nil {
		return "", "", err
	}
	without := "c=biws,r=" + nonce
	said := e.bare + "," + serverFirst + "," + without
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	proof := mac(stored[:], said)
	subtle.XORBytes(proof, proof, key)
	encode := base64.StdEncoding.EncodeToString
	return without + ",p=" + encode(proof), "v=" + encode(mac(mac(salted, "Server Key"), said)), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
