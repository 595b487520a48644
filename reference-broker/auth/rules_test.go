package auth

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mqttlab/reference-broker/core/server"
	"mqttlab/reference-broker/core/topic"
)

const example = `
default: deny
rules:
- deny: all
  topic: secret/#
- allow: [publish, will]
  user: [ann, bob]
  topic: [meters/%c/#, "home/%u/+", 'fixed/100%%']
- allow: subscribe
  client: [7, "true"]
  topic: ["#"]
- allow: subscribe
  user: ""
  topic: public/+/x
- allow: all
  topic: "%c/#"
`

func TestRules(t *testing.T) {
	r, err := ParseRules("rules", []byte(example))
	must(t, err)
	const pub, sub, will = server.PublishTo, server.SubscribeTo, server.LeaveWill
	for _, x := range []struct {
		kind               server.AccessKind
		user, client, what string
		allowed            bool
	}{
		{pub, "ann", "m1", "meters/m1/power", true},
		{pub, "ann", "m1", "meters/m1", true},
		{will, "bob", "m1", "meters/m1/power", true},
		{sub, "ann", "m1", "meters/m1/power", false},
		{pub, "ann", "m1", "meters/m2/power", false},
		{pub, "eve", "m1", "meters/m1/power", false},
		{pub, "ann", "m1", "home/ann/light", true},
		{pub, "ann", "m1", "home/bob/light", false},
		{pub, "ann", "m1", "home/ann/light/x", false},
		{pub, "ann", "m1", "fixed/100%", true},
		{pub, "ann", "m1", "secret/x", false},
		// Names that would make a filter of their own.
		{pub, "ann", "+", "meters/m1/power", false},
		{pub, "ann", "#", "meters/#/power", false},
		{pub, "ann", "a/b", "meters/a/b/power", false},
		{pub, "ann", "", "meters//power", false},
		{pub, "eve", "$SYS", "$SYS/x", false},
		{sub, "eve", "$SYS", "$SYS/#", false},
		{pub, "eve", "mine", "mine/x", true},
		{sub, "eve", "mine", "mine/#", true},
		{sub, "eve", "mine", "+/x", false},
		// Subscriptions: a rule that allows must hold all of it, one that denies any of it.
		{sub, "eve", "7", "a/b", true},
		{sub, "eve", "true", "a/+/c/#", true},
		{sub, "eve", "8", "a/b", false},
		{sub, "eve", "7", "#", false},
		{sub, "eve", "7", "+/x", false},
		{sub, "eve", "7", "secret", false},
		{sub, "eve", "7", "$SYS/#", false},
		{sub, "", "c", "public/+/x", true},
		{sub, "", "c", "public/a/x", true},
		{sub, "", "c", "public/#", false},
		{sub, "", "c", "public/+/+", false},
		{sub, "eve", "c", "public/a/x", false},
	} {
		if got := r.Authorize(server.Access{Kind: x.kind, Username: x.user, Client: x.client, Topic: x.what}); got != x.allowed {
			t.Errorf("kind %d, user %q, client %q, %s: allowed is %v", x.kind, x.user, x.client, x.what, got)
		}
	}
	open, err := ParseRules("rules", []byte("default: allow\nrules: []\n"))
	must(t, err)
	if !open.Authorize(server.Access{Kind: pub, Topic: "x"}) || (&Rules{}).Authorize(server.Access{Kind: pub, Topic: "x"}) {
		t.Error("the default does not hold")
	}
}

func TestMistakesInRules(t *testing.T) {
	_, err := ParseRules("rules.yaml", []byte(`default: maybe
rule: []
rules:
- alow: publish
  topic: a
- allow: publsh
  deny: all
  topic: a/#/b
- allow: publish
- topic: x
- allow: all
  topic: #
- allow: []
  topic: [a, {b: c}]
- nonsense
- deny: all
  topic: [$share/g/a, a%d]
`))
	want := []string{
		"rules.yaml:1: default is allow or deny", "rules.yaml:2: unknown key \"rule\": did you mean rules?", "rules.yaml:4: unknown key \"alow\": did you mean allow?",
		"rules.yaml:6: \"publsh\" is not one of", "rules.yaml:7: a rule has either", "rules.yaml:8: topic \"a/#/b\"", "rules.yaml:9: a rule has topic",
		"rules.yaml:10: a rule has allow or deny", "rules.yaml:12: key topic has no value", "rules.yaml:13: the list is empty",
		"rules.yaml:14: want a text", "rules.yaml:15: want keys and values", "rules.yaml:17: topic \"$share/g/a\"", "rules.yaml:17: topic \"a%d\"",
	}
	if err == nil {
		t.Fatal("no error")
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Errorf("%d mistakes, want %d:\n%v", len(got), len(want), err)
	}
	for i := range min(len(got), len(want)) {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
	for _, text := range []string{"", "[]", "a: [", "default: allow\n", "rules: []\nrules: []\n", "rules: []\n---\nrules: []\n", "rules: x"} {
		if _, err := ParseRules("rules", []byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestReloadRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules")
	must(t, os.WriteFile(path, []byte("default: allow\nrules: []\n"), 0o600))
	f, err := OpenRules(path)
	must(t, err)
	a := server.Access{Kind: server.PublishTo, Topic: "x"}
	if !f.Authorize(a) {
		t.Error("not allowed")
	}
	must(t, os.WriteFile(path, []byte("broken: ["), 0o600))
	if f.Reload() == nil || !f.Authorize(a) {
		t.Error("a broken file replaced the rules")
	}
	must(t, os.WriteFile(path, []byte("rules: []\n"), 0o600))
	must(t, f.Reload())
	if f.Authorize(a) {
		t.Error("the new rules do not hold")
	}
	if f, err := OpenRules(path + "x"); err == nil || f.Authorize(a) {
		t.Errorf("without a file: %v", err)
	}
}

// TestCoversAndMeets compares with what they mean: with all names that both filters match, out of the names that matter.
func TestCoversAndMeets(t *testing.T) {
	words := []string{"a", "b", "", "$x", "other"}
	var names []string
	var grow func(prefix string, levels int)
	grow = func(prefix string, levels int) {
		for _, w := range words {
			if prefix+w != "" {
				names = append(names, prefix+w)
			}
			if levels > 1 {
				grow(prefix+w+"/", levels-1)
			}
		}
	}
	grow("", 4)
	rng := rand.New(rand.NewPCG(1, 2))
	filter := func() string {
		for {
			var levels []string
			for range 1 + rng.IntN(3) {
				levels = append(levels, []string{"a", "b", "+", "", "$x"}[rng.IntN(5)])
			}
			if rng.IntN(2) == 0 {
				levels = append(levels, "#")
			}
			if f := strings.Join(levels, "/"); topic.CheckFilter(f) == nil {
				return f
			}
		}
	}
	for range 3000 {
		rule, asked := filter(), filter()
		if rng.IntN(10) == 0 {
			asked = "#"
		}
		p, err := parsePattern(rule)
		must(t, err)
		covers, meets := true, false
		for _, n := range names {
			if topic.Match(asked, n) {
				covers = covers && topic.Match(rule, n)
				meets = meets || topic.Match(rule, n)
			}
		}
		a := &server.Access{Topic: asked}
		// A filter may be covered by the sum of a rule's levels, such as # by +/#: it is denied then.
		if got := p.covers(a); got && !covers || !got && covers && !strings.HasSuffix(rule, "+/#") {
			t.Errorf("%s covers %s: %v, is %v", rule, asked, got, covers)
		}
		// What /# and + have in common is the empty name, which is none: it is denied.
		if got := p.meets(a); got != meets && !(got && (rule == "/#" && asked == "+" || rule == "+" && asked == "/#")) {
			t.Errorf("%s meets %s: %v, is %v", rule, asked, got, meets)
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(example), "c", "u", "meters/c/x")
	f.Fuzz(func(t *testing.T, text []byte, client, user, name string) {
		r, err := ParseRules("rules", text)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error that says nothing")
			}
			return
		}
		if topic.CheckFilter(name) != nil {
			return
		}
		for kind := server.PublishTo; kind <= server.LeaveWill; kind++ {
			r.Authorize(server.Access{Kind: kind, Client: client, Username: user, Topic: name})
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("a/%c/%u/#", "c", "u", "a/c/u/x")
	f.Fuzz(func(t *testing.T, rule, client, user, name string) {
		p, err := parsePattern(rule)
		if err != nil || topic.CheckName(name) != nil || !fits(client) || !fits(user) {
			return
		}
		a := &server.Access{Client: client, Username: user, Topic: name}
		plain := strings.NewReplacer("%%", "%", "%c", client, "%u", user).Replace(rule)
		want := topic.CheckFilter(plain) == nil && topic.Match(plain, name) && (plain[0] != '$' || rule[0] == '$')
		if got := p.covers(a); got != want || p.meets(a) != want {
			t.Errorf("%s with client %s, user %s, name %s: covers %v, meets %v, want %v", rule, client, user, name, got, p.meets(a), want)
		}
	})
}

func BenchmarkAuthorize(b *testing.B) {
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "- {allow: all, user: user%d, topic: [\"x/%d/#\"]}\n", i, i)
	}
	text.WriteString("- {deny: all, topic: secret/#}\n- {allow: publish, topic: fleet/%c/%u/+}\n")
	r, err := ParseRules("rules", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	a := server.Access{Kind: server.PublishTo, Client: "meter-17", Username: "user500", Topic: "fleet/meter-17/user500/power"}
	b.ReportAllocs()
	for b.Loop() {
		if !r.Authorize(a) {
			b.Fatal("denied")
		}
	}
}
