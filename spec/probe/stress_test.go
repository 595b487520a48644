package probe

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// TestStressKeepsBytes wants every seed to deliver what was written, in more pieces than it was written in, and to be the same each time.
func TestStressKeepsBytes(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), 100)
	for seed := range uint64(20) {
		first, second := pieces(t, seed, sent), pieces(t, seed, sent)
		if len(first) < 2 {
			t.Errorf("seed %d: %d bytes went out in one piece", seed, len(sent))
		}
		if got := bytes.Join(first, nil); !bytes.Equal(got, sent) {
			t.Errorf("seed %d: %d bytes arrived of %d", seed, len(got), len(sent))
		}
		if len(first) != len(second) {
			t.Errorf("seed %d: %d pieces, then %d", seed, len(first), len(second))
		}
	}
}

// pieces are what the other end of a stressed connection reads; a pipe keeps writes apart.
func pieces(t *testing.T, seed uint64, sent []byte) (all [][]byte) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		go func() {
			conn := Stress(here, seed)
			if n, err := conn.Write(sent); n != len(sent) || err != nil {
				t.Errorf("seed %d: wrote %d: %v", seed, n, err)
			}
			conn.Close()
		}()
		b := make([]byte, len(sent))
		for {
			n, err := there.Read(b)
			all = append(all, bytes.Clone(b[:n]))
			if err == io.EOF {
				return
			}
		}
	})
	return all[:len(all)-1]
}

// TestStressReadsAll wants a slow reader to read everything in the end, of a stream larger than its pauses last.
func TestStressReadsAll(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			here, there := net.Pipe()
			sent := bytes.Repeat([]byte("x"), 10_000)
			go func() {
				there.Write(sent)
				there.Close()
			}()
			if got, err := io.ReadAll(Stress(here, seed)); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("seed %d: %d bytes of %d: %v", seed, len(got), len(sent), err)
			}
		})
	}
}
