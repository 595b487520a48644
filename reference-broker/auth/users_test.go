package auth

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// known is a file with all kinds of hashes; the lines of ann and bob were written by mosquitto_passwd 2.0.11, that of eve is
// a test vector of the reference implementation of argon2, and user has the keys of the example in RFC 7677.
const known = `# comment

ann:$7$101$Ih0AkipcNx/XH+cA$7VZawBDVyeooldTe2vYZYsnTUWO6eak9RL9Oz/BNlYm/7K39W33ijoCd6cLxoP2p5GbnNGUj8FDPGSsU/G7/6Q==
bob:$6$bhNgfkXp4hgfqVtf$/xTWP066s+Jji1v8jNBAaQPg80ygv8y2iWJXZSIktnOU6Lfm3mDW2qBBLsL6iB1NQv56ZuQvC2wt72EFvJaDMQ==
eve:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc
user:$scram-sha-256$i=4096$W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=
`

// passwords are those of the users in known.
var passwords = map[string]string{"ann": "secret1", "bob": "secret2", "eve": "password", "user": "pencil"}

func TestKnownHashes(t *testing.T) {
	u, err := ParseUsers("users", []byte(known))
	must(t, err)
	if u.Len() != len(passwords) {
		t.Errorf("%d users", u.Len())
	}
	for user, password := range passwords {
		h := u.hashes[user]
		if !h.matches([]byte(password)) {
			t.Errorf("%s: the right password is refused", user)
		}
		for _, wrong := range []string{"", "x", password + "x", password[1:]} {
			if h.matches([]byte(wrong)) {
				t.Errorf("%s: %q is accepted", user, wrong)
			}
		}
		if !strings.Contains(known, "\n"+user+":"+h.String()+"\n") {
			t.Errorf("%s: is written as %s", user, h)
		}
	}
}

func TestMistakesInPasswordFile(t *testing.T) {
	for line, want := range map[string]string{
		"hunter2":                            "a colon",
		"ann:hunter2":                        "plain text",
		":$6$c2FsdA==$a2V5":                  "user name is empty",
		"a\x01b:$6$c2FsdA==$a2V5":            "control characters",
		"ann:$5$hunter2$x":                   "kind of hash",
		"ann:$6$hunter2":                     "salt and a key",
		"ann:$6$hunter2!$a2V5":               "not base64",
		"ann:$6$c2FsdA==$a2V5":               "3 bytes",
		"ann:$7$0$c2FsdA==$a2V5":             "iterations",
		"ann:$7$99999999999$c2FsdA==$a2V5":   "iterations",
		"ann:$7$101$c2FsdA==":                "iterations, a salt",
		"ann:$argon2id$v=16$m=8,t=1,p=1$x$y": "v=19",
		"ann:$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$a2V5": "out of range",
		"ann:$argon2id$v=19$m=8,t=1,p=2$c2FsdHNhbHQ$a2V5":        "out of range",
		"ann:$argon2id$v=19$p=1$c2FsdHNhbHQ$a2V5":                "m=19456",
		"ann:$scram-sha-256$4096$c2FsdHNhbHQ=$a2V5$a2V5":         "i=",
		"ann:$scram-sha-256$i=4096$c2FsdHNhbHQ=$a2V5$a2V5":       "3 bytes",
	} {
		_, err := ParseUsers("users", []byte("# first\n"+line+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "users:2: ") {
			t.Errorf("%q: error %v does not say %q", line, err, want)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "a2V5") {
			t.Errorf("%q: the error shows a secret: %v", line, err)
		}
	}
	_, err := ParseUsers("users", []byte("x\n"+known+known[strings.Index(known, "ann"):]+"y"))
	if n := strings.Count(err.Error(), "\n") + 1; n != 6 {
		t.Errorf("%d mistakes are named, not 6: %v", n, err)
	}
}

func TestEditing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	must(t, SetPassword(path, "ann", []byte("one"), Argon2id))
	must(t, SetPassword(path, "bob", []byte("two"), SCRAMSHA256))
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("a new file has mode %v", info.Mode())
	}
	must(t, os.Chmod(path, 0o640))
	f, err := OpenUsers(path)
	must(t, err)
	right := func(user, password string) bool {
		h := f.Users().hashes[user]
		return h != nil && h.matches([]byte(password))
	}
	if !right("ann", "one") || !right("bob", "two") {
		t.Error("passwords that were set are wrong")
	}
	must(t, SetPassword(path, "ann", []byte("three"), SCRAMSHA256))
	if !right("ann", "one") {
		t.Error("what is in use changed before Reload")
	}
	must(t, f.Reload())
	if right("ann", "one") || !right("ann", "three") {
		t.Error("the password did not change with Reload")
	}
	if err := RemoveUser(path, "eve"); !errors.Is(err, ErrNoUser) {
		t.Errorf("removing nobody: %v", err)
	}
	must(t, RemoveUser(path, "ann"))
	must(t, f.Reload())
	if right("ann", "three") || !right("bob", "two") {
		t.Error("the wrong user was removed")
	}
	if info, err = os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode became %v, %v", info.Mode(), err)
	}
	must(t, os.WriteFile(path, []byte("broken"), 0o600))
	if f.Reload() == nil || !right("bob", "two") {
		t.Error("a broken file replaced the users")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files were left behind: %v, %v", left, err)
	}
	for _, name := range []string{"", "a:b", "#a", "a\nb", "\xff"} {
		if SetPassword(path, name, []byte("x"), Argon2id) == nil {
			t.Errorf("user name %q was taken", name)
		}
	}
	for kind, password := range map[HashKind]string{Argon2id: "", SCRAMSHA256: "hunter2\x01", 7: "hunter2"} {
		if err := SetPassword(path, "x", []byte(password), kind); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v %q: %v", kind, password, err)
		}
	}
}

func TestEditingKeepsOtherLines(t *testing.T) {
	for _, x := range []struct{ before, user, line, after string }{
		{"# c\n\na:1\nb:2", "c", "c:3\n", "# c\n\na:1\nb:2\nc:3\n"},
		{"a:1\nb:2\na:9\n", "a", "a:3\n", "a:3\nb:2\n"},
		{"ab:1\n", "a", "a:3\n", "ab:1\na:3\n"},
		{"a:1\r\nb:2\r\n", "a", "", "b:2\r\n"},
	} {
		got, _ := replaceLine([]byte(x.before), x.user, x.line, x.line != "")
		if d := cmp.Diff(x.after, string(got)); d != "" {
			t.Errorf("%q: %s", x.before, d)
		}
	}
}

// TestMosquittoPasswd reads what the tool of mosquitto writes.
func TestMosquittoPasswd(t *testing.T) {
	tool, err := exec.LookPath("mosquitto_passwd")
	if err != nil {
		t.Skip("mosquitto_passwd is not installed")
	}
	path := filepath.Join(t.TempDir(), "users")
	must(t, os.WriteFile(path, nil, 0o600))
	for user, kind := range map[string]string{"old": "sha512", "new": "sha512-pbkdf2"} {
		if out, err := exec.Command(tool, "-H", kind, "-b", path, user, "pass of "+user).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	f, err := OpenUsers(path)
	must(t, err)
	for _, user := range []string{"old", "new"} {
		if h := f.Users().hashes[user]; h == nil || !h.matches([]byte("pass of "+user)) || h.matches([]byte("pass")) {
			t.Errorf("the password of %s is wrong", user)
		}
	}
}

func FuzzUsers(f *testing.F) {
	f.Add([]byte(known))
	f.Add([]byte("a:$7$1$$"))
	f.Fuzz(func(t *testing.T, text []byte) {
		u, err := ParseUsers("users", text)
		if err != nil {
			return
		}
		var again strings.Builder
		for user, h := range u.hashes {
			again.WriteString(user + ":" + h.String() + "\n")
		}
		v, err := ParseUsers("again", []byte(again.String()))
		if err != nil || v.Len() != u.Len() {
			t.Fatalf("%d users, written and read again: %v", u.Len(), err)
		}
	})
}

func BenchmarkPassword(b *testing.B) {
	scram, err := newVerifier([]byte("pencil"))
	if err != nil {
		b.Fatal(err)
	}
	for name, h := range map[string]hash{"argon2id": newArgon([]byte("pencil")), "scram": scram} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !h.matches([]byte("pencil")) {
					b.Fatal("wrong")
				}
			}
		})
	}
}
