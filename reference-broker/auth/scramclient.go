package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
)

// SCRAMClient is the client's side of SCRAM-SHA-256, made for the options of package client:
//
//	opts.Connect.AuthenticationMethod = mqtt.Some(auth.SCRAMSHA256Method)
//	opts.Connect.AuthenticationData = c.First()
//	opts.Auth = c.Answer
//	opts.OnConnect = func(k *mqtt.Connack) { err = c.Verify(k.AuthenticationData) }
//
// One SCRAMClient serves one client, over all its connections. As CONNECT is the same each time, so is the client's nonce: who has recorded one exchange can
// replay the Server's part of it to the same process, but learns nothing new by that. Over TLS nobody can.
type SCRAMClient struct {
	client *scram.Client
	last   *scram.ClientConversation // the one that was answered last
}

// NewSCRAMClient fails if the name or the password has characters that SCRAM does not allow.
func NewSCRAMClient(user, password string) (*SCRAMClient, error) {
	c, err := scram.SHA256.NewClient(user, password, "")
	if err != nil {
		return nil, errors.New("the user name or password has characters that SCRAM does not allow, such as control characters")
	}
	nonce := base64.StdEncoding.EncodeToString(random(keySize))
	return &SCRAMClient{client: c.WithNonceGenerator(func() string { return nonce })}, nil
}

// First returns the data of CONNECT.
func (c *SCRAMClient) First() []byte {
	first, _ := c.client.NewConversation().Step("") // cannot fail: it is the first step
	return []byte(first)
}

// Answer returns the data of AUTH that answers the Server's challenge.
func (c *SCRAMClient) Answer(_ context.Context, challenge []byte) ([]byte, error) {
	if _, iterations, _ := strings.Cut(string(challenge), ",i="); len(iterations) > 0 {
		if _, err := count(iterations); err != nil { // computing could take for ever
			return nil, fmt.Errorf("the server's challenge: %w", err)
		}
	}
	c.last = c.client.NewConversation()
	if _, err := c.last.Step(""); err != nil {
		return nil, err
	}
	proof, err := c.last.Step(string(challenge))
	return []byte(proof), err
}

// Verify checks the data of CONNACK: only a Server that knows the user's keys can have made it.
func (c *SCRAMClient) Verify(data []byte) error {
	if c.last == nil {
		return errors.New("the server has not asked for a proof")
	}
	if _, err := c.last.Step(string(data)); err != nil || !c.last.Valid() {
		return errors.New("the server does not prove that it knows the user's keys")
	}
	return nil
}
