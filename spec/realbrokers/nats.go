package main

import (
	"context"

	nats "github.com/nats-io/nats-server/v2/server"
)

// serveNATS serves as nats-server does with a configuration file.
func serveNATS(ctx context.Context, file string) error {
	o, err := nats.ProcessConfigFile(file)
	if err != nil {
		return err
	}
	o.NoSigs = true // they end ctx
	s, err := nats.NewServer(o)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
