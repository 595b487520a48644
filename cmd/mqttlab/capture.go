package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"mqttlab/netem/pcapng"
)

// captureFile is the file of --pcap. What it held before is gone with the first bytes written, not earlier.
type captureFile struct {
	*os.File
	fresh, begun bool // whether it was not there before, and whether it was written to
}

// createCapture creates the file of --pcap. Without a name there is no Writer. The returned function ends the file. If the run has not started, what
// the file held before stays, as the Writer keeps more bytes back than it takes to find that out.
func createCapture(name, radio string) (*pcapng.Writer, func(started bool) error, error) {
	if name == "" {
		return nil, func(bool) error { return nil }, nil
	}
	_, absent := os.Lstat(name)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, nil, fmt.Errorf("--pcap: %w", err)
	}
	f := &captureFile{File: file, fresh: errors.Is(absent, fs.ErrNotExist)}
	w := pcapng.NewWriter(f, radio)
	return w, func(started bool) error { return f.end(w, started) }, nil
}

func (f *captureFile) Write(b []byte) (int, error) {
	if !f.begun {
		f.begun = true
		// A pipe to Wireshark can't be cut.
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			if err := f.Truncate(0); err != nil {
				return 0, err
			}
		}
	}
	return f.File.Write(b)
}

func (f *captureFile) end(w *pcapng.Writer, started bool) error {
	var errs []error
	if started || f.begun {
		errs = append(errs, w.Flush())
	}
	errs = append(errs, f.Close())
	if f.fresh && !f.begun {
		errs = append(errs, os.Remove(f.Name()))
	}
	return errors.Join(errs...)
}
