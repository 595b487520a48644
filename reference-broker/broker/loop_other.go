//go:build !linux

package broker

import (
	"errors"

	"mqttlab/reference-broker/core/server"
)

// loops are not available here: each socket is read by a goroutine of its own.
type loops struct{}

func (*loops) start(*Broker) error    { return errors.ErrUnsupported }
func (*loops) stop()                  {}
func (*loops) of(server.ConnID) *loop { return nil }

type loop struct{}

func (*loop) add(*conn) error { return errors.ErrUnsupported }
