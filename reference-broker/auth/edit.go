package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNoUser is returned by RemoveUser for a user who is not in the file.
var ErrNoUser = errors.New("there is no such user")

// HashKind is a kind of hash that SetPassword writes.
type HashKind uint8

// The kinds of hashes.
const (
	Argon2id    HashKind = iota // for passwords; the best protection if the file is stolen
	SCRAMSHA256                 // for SCRAM-SHA-256 and passwords
)

// SetPassword adds a user to a password file or changes the password. The file is made if it is not there. Other lines stay as they are, also those
// that cannot be read. Readers see the old file or the new one, also after a crash. Of two who edit at once the last one wins.
func SetPassword(path, user string, password []byte, kind HashKind) error {
	if err := checkName(user); err != nil {
		return err
	}
	if len(password) == 0 || len(password) > 65535 {
		return fmt.Errorf("a password has 1 to 65535 bytes, not %d", len(password))
	}
	var h hash
	var err error
	switch kind {
	case Argon2id:
		h = newArgon(password)
	case SCRAMSHA256:
		if h, err = newVerifier(password); err != nil {
			return err
		}
	default:
		return fmt.Errorf("hash kind %d is not known", kind)
	}
	return edit(path, user, user+":"+h.String()+"\n", true)
}

// RemoveUser takes a user out of a password file; see SetPassword. Without such a user it returns ErrNoUser.
func RemoveUser(path, user string) error { return edit(path, user, "", false) }

// edit puts line in the place of user's.
func edit(path, user, line string, add bool) error {
	text, mode := []byte(nil), fs.FileMode(0o600)
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	info, err := os.Stat(path)
	if err == nil {
		mode = info.Mode().Perm()
		text, err = os.ReadFile(path)
	}
	if err != nil && !(add && errors.Is(err, fs.ErrNotExist)) {
		return fmt.Errorf("password file: %w", err)
	}
	text, found := replaceLine(text, user, line, add)
	if !found && !add {
		return fmt.Errorf("user %q in %s: %w", user, path, ErrNoUser)
	}
	if err := replaceFile(path, text, mode); err != nil {
		return fmt.Errorf("password file: %w", err)
	}
	return nil
}

// replaceLine puts line in the place of the first of user's and takes out the others; with add it goes to the end if there is none.
func replaceLine(text []byte, user, line string, add bool) (result []byte, found bool) {
	prefix := []byte(user + ":")
	for old := range bytes.Lines(text) {
		if !bytes.HasPrefix(old, prefix) {
			result = append(result, old...)
		} else if !found {
			found = true
			result = append(result, line...)
		}
	}
	if add && !found {
		if len(result) > 0 && result[len(result)-1] != '\n' {
			result = append(result, '\n')
		}
		result = append(result, line...)
	}
	return result, found
}

// replaceFile writes a file so that it is there as a whole or not at all.
func replaceFile(path string, text []byte, mode fs.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".users-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if d, openErr := os.Open(filepath.Dir(path)); openErr == nil {
		_ = d.Sync() // not every file system can
		d.Close()
	}
	return nil
}
