package main

import (
	"crypto/tls"
	"fmt"

	"github.com/spf13/pflag"

	"mqttlab/reference-broker/transport"
)

// tlsFlags say whom a client trusts and who it is, for mqtts and wss.
type tlsFlags struct{ ca, cert, key string }

func (f *tlsFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.ca, "cafile", "", "PEM file with the authorities to trust (mqtts, wss); empty: those of the system")
	fs.StringVar(&f.cert, "cert", "", "PEM file with the client's certificate (mqtts, wss)")
	fs.StringVar(&f.key, "key", "", "PEM file with its private key")
}

// config reads the files.
func (f *tlsFlags) config() (*tls.Config, error) {
	c, err := transport.ClientTLS(f.ca, f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("--cafile, --cert, --key: %w", err)
	}
	return c, nil
}
