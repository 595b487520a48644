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

	"mqttlab/reports/atomicfile"
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

// Write seals the record and puts it into a file, replacing one that is there; see [atomicfile.Write].
func Write(path string, r *model.Record) error {
	data, err := r.Encode()
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, data); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}
