package target

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Reference is the word that stands for the embedded reference broker.
const Reference = "reference"

// Parse reads what a user gave as target: an address (mqtt://host:port, the port
// defaults to 1883) or the name of a YAML file. The word "reference" is the caller's
// business, as this package knows no broker; so are other transports than TCP: for
// mqtts, ws, wss and mqtt+unix, Network is the scheme and Address the URL, and the
// caller sets a Dial that understands them.
func Parse(arg string) (*Target, error) {
	if strings.Contains(arg, "://") {
		t := &Target{}
		return t, t.setURL(arg)
	}
	if ext := filepath.Ext(arg); ext == ".yaml" || ext == ".yml" {
		return readFile(arg)
	}
	return nil, fmt.Errorf("target %q is neither an address such as mqtt://127.0.0.1:1883, nor %q, nor a .yaml file", arg, Reference)
}

func (t *Target) setURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("target %q: %w", s, err)
	}
	if !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("target %q: scheme %q is not supported; use one of %s", s, u.Scheme, strings.Join(schemes, ", "))
	}
	if u.Hostname() == "" && u.Scheme != "mqtt+unix" {
		return fmt.Errorf("target %q names no host; write %s://host:port", s, u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = "1883"
	}
	if u.User != nil {
		t.Settings.UserName = new(u.User.Username())
		if password, ok := u.User.Password(); ok {
			t.Settings.Password = &password
		}
		u.User = nil
	}
	t.URL = u.String()
	if t.Network, t.Address = u.Scheme, t.URL; u.Scheme == "mqtt" || u.Scheme == "tcp" {
		t.Network, t.Address = "tcp", net.JoinHostPort(u.Hostname(), port)
	}
	return nil
}

var schemes = []string{"mqtt", "tcp", "mqtts", "ws", "wss", "mqtt+unix"}

// file is the YAML form of a target.
type file struct {
	URL             string    `yaml:"url"`
	Listeners       []string  `yaml:"listeners"`
	Name            string    `yaml:"name"`
	Without         []Feature `yaml:"without"`
	Timings         timings   `yaml:"timings"`
	User            *string   `yaml:"user"`
	Password        *string   `yaml:"password"`
	ForbiddenTopic  string    `yaml:"forbidden-topic"`
	RefusedClientID string    `yaml:"refused-client-id"`
	Known           string    `yaml:"known"`
}

type timings struct {
	Answer time.Duration `yaml:"answer"`
	Settle time.Duration `yaml:"settle"`
	Slack  time.Duration `yaml:"slack"`
}

func readFile(name string) (*Target, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("target file: %w", err)
	}
	var f file
	if err := strict(name, data, &f); err != nil {
		return nil, err
	}
	t := &Target{Name: f.Name, Without: f.Without, Listeners: f.Listeners}
	var wrong []error
	if f.URL == "" {
		wrong = append(wrong, errors.New("url is missing"))
	} else if err := t.setURL(f.URL); err != nil {
		wrong = append(wrong, err)
	}
	taken := map[string]bool{t.Transport(): true}
	for _, address := range f.Listeners {
		over, err := t.At(address)
		if err == nil && taken[over.Transport()] {
			err = fmt.Errorf("listeners: %s is the second address for its transport", address)
		}
		taken[over.Transport()] = true
		wrong = append(wrong, err)
	}
	for _, w := range f.Without {
		if !slices.Contains(features, w) {
			wrong = append(wrong, fmt.Errorf("without: no feature %q; there are %v", w, features))
		}
	}
	if f.Known != "" {
		if !filepath.IsAbs(f.Known) {
			f.Known = filepath.Join(filepath.Dir(name), f.Known)
		}
		if t.Known, err = ReadKnown(f.Known); err != nil {
			wrong = append(wrong, err)
		}
	}
	if f.User != nil {
		t.Settings.UserName = f.User
	}
	if f.Password != nil {
		t.Settings.Password = f.Password
	}
	t.Settings.ForbiddenTopic, t.Settings.RefusedClientID = f.ForbiddenTopic, f.RefusedClientID
	t.Timings.Answer, t.Timings.Settle, t.Timings.Slack = f.Timings.Answer, f.Timings.Settle, f.Timings.Slack
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}
