package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble"

	"mqttlab/reference-broker/core/server"
)

// Batch collects records that are committed together. It may be filled while another Batch is committed; it is not safe for concurrent use.
type Batch struct {
	batch      *pebble.Batch
	key, value []byte // scratch
	lazy       int
	urgent     int
}

// Batch returns an empty one.
func (s *Store) Batch() *Batch { return &Batch{batch: s.db.NewBatch()} }

// Add adds a record, which may be reused afterwards. After an error the Batch must not be committed.
func (b *Batch) Add(r *server.Record) error {
	if r.Lazy {
		b.lazy++
	} else {
		b.urgent++
	}
	b.key = appendKey(b.key[:0], r)
	switch r.Kind {
	case server.RemoveMessage, server.RemoveRetained, server.RemoveSubscription, server.RemoveReceived, server.RemoveDelivery:
		return b.batch.Delete(b.key, nil)
	case server.EndSession:
		from := len(b.key)
		b.key = binary.BigEndian.AppendUint64(append(b.key, keySession), r.Session+1)
		return b.batch.DeleteRange(b.key[:from], b.key[from:], nil)
	}
	var err error
	if b.value, err = appendValue(b.value[:0], r); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return b.batch.Set(b.key, b.value, nil)
}

// Urgent reports whether an acknowledgement waits for a record in b; Empty whether there is none at all.
func (b *Batch) Urgent() bool { return b.urgent > 0 }

// Empty reports whether there is nothing to commit.
func (b *Batch) Empty() bool { return b.urgent+b.lazy == 0 }

// Size returns how large b is, bytes.
func (b *Batch) Size() int { return b.batch.Len() }

// Commit writes all of b to disk, or nothing, and returns when it is there. b is empty afterwards and can be used again. After an error nothing is
// committed any more.
func (s *Store) Commit(b *Batch) error {
	if s.failure != nil {
		return s.failure
	}
	err := s.space(time.Now())
	if err == nil {
		err = guard(func() error { return b.batch.Commit(pebble.Sync) })
	}
	if err != nil {
		s.failure = fmt.Errorf("store %s: %w", s.dir, err)
		return s.failure
	}
	b.batch.Reset()
	b.urgent, b.lazy = 0, 0
	return nil
}
