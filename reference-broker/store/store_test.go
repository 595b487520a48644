package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/vfs"
	"github.com/cockroachdb/pebble/vfs/errorfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/mqtt"
)

func at(seconds int64) time.Time { return time.Unix(seconds, 5) }

// samples holds each kind of Put, with all its fields and with none, in the order of the keys.
var samples = []server.Record{
	{Kind: server.PutMessage, Message: 1, Time: at(1), Publish: &mqtt.Publish{Topic: "t", QoS: 1, Payload: []byte("x")}},
	{Kind: server.PutMessage, Message: 2, Time: at(2), Publish: &mqtt.Publish{
		Topic: "a/b", Payload: make([]byte, 3000), QoS: 2, Retain: true, PayloadFormat: mqtt.Some[byte](1), MessageExpiryInterval: mqtt.Some[uint32](7),
		ContentType: mqtt.Some("text"), ResponseTopic: "r", CorrelationData: []byte{}, UserProperties: []mqtt.UserProperty{{Name: "n", Value: "v"}, {Name: "n"}},
	}},
	{Kind: server.PutMessage, Message: 3, Time: at(3), Publish: &mqtt.Publish{Topic: "empty"}},
	{Kind: server.PutRetained, Name: "a/b", Message: 2},
	{Kind: server.PutSession, Session: 4, Client: "c"},
	{Kind: server.PutSession, Session: 5, Client: "é", Username: "u", Expiry: mqtt.SessionNeverExpires, Offline: true, Message: 3, Time: at(9), WillTime: at(8), Delay: time.Minute},
	{Kind: server.PutSubscription, Session: 5, Name: "$share/g/a/#", Shared: true, QoS: 2, RetainAsPublished: true, Identifiers: []uint32{mqtt.MaxSubscriptionIdentifier}},
	{Kind: server.PutSubscription, Session: 5, Name: "a", NoLocal: true},
	{Kind: server.PutReceived, Session: 5, PacketID: 1},
	{Kind: server.PutReceived, Session: 5, PacketID: 65535},
	{Kind: server.PutDelivery, Session: 5, Place: 10, Message: 2, PacketID: 300, QoS: 2, Retain: true, Free: true, Identifiers: []uint32{1, 2}, Shared: true, Share: "g", Name: "a/#"},
	{Kind: server.PutDelivery, Session: 5, Place: 11, PacketID: 7, QoS: 2, Released: true},
	{Kind: server.PutDelivery, Session: 5, Place: 12, Message: 1, QoS: 1},
}

func mustOpen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{MinimumFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func commit(t testing.TB, s *Store, records ...server.Record) {
	t.Helper()
	b := s.Batch()
	for i := range records {
		if err := b.Add(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

func stored(t testing.TB, s *Store) (list []server.Record) {
	t.Helper()
	for r, err := range s.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if r.Publish != nil {
			r.Publish = r.Publish.Clone()
		}
		list = append(list, r)
	}
	return list
}

func compare(t testing.TB, want, got []server.Record) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsCommittedIsThere(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	commit(t, s, samples...)
	compare(t, samples, stored(t, s))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)
	defer s.Close()
	compare(t, samples, stored(t, s))
	if p := stored(t, s)[1].Publish; p.CorrelationData == nil {
		t.Error("empty Correlation Data became none")
	}
	commit(t, s,
		server.Record{Kind: server.RemoveMessage, Message: 1}, server.Record{Kind: server.RemoveRetained, Name: "a/b"},
		server.Record{Kind: server.RemoveSubscription, Session: 5, Name: "a"}, server.Record{Kind: server.RemoveReceived, Session: 5, PacketID: 1},
		server.Record{Kind: server.RemoveDelivery, Session: 5, Place: 12})
	var left []server.Record
	for i, r := range samples {
		if i != 0 && i != 3 && i != 7 && i != 8 && i != 12 {
			left = append(left, r)
		}
	}
	compare(t, left, stored(t, s))
	commit(t, s, server.Record{Kind: server.EndSession, Session: 5})
	compare(t, []server.Record{samples[1], samples[2], samples[4]}, stored(t, s))
}

// TestKilledStore copies the files of a Store that is open, as they would be found after a kill.
func TestKilledStore(t *testing.T) {
	dir, found := t.TempDir(), t.TempDir()
	s := mustOpen(t, dir)
	defer s.Close()
	commit(t, s, samples...)
	copyFiles(t, dir, found)
	killed := mustOpen(t, found)
	defer killed.Close()
	compare(t, samples, stored(t, killed))
}

func copyFiles(t testing.TB, from, to string) {
	t.Helper()
	for range 100 {
		before := names(t, from)
		err := os.CopyFS(to, os.DirFS(from))
		if err == nil && slices.Equal(before, names(t, from)) {
			return
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		// An engine that was not closed still removes files that it no longer needs: such a copy is no moment of the directory.
		if err := errors.Join(os.RemoveAll(to), os.Mkdir(to, 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("%s never stood still", from)
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list
}

func TestOnlyOneOpens(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	defer s.Close()
	if _, err := Open(dir, Options{MinimumFree: -1}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second Open: %v", err)
	}
}

func TestOtherVersionIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	if err := s.db.Set([]byte{keyVersion}, []byte{version + 1}, nil); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(dir, Options{MinimumFree: -1}); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a Store of another version: %v", err)
	}
}

// TestDamageIsNoticed changes one byte after the other in the files of a Store: it is refused, or what is damaged is a commit that can't be told from
// one that was under way, which is the last.
func TestDamageIsNoticed(t *testing.T) {
	for _, closed := range []bool{false, true} {
		dir := t.TempDir()
		s := mustOpen(t, dir)
		for i := range samples {
			commit(t, s, samples[i])
		}
		killed := t.TempDir()
		if !closed {
			copyFiles(t, dir, killed)
		}
		s.Close()
		pattern := "*.log"
		if closed {
			copyFiles(t, dir, killed)
			pattern = "*.sst"
		}
		files, _ := filepath.Glob(filepath.Join(killed, pattern))
		for _, file := range files {
			damageEverywhere(t, killed, filepath.Base(file), !closed)
		}
		if len(files) == 0 {
			t.Errorf("no file %s", pattern)
		}
	}
}

func damageEverywhere(t *testing.T, dir, file string, isLog bool) {
	t.Helper()
	good, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for i := 0; i < len(good); i += max(1, len(good)/30) {
		bad := t.TempDir()
		copyFiles(t, dir, bad)
		b := append([]byte(nil), good...)
		b[i] ^= 0x10
		if err := os.WriteFile(filepath.Join(bad, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := readAll(bad)
		switch {
		case err != nil:
			noticed++
		case len(list) == len(samples):
		case isLog && len(list) >= len(samples)-1:
		default:
			t.Errorf("byte %d of %d of %s changed: %d records of %d and no error", i, len(good), file, len(list), len(samples))
		}
	}
	if noticed == 0 {
		t.Errorf("no damage to %s was noticed", file)
	}
}

func readAll(dir string) (list []server.Record, err error) {
	s, err := Open(dir, Options{MinimumFree: -1})
	if err != nil {
		return nil, err
	}
	defer s.release()
	for r, err := range s.Records() {
		if err != nil {
			return nil, err
		}
		if r.Publish != nil {
			r.Publish = r.Publish.Clone()
		}
		list = append(list, r)
	}
	return list, nil
}

// TestTornLog cuts a log off at each place: what was whole is there, in order.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for i := range samples {
		commit(t, s, samples[i])
	}
	found := t.TempDir()
	copyFiles(t, dir, found)
	s.Close()
	logs, _ := filepath.Glob(filepath.Join(found, "*.log"))
	last := logs[len(logs)-1]
	whole, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole); n > 0; n -= max(1, len(whole)/25) {
		cut := t.TempDir()
		copyFiles(t, found, cut)
		if err := os.WriteFile(filepath.Join(cut, filepath.Base(last)), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := readAll(cut)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		if len(list) > 0 {
			compare(t, samples[:len(list)], list)
		}
	}
}

// TestFullDisk has writing fail at each operation in turn. What was committed is there afterwards, and nothing is committed after an error.
func TestFullDisk(t *testing.T) {
	for after := int32(0); after < 30; after += 2 {
		dir := t.TempDir()
		s := mustOpen(t, dir)
		commit(t, s, samples[:4]...)
		s.Close()
		full := new(fullDisk)
		full.left.Store(after)
		s, err := Open(dir, Options{MinimumFree: -1, files: errorfs.Wrap(vfs.Default, full)})
		committed := 4
		if err == nil {
			committed = fill(t, s)
		}
		if (committed < len(samples)) != full.hit.Load() {
			t.Errorf("after %d operations: full %t, and %d records committed", after, full.hit.Load(), committed)
		}
		copied := t.TempDir()
		copyFiles(t, dir, copied)
		list, err := readAll(copied)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) < committed {
			t.Errorf("after %d operations: %d records of %d that were committed", after, len(list), committed)
		} else {
			compare(t, samples[:len(list)], list)
		}
	}
}

// fill commits the rest of the samples one by one and returns how many there are then.
func fill(t *testing.T, s *Store) int {
	t.Helper()
	for i := 4; i < len(samples); i++ {
		b := s.Batch()
		if err := b.Add(&samples[i]); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(b); err != nil {
			if !strings.Contains(err.Error(), syscall.ENOSPC.Error()) || !strings.Contains(err.Error(), s.dir) {
				t.Errorf("the error does not tell the cause and the place: %v", err)
			}
			if again := s.Commit(s.Batch()); !errors.Is(again, err) {
				t.Errorf("a commit after a failure: %v", again)
			}
			return i
		}
	}
	return len(samples)
}

// fullDisk lets so many writes and syncs pass.
type fullDisk struct {
	left atomic.Int32
	hit  atomic.Bool
}

func (f *fullDisk) MaybeError(op errorfs.Op, _ string) error {
	if op != errorfs.OpFileWrite && op != errorfs.OpFileSync {
		return nil
	}
	if f.left.Add(-1) < 0 {
		f.hit.Store(true)
		return syscall.ENOSPC
	}
	return nil
}

func (f *fullDisk) String() string { return "full disk" }

// TestNearlyFullDisk wants the end in order while there is room.
func TestNearlyFullDisk(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir, Options{MinimumFree: 1 << 60})
	if err == nil || !strings.Contains(err.Error(), "free some space") {
		t.Fatalf("Open on a disk that is nearly full: %v", err)
	}
	s := mustOpen(t, dir)
	defer s.release()
	s.minimum = 1 << 60
	b := s.Batch()
	if err := b.Add(&samples[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(b); err == nil {
		t.Error("commit on a disk that is nearly full")
	}
	if list := stored(t, s); len(list) != 0 {
		t.Errorf("%d records are there", len(list))
	}
}

// FuzzDecode gives decode arbitrary keys and values: it must not panic, and what it takes must come out of the codec again.
func FuzzDecode(f *testing.F) {
	for i := range samples {
		value, err := appendValue(nil, &samples[i])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(appendKey(nil, &samples[i]), value)
	}
	s := mustOpen(f, f.TempDir())
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, key, value []byte) {
		r, err := s.decode(key, value)
		if err != nil {
			return
		}
		again, err := appendValue(nil, &r)
		if err != nil {
			t.Fatal(err)
		}
		first := r
		if r.Publish != nil {
			first.Publish = r.Publish.Clone()
		}
		second, err := s.decode(appendKey(nil, &r), again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}
