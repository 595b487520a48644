package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mqttlab/reports/model"
)

// ErrNotARecord is wrapped by the errors for input that is no record at all: not
// JSON, cut off, or JSON of something else.
var ErrNotARecord = errors.New("not an mqttlab record")

// ErrSchema is wrapped by the errors for a record whose version is not known here.
var ErrSchema = errors.New("unknown record version")

// readers has one entry per version that can be read.
var readers = map[string]func([]byte) (*model.Record, error){
	model.Schema: decodeV1,
}

// family is what the schemas of all versions begin with.
const family = "mqttlab.run/"

// Decode reads a record from the bytes of a file. Its errors are one line. It does not keep data.
func Decode(data []byte) (*model.Record, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // some editors add a byte order mark
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrNotARecord)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, notJSON(data, err)
	}
	read, ok := readers[head.Schema]
	switch {
	case ok:
		return read(data)
	case head.Schema == "":
		return nil, fmt.Errorf(`%w: JSON without a "schema" field`, ErrNotARecord)
	case strings.HasPrefix(head.Schema, family):
		return nil, fmt.Errorf("%w %q: this mqttlab reads %s; use the release that wrote it, or a later one", ErrSchema, head.Schema, versions())
	default:
		return nil, fmt.Errorf("%w: its schema is %q, expected %s", ErrNotARecord, head.Schema, versions())
	}
}

// versions lists what can be read.
func versions() string {
	return strings.Join(slices.Sorted(maps.Keys(readers)), ", ")
}

// notJSON says in which way the data is not the JSON of a record.
func notJSON(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case bytes.TrimSpace(data)[0] != '{':
		return fmt.Errorf("%w: it does not begin with {", ErrNotARecord)
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(data)):
		return fmt.Errorf("%w: the file is cut off after %d bytes", ErrNotARecord, len(data))
	case errors.As(err, &syntax):
		line := 1 + bytes.Count(data[:syntax.Offset], []byte("\n"))
		return fmt.Errorf("%w: line %d: %s", ErrNotARecord, line, syntax.Error())
	case errors.As(err, &kind):
		return fmt.Errorf("%w: field %q holds a JSON %s", ErrNotARecord, kind.Field, kind.Value)
	default:
		return fmt.Errorf("%w: %w", ErrNotARecord, err)
	}
}

func decodeV1(data []byte) (*model.Record, error) {
	r := new(model.Record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, notJSON(data, err)
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("the record contradicts itself: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return r, nil
}
