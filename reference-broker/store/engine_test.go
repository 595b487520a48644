//go:build unix

package store

import (
	"encoding/binary"
	"log/slog"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble"
	"go.etcd.io/bbolt"
)

// engine is what the choice between engines was made with: nothing but this test knows more than one.
type engine struct {
	name string
	open func(b *testing.B, dir string) (apply func(edits []edit) error, close func() error)
}

type edit struct {
	key, value []byte // value nil: remove
}

var engines = []engine{{"pebble", openPebble}, {"bbolt", openBbolt}}

// BenchmarkEngines puts 100,000 records of 120 bytes and as many references of 16 bytes, as QoS 1 messages for one Session that is away come to, and
// removes them again, with one synchronous commit for each group of so many messages. One operation is all 100,000.
func BenchmarkEngines(b *testing.B) {
	const messages = 100_000
	for _, e := range engines {
		for _, group := range []int{10, 100, 1000} {
			total := messages * min(group, 100) / 100 // the small groups take long
			b.Run(e.name+"/group="+strconv.Itoa(group), func(b *testing.B) {
				var put, remove time.Duration
				cpu := processorTime()
				for b.Loop() {
					apply, closeIt := e.open(b, b.TempDir())
					put += runGroups(b, total, group, false, apply)
					remove += runGroups(b, total, group, true, apply)
					if err := closeIt(); err != nil {
						b.Fatal(err)
					}
				}
				n := float64(b.N * total)
				b.ReportMetric(n/put.Seconds(), "put/s")
				b.ReportMetric(n/remove.Seconds(), "remove/s")
				b.ReportMetric(float64((processorTime()-cpu).Microseconds())/n, "cpu-us/message")
			})
		}
	}
}

func runGroups(b *testing.B, total, group int, remove bool, apply func([]edit) error) time.Duration {
	b.Helper()
	start := time.Now()
	edits := make([]edit, 0, 2*group)
	value, reference := make([]byte, 120), make([]byte, 16)
	for i := range total {
		message := binary.BigEndian.AppendUint64([]byte{'m'}, uint64(i))
		delivery := binary.BigEndian.AppendUint64([]byte{'s', 0, 0, 0, 0, 0, 0, 0, 1, 4}, uint64(i))
		if remove {
			edits = append(edits, edit{message, nil}, edit{delivery, nil})
		} else {
			edits = append(edits, edit{message, value}, edit{delivery, reference})
		}
		if len(edits) == 2*group || i == total-1 {
			if err := apply(edits); err != nil {
				b.Fatal(err)
			}
			edits = edits[:0]
		}
	}
	return time.Since(start)
}

func openPebble(b *testing.B, dir string) (func([]edit) error, func() error) {
	b.Helper()
	db, err := pebble.Open(dir, &pebble.Options{Logger: engineLog{slog.New(slog.DiscardHandler)}})
	if err != nil {
		b.Fatal(err)
	}
	return func(edits []edit) error {
		batch := db.NewBatch()
		for _, e := range edits {
			if e.value == nil {
				_ = batch.Delete(e.key, nil)
			} else {
				_ = batch.Set(e.key, e.value, nil)
			}
		}
		return batch.Commit(pebble.Sync)
	}, db.Close
}

func openBbolt(b *testing.B, dir string) (func([]edit) error, func() error) {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	name := []byte("b")
	return func(edits []edit) error {
		return db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists(name)
			if err != nil {
				return err
			}
			for _, e := range edits {
				if e.value == nil {
					err = bucket.Delete(e.key)
				} else {
					err = bucket.Put(e.key, e.value)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}, db.Close
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
