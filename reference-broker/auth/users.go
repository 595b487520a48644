package auth

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// Users are the names and password hashes of one reading of a password file. They do not change.
type Users struct {
	hashes map[string]hash
	decoys []hash // all hashes, or one if there are none: what unknown users are checked against
	// iterations is what SCRAM tells unknown users: those of the first user who has it.
	iterations int
}

// ParseUsers reads a password file; name is for errors. The error names all lines that are wrong, and nothing of their hashes.
func ParseUsers(name string, text []byte) (*Users, error) {
	u := &Users{hashes: make(map[string]hash)}
	var mistakes []error
	for n, line := range lines(text) {
		user, h, err := parseLine(line)
		if err == nil && u.hashes[user] != nil {
			err = fmt.Errorf("user %q stands there twice", user)
		}
		switch {
		case err != nil:
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", name, n, err))
		case h != nil:
			u.hashes[user] = h
			u.decoys = append(u.decoys, h)
			if v, ok := h.(*verifier); ok && u.iterations == 0 {
				u.iterations = v.Iters
			}
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if len(u.decoys) == 0 {
		u.decoys = []hash{newArgon(random(keySize))}
	}
	u.iterations = cmp.Or(u.iterations, scramIterations)
	return u, nil
}

// lines yields lines without their ends, and their numbers.
func lines(text []byte) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		s := bufio.NewScanner(bytes.NewReader(text))
		s.Buffer(nil, len(text)+1)
		for n := 1; s.Scan(); n++ {
			if !yield(n, s.Text()) {
				return
			}
		}
	}
}

// parseLine returns the user and hash of a line, no hash for a comment.
func parseLine(line string) (user string, h hash, err error) {
	if strings.TrimSpace(line) == "" || line[0] == '#' {
		return "", nil, nil
	}
	user, text, ok := strings.Cut(line, ":")
	if !ok {
		return "", nil, errors.New("want a user name, a colon and a hash")
	}
	if err := checkName(user); err != nil {
		return "", nil, err
	}
	h, err = parseHash(text)
	if err != nil {
		return "", nil, fmt.Errorf("user %q: %w", user, err)
	}
	return user, h, nil
}

// checkName returns why a user name cannot stand in the file.
func checkName(user string) error {
	switch {
	case user == "":
		return errors.New("the user name is empty")
	case user[0] == '#' || strings.ContainsRune(user, ':'):
		return fmt.Errorf("user name %q: a colon, or # at the start, is not possible", user)
	case !utf8.ValidString(user) || strings.ContainsFunc(user, unicode.IsControl) || len(user) > 65535:
		return fmt.Errorf("user name %.40q: want UTF-8 without control characters, as MQTT does", user)
	}
	return nil
}

// Len returns the number of users.
func (u *Users) Len() int { return len(u.hashes) }

// Has reports whether there is a user of this name.
func (u *Users) Has(user string) bool { return u.hashes[user] != nil }

// check reports whether password is right. For a user who is not there it computes as long.
func (u *Users) check(seed maphash.Seed, user string, password []byte) bool {
	if h := u.hashes[user]; h != nil {
		return h.matches(password)
	}
	u.decoy(seed, user).matches(password)
	return false
}

// decoy returns the hash that stands in for an unknown user's, always the same one, so that its time tells nothing.
func (u *Users) decoy(seed maphash.Seed, user string) hash {
	return u.decoys[maphash.String(seed, user)%uint64(len(u.decoys))]
}

// UserFile is a password file that may be read again. Its methods may be called from any goroutine.
type UserFile struct {
	path    string // empty: there is no file
	current atomic.Pointer[Users]
}

// OpenUsers reads a password file.
func OpenUsers(path string) (*UserFile, error) {
	f := &UserFile{path: path}
	return f, f.Reload()
}

// FixedUsers returns users that come from no file; Reload changes nothing.
func FixedUsers(u *Users) *UserFile {
	f := &UserFile{}
	f.current.Store(u)
	return f
}

// Reload reads the file again. After an error the users that were read last still hold.
func (f *UserFile) Reload() error {
	if f.path == "" {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("password file: %w", err)
	}
	u, err := ParseUsers(f.path, text)
	if err != nil {
		return err
	}
	f.current.Store(u)
	return nil
}

// Users returns what was read last.
func (f *UserFile) Users() *Users { return f.current.Load() }
