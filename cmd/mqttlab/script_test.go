package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mqttlab": main})
}

// TestScripts runs the program as a user would; one script per behaviour.
func TestScripts(t *testing.T) {
	if findMosquitto() == "" {
		t.Log("the scripts that want mosquitto are left out; install it with: apt-get install mosquitto")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Condition:           condition,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"serve": serveOddly, "listening": listening, "waitfor": waitFor, "fetch": fetch, "certificates": certificates, "mosquitto": startMosquitto},
		RequireExplicitExec: true,
	})
}

func condition(name string) (bool, error) {
	if name == "mosquitto" {
		return findMosquitto() != "", nil
	}
	return false, errors.New("unknown condition " + name)
}

func findMosquitto() string {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// serveOddly starts a server that is no MQTT broker and puts its address into a variable: serve silent|garbage|closing|tls VARIABLE.
func serveOddly(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: serve KIND VARIABLE")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	ts.Setenv(args[1], ln.Addr().String())
	answer := map[string]func(net.Conn){
		"silent":  func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"garbage": func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"closing": func(net.Conn) {},
		"tls":     func(c net.Conn) { _ = tls.Server(c, certificate()).Handshake() },
	}[args[0]]
	if answer == nil {
		ts.Fatalf("serve: unknown kind %s", args[0])
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
}

func certificate() *tls.Config {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	return s.TLS
}

// listening waits until a file holds "listening on ADDRESS" and puts the address into a variable, and further ones into further variables:
// listening FILE VARIABLE...
func listening(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: listening FILE VARIABLE...")
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		said := strings.Split(string(text), "listening on ")[1:]
		if len(said) < len(args)-1 || !strings.HasSuffix(said[len(said)-1], "\n") {
			continue
		}
		for i, variable := range args[1:] {
			ts.Setenv(variable, strings.FieldsFunc(said[i], func(r rune) bool { return r == '\n' || r == ',' || r == ' ' })[0])
		}
		return
	}
	ts.Fatalf("%s never said where it listens", args[0])
}

// startMosquitto starts mosquitto and puts its URL into a variable: mosquitto VARIABLE.
func startMosquitto(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	address := ln.Addr().String()
	ts.Check(ln.Close())
	_, port, _ := net.SplitHostPort(address)
	config := ts.MkAbs("mosquitto.conf")
	ts.Check(os.WriteFile(config, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\nlog_type error\nuser root\n"), 0o600))
	cmd := exec.Command(findMosquitto(), "-c", config)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	ts.Setenv(args[0], "mqtt://"+address)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
	ts.Fatalf("mosquitto did not start")
}
