package transport

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// DefaultPort is the TCP port that IANA gives to MQTT; over TLS it is 8883, and the web has its own.
const DefaultPort = "1883"

// scheme says how the URLs of one transport are opened.
type scheme struct {
	network string // of package net
	port    string // if a URL has none
	secure  bool   // TLS
	web     bool   // WebSocket
}

func schemes() map[string]scheme {
	return map[string]scheme{
		"mqtt":      {network: "tcp", port: DefaultPort},
		"mqtts":     {network: "tcp", port: "8883", secure: true},
		"ws":        {network: "tcp", port: "80", web: true},
		"wss":       {network: "tcp", port: "443", secure: true, web: true},
		"mqtt+unix": {network: "unix"},
	}
}

// endpoint is a URL taken apart.
type endpoint struct {
	scheme
	url     *url.URL
	address string // for package net
}

// Address returns the network ("tcp" or "unix") and the address, with a port, that a URL stands for. The error tells what to write instead.
func Address(rawURL string) (network, address string, err error) {
	e, err := parse(rawURL)
	return e.network, e.address, err
}

func parse(rawURL string) (endpoint, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return endpoint{}, fmt.Errorf("not a URL such as mqtt://127.0.0.1:1883: %w", withoutURL(err))
	}
	s, ok := schemes()[u.Scheme]
	if !ok {
		return endpoint{}, fmt.Errorf("%q: the scheme must be one of %s, as in mqtt://127.0.0.1:1883", u.Redacted(), strings.Join(known(), ", "))
	}
	e := endpoint{scheme: s, url: u}
	if u.User != nil || u.RawQuery != "" && !s.web || u.Fragment != "" {
		return endpoint{}, fmt.Errorf("%q: only scheme, host, port and path are understood; leave the rest out", u.Redacted())
	}
	if s.network == "unix" {
		e.address, err = unixAddress(u)
	} else {
		e.address, err = tcpAddress(u, s)
	}
	if err != nil {
		return endpoint{}, fmt.Errorf("%q: %w", rawURL, err)
	}
	return e, nil
}

// withoutURL takes the URL out of an error of url.Parse: there may be a password in it.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func known() (names []string) {
	for name := range schemes() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func tcpAddress(u *url.URL, s scheme) (string, error) {
	if u.Path != "" && u.Path != "/" && !s.web {
		return "", fmt.Errorf("an address of %s has no path, %q must go", u.Scheme, u.Path)
	}
	port := u.Port()
	if port == "" {
		port = s.port
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

func unixAddress(u *url.URL) (string, error) {
	if u.Host != "" || u.Path == "" {
		return "", fmt.Errorf("write three slashes and an absolute path, as in mqtt+unix:///run/mqtt.sock")
	}
	return u.Path, nil
}
