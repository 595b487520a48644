package main

import (
	"bytes"
	"io"

	"mqttlab/reports/atomicfile"
	"mqttlab/reports/model"
)

// stdoutName is the file name that stands for standard output.
const stdoutName = "-"

// renderer writes a record in one format.
type renderer func(io.Writer, *model.Record) error

// encodeRecord is the renderer of the record itself.
func encodeRecord(w io.Writer, r *model.Record) error {
	data, err := r.Encode()
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// writeReport renders a record into a file, or to stdout for the name "-".
func writeReport(stdout io.Writer, file string, r *model.Record, render renderer) error {
	if file == stdoutName {
		return render(stdout, r)
	}
	return writePage(file, func(w io.Writer) error { return render(w, r) })
}

// writePage renders into a file, which is there whole or not at all, and makes its folder. No name, no file.
func writePage(file string, render func(io.Writer) error) error {
	if file == "" {
		return nil
	}
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	return atomicfile.Write(file, b.Bytes())
}
