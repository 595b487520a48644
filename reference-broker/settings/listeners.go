package settings

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"mqttlab/reference-broker/transport"
)

// listener returns the keys of one listener.
func (s *Settings) listener(l *Listener) []setting {
	return []setting{
		{"url", text(&l.URL), "the address"},
		{"certificate", s.file(&l.Chain), "as tls.certificate, for this listener"},
		{"key", s.file(&l.Key), "as tls.key, for this listener"},
		{"client_ca", s.file(&l.ClientCA), "as tls.client_ca, for this listener"},
	}
}

// listenerURLs is the value of listeners outside of files: it replaces those of the file.
func (s *Settings) listenerURLs() value {
	var urls []string
	v := words(&urls)
	set := v.set
	v.set = func(text string) error {
		err := set(text)
		s.Listeners = nil
		for _, u := range urls {
			s.Listeners = append(s.Listeners, Listener{URL: u})
		}
		return err
	}
	return v
}

// secure reports whether a listener does TLS.
func (l Listener) secure() bool {
	return strings.HasPrefix(l.URL, "mqtts:") || strings.HasPrefix(l.URL, "wss:")
}

// local reports whether no network can reach a listener.
func (l Listener) local() bool {
	network, address, err := transport.Address(l.URL)
	if err != nil || network == "unix" {
		return err == nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// displayed returns a URL without what may be secret in it.
func displayed(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the address"
	}
	return u.Redacted()
}
