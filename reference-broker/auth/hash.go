package auth

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
	"golang.org/x/crypto/argon2"
)

// hash is what the file keeps of a password.
type hash interface {
	// matches computes the hash of password and compares in constant time. It may take long and much memory.
	matches(password []byte) bool
	// String returns the hash as it stands in the file.
	String() string
}

const (
	saltSize = 16 // bytes, as RFC 9106 and RFC 7677 want at least
	keySize  = 32

	// The cost of new argon2id hashes, as OWASP recommends: 24 ms on a core of 2024.
	argonMemory = 19456 // KiB
	argonTime   = 2
	// scramIterations is the cost of new scram-sha-256 hashes, which the client bears: eight times what RFC 7677 asks for, 5 ms on the same core.
	scramIterations = 32768

	// Limits to the cost of hashes in a file: a slip of the pen must not stop the broker.
	maxArgonMemory = 1 << 20 // KiB
	maxArgonTime   = 64
	maxIterations  = 10_000_000
)

// parseHash reads a hash. What it says is wrong holds nothing of the hash.
func parseHash(s string) (hash, error) {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(s, "$"), "$")
	if !ok || !strings.HasPrefix(s, "$") {
		return nil, errors.New("there is no hash that begins with $ (is it a password in plain text?)")
	}
	fields := strings.Split(rest, "$")
	switch kind {
	case "argon2id":
		return parseArgon(fields)
	case "scram-sha-256":
		return parseSCRAM(fields)
	case "7":
		return parsePBKDF2(fields)
	case "6":
		return parseSHA512(fields)
	}
	return nil, errors.New("the kind of hash is not known: want argon2id, scram-sha-256, 7 or 6")
}

// argon is an argon2id hash.
type argon struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func newArgon(password []byte) hash {
	a := &argon{memory: argonMemory, time: argonTime, threads: 1, salt: random(saltSize)}
	a.key = a.compute(password, keySize)
	return a
}

func parseArgon(fields []string) (hash, error) {
	a := &argon{}
	if len(fields) != 4 || fields[0] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, fmt.Errorf("argon2id wants v=%d, the costs, a salt and a key", argon2.Version)
	}
	_, err := fmt.Sscanf(fields[1], "m=%d,t=%d,p=%d", &a.memory, &a.time, &a.threads)
	if err != nil || fields[1] != a.costs() {
		return nil, errors.New("argon2id wants its costs as m=19456,t=2,p=1")
	}
	if a.threads < 1 || a.memory < 8*uint32(a.threads) || a.memory > maxArgonMemory || a.time < 1 || a.time > maxArgonTime {
		return nil, fmt.Errorf("the costs of argon2id are out of range: m is 8 times p to %d, t 1 to %d", maxArgonMemory, maxArgonTime)
	}
	a.salt, err = binary(base64.RawStdEncoding, fields[2], 8, 64)
	if err == nil {
		a.key, err = binary(base64.RawStdEncoding, fields[3], 16, 64)
	}
	return a, err
}

func (a *argon) compute(password []byte, size int) []byte {
	return argon2.IDKey(password, a.salt, a.time, a.memory, a.threads, uint32(size))
}

func (a *argon) matches(password []byte) bool { return equal(a.key, a.compute(password, len(a.key))) }

func (a *argon) costs() string { return fmt.Sprintf("m=%d,t=%d,p=%d", a.memory, a.time, a.threads) }

func (a *argon) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, a.costs(), b64(a.salt), b64(a.key))
}

// pbkdf is the hash of mosquitto_passwd 2.0.
type pbkdf struct {
	iterations int
	salt, key  []byte
}

func parsePBKDF2(fields []string) (hash, error) {
	if len(fields) != 3 {
		return nil, errors.New("$7$ wants iterations, a salt and a key")
	}
	p := &pbkdf{}
	var err error
	if p.iterations, err = count(fields[0]); err != nil {
		return nil, err
	}
	p.salt, err = binary(base64.StdEncoding, fields[1], 1, 64)
	if err == nil {
		p.key, err = binary(base64.StdEncoding, fields[2], sha512.Size, sha512.Size)
	}
	return p, err
}

func (p *pbkdf) matches(password []byte) bool {
	key, err := pbkdf2.Key(sha512.New, string(password), p.salt, p.iterations, len(p.key))
	return err == nil && equal(key, p.key)
}

func (p *pbkdf) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", p.iterations, b64(p.salt), b64(p.key))
}

// sha is the hash of mosquitto_passwd 1.6: a single SHA-512 of password and salt.
type sha struct{ salt, key []byte }

func parseSHA512(fields []string) (hash, error) {
	if len(fields) != 2 {
		return nil, errors.New("$6$ wants a salt and a key")
	}
	s := &sha{}
	var err error
	s.salt, err = binary(base64.StdEncoding, fields[0], 1, 64)
	if err == nil {
		s.key, err = binary(base64.StdEncoding, fields[1], sha512.Size, sha512.Size)
	}
	return s, err
}

func (s *sha) matches(password []byte) bool {
	sum := sha512.Sum512(append(bytes.Clone(password), s.salt...))
	return equal(sum[:], s.key)
}

func (s *sha) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$6$%s$%s", b64(s.salt), b64(s.key))
}

// verifier is what a Server keeps for SCRAM-SHA-256.
type verifier struct{ scram.StoredCredentials }

func newVerifier(password []byte) (hash, error) {
	return computeVerifier(password, scram.KeyFactors{Salt: string(random(saltSize)), Iters: scramIterations})
}

// computeVerifier fails if the password has characters that SASLprep forbids; the error does not tell which.
func computeVerifier(password []byte, f scram.KeyFactors) (*verifier, error) {
	c, err := scram.SHA256.NewClient("", string(password), "")
	if err != nil {
		return nil, errors.New("the password has characters that SCRAM does not allow, such as control characters")
	}
	stored, err := c.GetStoredCredentialsWithError(f)
	return &verifier{stored}, err
}

func parseSCRAM(fields []string) (hash, error) {
	iterations, ok := strings.CutPrefix(fields[0], "i=")
	if len(fields) != 4 || !ok {
		return nil, errors.New("scram-sha-256 wants i= and the iterations, a salt, a stored key and a server key")
	}
	v := &verifier{}
	var err error
	if v.Iters, err = count(iterations); err != nil {
		return nil, err
	}
	salt, err := binary(base64.StdEncoding, fields[1], 8, 64)
	v.Salt = string(salt)
	if err == nil {
		v.StoredKey, err = binary(base64.StdEncoding, fields[2], keySize, keySize)
	}
	if err == nil {
		v.ServerKey, err = binary(base64.StdEncoding, fields[3], keySize, keySize)
	}
	return v, err
}

func (v *verifier) matches(password []byte) bool {
	computed, err := computeVerifier(password, v.KeyFactors)
	return err == nil && equal(computed.StoredKey, v.StoredKey)
}

func (v *verifier) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$scram-sha-256$i=%d$%s$%s$%s", v.Iters, b64([]byte(v.Salt)), b64(v.StoredKey), b64(v.ServerKey))
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // does not fail
	return b
}

// binary decodes base64 of low to high bytes.
func binary(e *base64.Encoding, s string, low, high int) ([]byte, error) {
	b, err := e.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("a salt or key is not base64")
	}
	if len(b) < low || len(b) > high {
		return nil, fmt.Errorf("a salt or key has %d bytes: want %d to %d", len(b), low, high)
	}
	return b, nil
}

// count reads a number of iterations.
func count(s string) (n int, err error) {
	if _, err = fmt.Sscanf(s, "%d", &n); err != nil || fmt.Sprint(n) != s || n < 1 || n > maxIterations {
		return 0, fmt.Errorf("the number of iterations is not one of 1 to %d", maxIterations)
	}
	return n, nil
}
