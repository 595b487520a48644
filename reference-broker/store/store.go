package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"time"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/vfs"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
	"mqttlab/reference-broker/wire"
)

// version is that of the records; a Store of another one is refused.
const version = 1

const (
	// DefaultMinimumFree lets the engine write out its memory tables and merge files twice over.
	DefaultMinimumFree = 256 << 20
	// memTable is how much is collected in memory, bytes: a second of busy traffic, so that most messages come and go within it.
	memTable = 32 << 20
	// spaceEvery is how often free space is looked at.
	spaceEvery = time.Second
)

// Options say how a Store behaves. The zero value is what most want.
type Options struct {
	// MinimumFree is how many bytes must be free on the disk; with less, commits fail while there is still room to end in order. 0: 256 MiB.
	// Negative: any.
	MinimumFree int64
	// Logger gets what the engine complains of. nil: silent.
	Logger *slog.Logger

	files vfs.FS // for tests; nil: those of the system
}

// Store is an open folder of records. It has one user: calls must not overlap, but for those of [Batch].
type Store struct {
	db      *pebble.DB
	lock    *pebble.Lock
	dir     string
	files   vfs.FS
	minimum uint64
	decoder *wire.Decoder
	failure error     // of an earlier commit
	looked  time.Time // at free space
}

// Open opens the folder dir, which is made if need be. One process can have it open at a time. The error says whether the folder is in use,
// broken, of another version, or can't be written.
func Open(dir string, o Options) (*Store, error) {
	if o.files == nil {
		o.files = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{dir: dir, files: o.files, decoder: wire.NewDecoder(wire.FromClient)}
	s.decoder.Version = mqtt.V5
	switch {
	case o.MinimumFree > 0:
		s.minimum = uint64(o.MinimumFree)
	case o.MinimumFree == 0:
		s.minimum = DefaultMinimumFree
	}
	if err := s.open(o.Logger); err != nil {
		s.release()
		return nil, fmt.Errorf("store %s: %w", dir, err)
	}
	return s, nil
}

func (s *Store) open(logger *slog.Logger) error {
	if err := s.files.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.lock, err = pebble.LockDirectory(s.dir, s.files); err != nil {
		return fmt.Errorf("in use by another process, or not writable: %w", err)
	}
	if err := s.space(time.Now()); err != nil {
		return err
	}
	if err := checkLogs(s.files, s.dir); err != nil {
		return err
	}
	err = guard(func() (err error) {
		s.db, err = pebble.Open(s.dir, &pebble.Options{
			FS: s.files, Lock: s.lock, Logger: engineLog{logger}, MemTableSize: memTable, FormatMajorVersion: pebble.FormatNewest,
			EventListener: &pebble.EventListener{BackgroundError: func(err error) { logger.Error("store", "dir", s.dir, "error", err) }},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("can't be opened, and nothing was changed: %w", err)
	}
	return s.checkVersion()
}

func (s *Store) checkVersion() error {
	key := []byte{keyVersion}
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return guard(func() error { return s.db.Set(key, binary.AppendUvarint(nil, version), pebble.Sync) })
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	if v, _ := binary.Uvarint(value); v != version {
		return fmt.Errorf("has version %d, this program knows %d: use the program that wrote it", v, version)
	}
	return nil
}

// Records yields all records that are stored, in the order that server.Machine.Restore wants. The byte slices of a message are valid until the
// next record.
func (s *Store) Records() iter.Seq2[server.Record, error] {
	return func(yield func(server.Record, error) bool) {
		it, err := s.db.NewIter(&pebble.IterOptions{UpperBound: []byte{keyVersion}})
		if err != nil {
			yield(server.Record{}, fmt.Errorf("store %s: %w", s.dir, err))
			return
		}
		defer it.Close()
		for ok := it.First(); ok; ok = it.Next() {
			r, err := s.decode(it.Key(), it.Value())
			if err != nil {
				err = fmt.Errorf("store %s: %w", s.dir, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(server.Record{}, fmt.Errorf("store %s: %w", s.dir, err))
		}
	}
}

// space returns an error if the disk is nearly full.
func (s *Store) space(now time.Time) error {
	if s.minimum == 0 || now.Sub(s.looked) < spaceEvery {
		return nil
	}
	s.looked = now
	u, err := s.files.GetDiskUsage(s.dir)
	switch {
	case errors.Is(err, vfs.ErrUnsupported):
		return nil
	case err != nil:
		return err
	case u.AvailBytes < s.minimum:
		return fmt.Errorf("the disk has %d MiB left and %d MiB are wanted: free some space, then start again", u.AvailBytes>>20, s.minimum>>20)
	}
	return nil
}

// Close ends the use of the folder. A Store whose commit failed is left as it is, for its engine can't go on: what it has is released with the
// process.
func (s *Store) Close() error {
	if s.failure != nil {
		return nil
	}
	return guard(func() error {
		// What is in files is checked block by block at the next start; the log only up to its end.
		if err := s.db.Flush(); err != nil {
			return err
		}
		return s.release()
	})
}

// release gives back what Open took.
func (s *Store) release() (err error) {
	if s.db != nil {
		err = s.db.Close()
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// engineLog passes on what the engine complains of.
type engineLog struct{ to *slog.Logger }

func (l engineLog) Infof(string, ...any) {}

func (l engineLog) Errorf(format string, args ...any) {
	l.to.Error("store", "error", fmt.Sprintf(format, args...))
}

// Fatalf is called by the engine when it can't go on. It must not return. In one of our calls, guard makes an error of it; in a goroutine of
// the engine's own the process ends here, as it would by a signal: with nothing lost that was committed.
func (l engineLog) Fatalf(format string, args ...any) { panic(fatal{fmt.Errorf(format, args...)}) }

type fatal struct{ error }

// guard calls do and returns as an error what the engine panics with when a file can't be written.
func guard(do func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			panic(p)
		case error:
			err = p
		default:
			panic(p)
		}
	}()
	return do()
}
