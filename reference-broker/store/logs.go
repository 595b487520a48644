package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/record"
	"github.com/cockroachdb/pebble/vfs"
)

// checkLogs looks for damage in the engine's logs. The engine takes whatever it can't read for the end of a log, since that is how a log looks that
// was being written when the power failed; what follows would be forgotten in silence. But commits here come one after the other, each on
// disk before the next is written: if another record begins behind the one that can't be read, what can't be read was committed and is damaged.
func checkLogs(files vfs.FS, dir string) error {
	names, err := files.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, ".log")
		number, err := strconv.ParseUint(digits, 10, 64)
		if !ok || err != nil {
			continue
		}
		if err := checkLog(files, files.PathJoin(dir, name), pebble.FileNum(number)); err != nil {
			return err
		}
	}
	return nil
}

func checkLog(files vfs.FS, path string, number pebble.FileNum) error {
	f, err := files.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("log %s can't be read: %w", path, err)
	}
	r := record.NewReader(bytes.NewReader(b), number)
	good := int64(0)
	for {
		one, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, one)
		}
		switch {
		case errors.Is(err, io.EOF), record.IsInvalidRecord(err): // or the log number is not this log's
			if at := begins(b, int(good)+1, number); at > 0 {
				return fmt.Errorf("log %s is damaged between byte %d and %d: restore it from a copy, nothing was changed", path, good, at)
			}
			return nil
		case err != nil:
			return fmt.Errorf("log %s can't be read: %w", path, err)
		}
		good = r.Offset()
	}
}

// The layout of a chunk: checksum, length, type, log number, then its part of the record.
const (
	chunkType   = 6
	chunkLog    = 7
	chunkHeader = 11
	chunkFull   = 5
	chunkFirst  = 6
)

// begins returns where behind from a record begins that can be read, or 0.
func begins(b []byte, from int, number pebble.FileNum) int {
	for at := from; at+chunkHeader <= len(b); at++ {
		h := b[at:]
		if t := h[chunkType]; t != chunkFull && t != chunkFirst || binary.LittleEndian.Uint32(h[chunkLog:]) != uint32(number) {
			continue
		}
		if _, err := record.NewReader(bytes.NewReader(h), number).Next(); err == nil {
			return at
		}
	}
	return 0
}
