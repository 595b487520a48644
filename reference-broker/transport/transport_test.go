package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestURLs(t *testing.T) {
	for _, u := range []string{"mqtt://127.0.0.1:0", "mqtt+unix://" + filepath.Join(t.TempDir(), "s")} {
		ln, err := Listen(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		accepted := make(chan error, 1)
		go func() {
			c, err := ln.Accept()
			if err == nil {
				_, err = c.Write([]byte("hello"))
				c.Close()
			}
			accepted <- err
		}()
		c, err := Dial(t.Context(), URL(ln))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if err != nil || string(b) != "hello" || <-accepted != nil {
			t.Errorf("%s: read %q, %v", u, b, err)
		}
		c.Close()
		ln.Close()
	}
}

func TestWrongURLs(t *testing.T) {
	for u, say := range map[string]string{
		"127.0.0.1:1883":        "mqtt://",
		"tcp://127.0.0.1":       "mqtt, mqtt+unix, mqtts, ws, wss",
		"mqtt://h:1/path":       "no path",
		"mqtt://user@h":         "leave the rest out",
		"mqtt+unix://host/path": "three slashes",
		"mqtt+unix://":          "three slashes",
		"mqtts://127.0.0.1:0":   "needs a certificate",
		"wss://127.0.0.1:0":     "needs a certificate",
	} {
		if _, err := Listen(t.Context(), u); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: error %v does not say %q", u, err, say)
		}
	}
	for u, want := range map[string]string{
		"mqtt://broker": "broker:1883", "mqtts://broker": "broker:8883", "ws://broker/p?q": "broker:80", "wss://broker": "broker:443",
	} {
		if _, address, err := Address(u); address != want || err != nil {
			t.Errorf("the address of %s is %s, %v", u, address, err)
		}
	}
	for _, u := range []string{"mqtt://me:secret@h/%", "mqtts://me:secret@h", "tls://me:secret@h"} {
		if _, _, err := Address(u); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", u, err)
		}
	}
}

func TestPipeCarriesBytesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		sent := bytes.Repeat([]byte("0123456789"), PipeBuffer/5) // twice what the pipe holds: the writer has to wait
		go func() {
			a.Write(sent)
			a.Close()
		}()
		synctest.Wait()
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes arrived of %d, %v", len(got), len(sent), err)
		}
		if _, err := b.Write([]byte("x")); err == nil {
			t.Error("a write to a closed end succeeded")
		}
	})
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Hour))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("read ended after %v with %v", time.Since(start), err)
		}
		a.SetReadDeadline(time.Time{})
		b.Write([]byte("x"))
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("after the deadline was lifted: %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		if n, err := a.Write(make([]byte, PipeBuffer+1)); n != PipeBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes, %v", n, err)
		}
		a.Close()
		b.Close()
	})
}

func TestMemoryListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := NewMemory()
		go func() {
			c, _ := ln.Accept()
			io.Copy(c, c)
			c.Close()
		}()
		c, err := ln.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("echo"))
		b := make([]byte, 4)
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "echo" {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := ln.Dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nobody accepts: %v", err)
		}
		ln.Close()
		ln.Close()
		if _, err := ln.Dial(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}
