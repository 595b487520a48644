package client

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func mustOpen(t *testing.T, path string) *FileStore {
	t.Helper()
	s, err := OpenFileStore(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// history commits some groups and returns the pairs after each, the first time after none, and the file.
func history(t *testing.T) (after []map[string][]byte, text []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	s := mustOpen(t, path)
	after = append(after, map[string][]byte{})
	for _, group := range [][]Change{
		{{"a", []byte("1")}, {"b", []byte{}}},
		{{"a", nil}, {"c", bytes.Repeat([]byte("x"), 50)}},
		{{"b", []byte("2")}, {"nothing", nil}},
	} {
		if err := s.Commit(group); err != nil {
			t.Fatal(err)
		}
		after = append(after, maps.Clone(s.pairs))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return after, text
}

func loaded(t *testing.T, s *FileStore) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	if err := s.Load(func(k string, v []byte) error { found[k] = v; return nil }); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestTornFile cuts a file off at each byte: the groups that are whole are there, and more can be committed.
func TestTornFile(t *testing.T) {
	after, text := history(t)
	dir, groups := t.TempDir(), 0
	for n := range len(text) + 1 {
		for _, tail := range []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
			path := filepath.Join(dir, fmt.Sprint(n, len(tail)))
			if n < len(fileStart) && tail != "" {
				continue
			}
			if err := os.WriteFile(path, append(text[:n:n], tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := OpenFileStore(path)
			if err != nil && tail != "" && strings.Contains(err.Error(), "damaged") {
				continue // zeros in the middle of a head
			}
			if err != nil {
				t.Fatalf("cut after %d bytes: %v", n, err)
			}
			for groups+1 < len(after) && maps.EqualFunc(loaded(t, s), after[groups+1], bytes.Equal) {
				groups++
			}
			diff(t, fmt.Sprintf("cut after %d bytes", n), after[groups], loaded(t, s))
			if err := errors.Join(s.Commit([]Change{{"new", []byte("n")}}), s.Close()); err != nil {
				t.Fatal(err)
			}
			if again := mustOpen(t, path); string(loaded(t, again)["new"]) != "n" {
				t.Errorf("cut after %d bytes: what was committed then is not there", n)
			}
		}
	}
	if groups != len(after)-1 {
		t.Errorf("the whole file has %d groups", groups)
	}
}

// TestDamagedFile changes each byte before the last group: Open refuses, and leaves the file as it was.
func TestDamagedFile(t *testing.T) {
	after, text := history(t)
	path := filepath.Join(t.TempDir(), "s")
	s := mustOpen(t, path)
	last := len(text) - groupHead - len(appendChange(appendChange(nil, Change{"b", []byte("2")}), Change{"nothing", nil}))
	s.Close()
	for i := range last {
		bad := bytes.Clone(text)
		bad[i] ^= 0x10
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFileStore(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, bad) {
			t.Fatalf("byte %d changed: the file was changed as well", i)
		}
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	diff(t, "undamaged", after[len(after)-1], loaded(t, mustOpen(t, path)))
}

// TestFileDoesNotGrowForEver commits and removes some hundred times what the file may hold.
func TestFileDoesNotGrowForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := mustOpen(t, path)
	large := bytes.Repeat([]byte("x"), 100<<10)
	if err := s.Commit([]Change{{"stays", []byte("s")}}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		key := fmt.Sprint(i)
		if err := errors.Join(s.Commit([]Change{{key, large}}), s.Commit([]Change{{key, nil}})); err != nil {
			t.Fatal(err)
		}
		if f, err := os.Stat(path); err != nil || f.Size() > smallestRewrite {
			t.Fatalf("after %d messages: %d bytes, %v", i, f.Size(), err)
		}
	}
	s.Close()
	diff(t, "pairs", map[string][]byte{"stays": []byte("s")}, loaded(t, mustOpen(t, path)))
}

func TestFileIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s := mustOpen(t, path)
	if _, err := OpenFileStore(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	s.Close()
	mustOpen(t, path)
}

func TestNothingIsCommittedAfterAFailure(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "s"))
	s.file.Close()
	if err := s.Commit([]Change{{"a", []byte("1")}}); err == nil || !strings.Contains(err.Error(), s.path) {
		t.Errorf("Commit to a closed file: %v", err)
	} else if again := s.Commit(nil); !errors.Is(again, err) {
		t.Errorf("Commit afterwards: %v", again)
	}
	if len(s.pairs) != 0 {
		t.Error("the pair is there")
	}
}
