package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// FileStore is a [Store] in one file, for the messages of a device: what is in the file is in memory too. On Unix and Windows it is locked: a second
// process can't open it.
//
// The file is a log of groups of changes, each with its length and checksum, which is written anew when most of it is outdated. A group that
// the process or the machine did not finish writing is dropped at the next start: nobody was promised anything. Any other damage is an error,
// and nothing is changed.
type FileStore struct {
	path  string
	file  *os.File
	lock  *os.File
	pairs map[string][]byte
	size  int64 // of the file
	live  int64 // of what a new file would have, more or less
	fail  error // of an earlier Commit
}

const (
	// fileStart begins the file; the number is that of its format.
	fileStart = "mqttlab client store 1\n"
	// groupHead is a group's length, the CRC-32C of that, and the CRC-32C of the group, four bytes each.
	groupHead = 12
	// smallestRewrite is what a file may always grow to.
	smallestRewrite = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenFileStore opens the file path, which is made if need be. The caller closes it after the Client. The error says whether it is in use or damaged.
func OpenFileStore(path string) (*FileStore, error) {
	s := &FileStore{path: path, pairs: map[string][]byte{}}
	if err := s.open(); err != nil {
		s.Close()
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	return s, nil
}

func (s *FileStore) open() error {
	var err error
	if s.lock, err = os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := lockFile(s.lock); err != nil {
		return fmt.Errorf("in use by another process: %w", err)
	}
	if err := s.reopen(); err != nil {
		return err
	}
	text, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	if len(text) < len(fileStart) && fileStart[:len(text)] == string(text) { // new, or its first line was cut off
		return s.rewrite()
	}
	used, err := s.parse(text)
	if err != nil {
		return err
	}
	if used < len(text) {
		return s.rewrite()
	}
	s.size = int64(used)
	return nil
}

// reopen opens the file, to be written at its end.
func (s *FileStore) reopen() (err error) {
	s.file, err = os.OpenFile(s.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return err
}

// parse reads the groups of a file and returns how many bytes of it are whole.
func (s *FileStore) parse(text []byte) (used int, err error) {
	if !bytes.HasPrefix(text, []byte(fileStart)) {
		return 0, errors.New("is no file of this format")
	}
	at := len(fileStart)
	for at < len(text) {
		n, state := checkGroup(text[at:])
		switch {
		case state == torn:
			return at, nil
		case state == damaged || !s.applyGroup(text[at+groupHead:at+n]):
			return 0, fmt.Errorf("is damaged at byte %d: restore it from a copy, or move it away and lose what it holds", at)
		}
		at += n
	}
	return at, nil
}

// groupState says what a group looks like.
type groupState uint8

const (
	whole   groupState = iota
	torn               // the process or the machine was stopped while it was written, as the last one
	damaged            // something else has happened to it
)

// checkGroup looks at the group that b begins with, which with its head takes n bytes.
func checkGroup(b []byte) (n int, state groupState) {
	if len(b) < groupHead || len(bytes.Trim(b, "\x00")) == 0 { // a file may have grown by zeros
		return 0, torn
	}
	if crc32.Checksum(b[:4], castagnoli) != binary.BigEndian.Uint32(b[4:]) {
		return 0, damaged
	}
	n = groupHead + int(binary.BigEndian.Uint32(b))
	if n > len(b) {
		return 0, torn
	}
	if crc32.Checksum(b[groupHead:n], castagnoli) != binary.BigEndian.Uint32(b[8:]) {
		if n == len(b) {
			return 0, torn
		}
		return 0, damaged
	}
	return n, whole
}

// applyGroup makes the changes of a group that was read.
func (s *FileStore) applyGroup(b []byte) bool {
	field := func() ([]byte, bool) {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, false
		}
		f := b[used : used+int(n)]
		b = b[used+int(n):]
		return f, true
	}
	for len(b) > 0 {
		removed := b[0] == 0
		b = b[1:]
		key, ok := field()
		var value []byte
		if ok && !removed {
			value, ok = field()
		}
		if !ok {
			return false
		}
		if !removed {
			value = append([]byte{}, value...)
		}
		s.apply(Change{string(key), value})
	}
	return true
}

func (s *FileStore) apply(c Change) {
	if old, ok := s.pairs[c.Key]; ok {
		s.live -= int64(len(c.Key) + len(old))
		delete(s.pairs, c.Key)
	}
	if c.Value != nil {
		s.live += int64(len(c.Key) + len(c.Value))
		s.pairs[c.Key] = c.Value
	}
}

// appendChange writes a change: 1, key and value, or 0 and key, texts with their length in front.
func appendChange(b []byte, c Change) []byte {
	if c.Value == nil {
		b = append(b, 0)
	} else {
		b = append(b, 1)
	}
	b = append(binary.AppendUvarint(b, uint64(len(c.Key))), c.Key...)
	if c.Value != nil {
		b = append(binary.AppendUvarint(b, uint64(len(c.Value))), c.Value...)
	}
	return b
}

// closeGroup fills in the head of the group that b is.
func closeGroup(b []byte) {
	binary.BigEndian.PutUint32(b, uint32(len(b)-groupHead))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[:4], castagnoli))
	binary.BigEndian.PutUint32(b[8:], crc32.Checksum(b[groupHead:], castagnoli))
}

// Load implements Store.
func (s *FileStore) Load(each func(key string, value []byte) error) error {
	for k, v := range s.pairs {
		if err := each(k, v); err != nil {
			return fmt.Errorf("store %s: %w", s.path, err)
		}
	}
	return nil
}

// Commit implements Store. After an error nothing is committed any more.
func (s *FileStore) Commit(changes []Change) error {
	if s.fail == nil {
		if err := s.commit(changes); err != nil {
			s.fail = fmt.Errorf("store %s: %w", s.path, err)
		}
	}
	return s.fail
}

func (s *FileStore) commit(changes []Change) error {
	b := make([]byte, groupHead)
	for _, c := range changes {
		b = appendChange(b, c)
	}
	closeGroup(b)
	if _, err := s.file.Write(b); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.size += int64(len(b))
	for _, c := range changes {
		s.apply(c)
	}
	if s.size > smallestRewrite && s.size > 4*s.live {
		return s.rewrite()
	}
	return nil
}

// rewrite puts a file with all pairs, in one group, in the place of the present one.
func (s *FileStore) rewrite() error {
	b := make([]byte, groupHead)
	for k, v := range s.pairs {
		b = appendChange(b, Change{k, v})
	}
	closeGroup(b)
	if len(s.pairs) == 0 {
		b = nil
	}
	b = append([]byte(fileStart), b...)
	if err := s.file.Close(); err != nil { // Windows replaces no file that is open
		return err
	}
	s.file = nil
	if err := replaceFile(s.path, b); err != nil {
		return err
	}
	s.size = int64(len(b))
	return s.reopen()
}

// replaceFile writes a file beside another one and puts it in its place, so that there is the old one or the new one at any time.
func replaceFile(name string, text []byte) error {
	file, err := os.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// Close gives the file back to others.
func (s *FileStore) Close() error {
	var errs []error
	for _, f := range []*os.File{s.file, s.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
