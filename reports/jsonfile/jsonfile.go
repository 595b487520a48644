// Package jsonfile keeps records in files: [Write] puts one there whole or not at
// all, [Read] gets it back and refuses what is not a record of a version it knows.
//
// # Versions
//
// Every file begins with its schema. [Decode] looks at that before anything else, so
// that a record of a later version is refused by its name and never half understood.
// When a second version comes, its reader is added to the table in decode.go and the first
// one stays: records are kept for years.
//
// # Design
//
// Unknown fields are ignored within a version, because fields may be added to it; a
// strict reader lost, since it would refuse records of the next release. Known fields of the wrong
// type are refused. A record is also checked for contradictions ([model.Record.Validate]): a file edited by
// hand must not look like a measurement.
package jsonfile

import (
	"fmt"
	"os"
	"path/filepath"

	"mqttlab/reports/model"
)

// Read reads the record in a file. Its errors are one line that begins with the path.
func Read(path string) (*model.Record, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	r, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Write seals the record and puts it into a file, replacing one that is there. The data go to a
// temporary file beside it first, so that a reader sees the old record or the new
// one and an interrupted write leaves no half. Missing folders are made.
func Write(path string, r *model.Record) error {
	data, err := r.Encode()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	if err := fill(tmp, data); err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("write record: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// fill writes, makes the file readable for others as a report should be, and closes it.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync() // otherwise a power cut after the rename can leave an empty file
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
