package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/xdg-go/scram"
)

// SCRAMClient is the client's side of SCRAM-SHA-256, made for the options of package client:
//
//	opts.Connect.AuthenticationMethod = mqtt.Some(auth.SCRAMSHA256Method)
//	opts.AuthStart = c.Start
//	opts.Auth = c.Answer
//	opts.OnConnect = func(k *mqtt.Connack) { err = c.Verify(k.AuthenticationData) }
//
// One SCRAMClient serves one client, over all its connections. Its methods may be called from any goroutine; an exchange ends with the next Start.
type SCRAMClient struct {
	client *scram.Client

	mu      sync.Mutex // guards what follows
	present *scram.ClientConversation
}

// NewSCRAMClient fails if the name or the password has characters that SCRAM does not allow.
func NewSCRAMClient(user, password string) (*SCRAMClient, error) {
	c, err := scram.SHA256.NewClient(user, password, "")
	if err != nil {
		return nil, errors.New("the user name or password has characters that SCRAM does not allow, such as control characters")
	}
	nonce := func() string { return base64.StdEncoding.EncodeToString(random(keySize)) }
	return &SCRAMClient{client: c.WithNonceGenerator(nonce)}, nil
}

// Start begins an exchange, with a nonce of its own, and returns the data of CONNECT or, to authenticate again, of AUTH.
func (c *SCRAMClient) Start(context.Context) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.present = c.client.NewConversation()
	first, err := c.present.Step("")
	return []byte(first), err
}

// Answer returns the data of AUTH that answers the Server's challenge.
func (c *SCRAMClient) Answer(_ context.Context, challenge []byte) ([]byte, error) {
	if _, iterations, _ := strings.Cut(string(challenge), ",i="); len(iterations) > 0 {
		if _, err := count(iterations); err != nil { // computing could take for ever
			return nil, fmt.Errorf("the server's challenge: %w", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.present == nil {
		return nil, errors.New("the server answers what was not asked")
	}
	proof, err := c.present.Step(string(challenge))
	return []byte(proof), err
}

// Verify checks the data of CONNACK: only a Server that knows the user's keys can have made it.
func (c *SCRAMClient) Verify(data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.present == nil {
		return errors.New("the server has not asked for a proof")
	}
	if _, err := c.present.Step(string(data)); err != nil || !c.present.Valid() {
		return errors.New("the server does not prove that it knows the user's keys")
	}
	return nil
}
