package target_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mqttlab/spec/target"
)

func TestParseAddress(t *testing.T) {
	tg, err := target.Parse("mqtt://alice:secret@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if tg.Address != "example.org:1883" || *tg.Settings.UserName != "alice" || *tg.Settings.Password != "secret" {
		t.Errorf("read as %+v", tg)
	}
	if strings.Contains(tg.URL, "secret") {
		t.Errorf("the URL for reports holds the password: %s", tg.URL)
	}
	for _, wrong := range []string{"http://x", "mqtt://", "localhost:1883", "mqtt://x:y"} {
		if _, err := target.Parse(wrong); err == nil {
			t.Errorf("Parse(%q) is content", wrong)
		}
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTargetFile(t *testing.T) {
	tg, err := target.Parse(write(t, "t.yaml", "url: mqtt://127.0.0.1:1\nname: mine\nwithout: [shared]\ntimings: {answer: 5s}\nuser: u\nforbidden-topic: f\n"))
	if err != nil {
		t.Fatal(err)
	}
	if tg.Name != "mine" || len(tg.Without) != 1 || tg.Timings.Answer != 5*time.Second || *tg.Settings.UserName != "u" || tg.Settings.ForbiddenTopic != "f" {
		t.Errorf("read as %+v", tg)
	}
	for text, want := range map[string]string{
		"url: mqtt://h\nnmae: x\n":                           "[2:1]", // the line of the unknown key
		"name: x\nwithout: [flying]\n":                       "flying",
		"url: mqtt://h\nlisteners: [ws://h, ws://i]":         "ws://i is the second",
		"url: mqtt://h\nlisteners: [tcp://i]":                "tcp://i is the second",
		"url: mqtt://h\nlisteners: [http://h]":               "http",
		"url: mqtt://h\nknown: nowhere.yaml\n":               "nowhere.yaml",
		"name: x\nwithout: [flying]\nknown: nowhere.yaml\n#": "url is missing",
	} {
		if _, err := target.Parse(write(t, "t.yaml", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q named", text, err, want)
		}
	}
}

func TestKnownOverATransport(t *testing.T) {
	known, err := target.ReadKnown(write(t, "k.yaml", "- {check: a/*, transports: [tcp], reason: r}\n- {check: a/*, transports: [wss, ws], reason: r}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]bool{{"": true, "ws": false}, {"": false, "ws": true}} {
		for transport, want := range want {
			if got := known[i].Covers("a/B", "5.0", transport); got != want {
				t.Errorf("%+v covers %q: %t", known[i], transport, got)
			}
		}
	}
	if _, err := target.ReadKnown(write(t, "k.yaml", "- {check: a, transports: [quic], reason: r}\n")); err == nil || !strings.Contains(err.Error(), "quic") {
		t.Errorf("an unknown transport: %v", err)
	}
}

func TestKnownFailuresNeedAReason(t *testing.T) {
	known, err := target.ReadKnown(write(t, "k.yaml", "- check: connect/*\n  mqtt: \"5.0\"\n  reason: bug 1\n"))
	if err != nil || len(known) != 1 || !known[0].Covers("connect/X", "5.0", "ws") || known[0].Covers("connect/X", "3.1.1", "") {
		t.Errorf("%+v, %v", known, err)
	}
	_, err = target.ReadKnown(write(t, "k.yaml", "- check: a\n- reason: b\n"))
	if err == nil || !strings.Contains(err.Error(), "(a) needs a reason") || !strings.Contains(err.Error(), "entry 2 has no check") {
		t.Errorf("%v", err)
	}
}

// TestListeners wants the same target at another address.
func TestListeners(t *testing.T) {
	tg, err := target.Parse(write(t, "t.yaml", "url: mqtt://h\nlisteners: [ws://h:8080/mqtt, mqtts://h]\nuser: u\n"))
	if err != nil {
		t.Fatal(err)
	}
	over, err := tg.At(tg.Listeners[0])
	if err != nil {
		t.Fatal(err)
	}
	if over.Transport() != "ws" || over.Address != "ws://h:8080/mqtt" || over.URL != "mqtt://h" || *over.Settings.UserName != "u" || tg.Network != "tcp" {
		t.Errorf("at %s: %+v", tg.Listeners[0], over)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"a/B", "a/B", true},
		{"a/B", "a/BC", false},
		{"a/*", "a/B", true},
		{"*", "a/B", true},
		{"*B", "a/B", true},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abde", false},
		{"a*a", "a", false},
	} {
		if got := target.Match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}
