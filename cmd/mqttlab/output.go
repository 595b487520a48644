package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

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

// checkOutputs says of which flags the files can't be written, before a run whose results would be lost.
func checkOutputs(files map[string]string) error {
	var wrong []error
	for _, flag := range slices.Sorted(maps.Keys(files)) {
		if file := files[flag]; file != "" && file != stdoutName {
			if err := atomicfile.Check(file); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", flag, err))
			}
		}
	}
	return errors.Join(wrong...)
}

// inFolder is a file in the folder that a flag names; no folder, no file.
func inFolder(folder, name string) string {
	if folder == "" {
		return ""
	}
	return filepath.Join(folder, name)
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
