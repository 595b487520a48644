package profile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mqttlab/spec/target"
	"mqttlab/spec/target/profile"
)

// TestBuiltIn reads every profile, and sees that a list of known failures comes from a run.
func TestBuiltIn(t *testing.T) {
	names := profile.Names()
	for _, want := range []string{
		"artemis", "emqx", "flashmq", "hivemq-ce", "mochi", "mosquitto", "mqttlab", "nanomq", "nats", "rabbitmq", "vernemq",
	} {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+want+" ") {
			t.Errorf("no profile %s in %v", want, names)
		}
	}
	for _, name := range names {
		p, err := profile.Lookup(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Judged == profile.NotRun && len(p.Known) > 0 {
			t.Errorf("%s was not run, and yet %d failures are known", name, len(p.Known))
		}
		if r := p.Recipe(false); p.Image != "" && (r.Image != p.Image || r.Exec != "" || len(r.Files) != len(p.Files)) {
			t.Errorf("%s: recipe for a container: %+v", name, r)
		}
		var tg target.Target
		p.Apply(&tg)
		if tg.Name != p.Title {
			t.Errorf("%s: the target is called %q", name, tg.Name)
		}
	}
}

func TestForImage(t *testing.T) {
	for image, want := range map[string]string{
		"eclipse-mosquitto": "mosquitto", "eclipse-mosquitto:2.0.18": "mosquitto",
		"docker.io/library/nats:2.10-alpine":                "nats",
		"localhost:5000/emqx/emqx@sha256:0123456789abcdef0": "emqx",
		"emqx/nanomq:0.23":                                  "nanomq",
		"emqx/other:1":                                      "",
	} {
		got := ""
		if p := profile.ForImage(image); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("%s has profile %q, want %q", image, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	if _, err := profile.Lookup("mosquito"); err == nil || !strings.Contains(err.Error(), "mosquitto") {
		t.Errorf("an unknown name gives %v", err)
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	for text, wants := range map[string][]string{
		"port: 1": {"title is missing", "image or exec is missing", "judged is missing"},
		"title: a\nimage: b\njudged: c\nwithout: [x]\nknown: [{check: y}]":     {`no feature "x"`, "needs a check and a reason"},
		"title: a\nimage: b\njudged: c\nlisteners: [{url: ws://x, config: y}]": {"a file that its config"},
		"titel: a": {"titel"},
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := profile.Read(file)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q gives %v, want %q in it", text, err, want)
			}
		}
	}
}
