package main

import (
	"errors"
	"fmt"
	"os"

	"mqttlab/netem/pcapng"
)

// createCapture creates the file of --pcap. Without a name there is no Writer. The
// returned function ends the file.
func createCapture(name, radio string) (*pcapng.Writer, func() error, error) {
	if name == "" {
		return nil, func() error { return nil }, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, nil, fmt.Errorf("--pcap: %w", err)
	}
	w := pcapng.NewWriter(file, radio)
	return w, func() error { return errors.Join(w.Flush(), file.Close()) }, nil
}
