package settings

import (
	"fmt"
	"net"
	"path"

	"mqttlab/reference-broker/transport"
)

// check reports what no single value shows, and fills in what follows from others.
func (l *loader) check() {
	s := l.s
	c := &s.Broker.Server
	c.NoTopicAliases = c.TopicAliasMaximum == 0
	c.OutboundAliasesOff = c.MaximumOutboundAliases == 0
	l.checkListeners()
	l.checkAnonymous()
	if s.HTTP != "" {
		if _, _, err := net.SplitHostPort(s.HTTP); err != nil {
			l.wrongKey("http", "%q is no address such as 127.0.0.1:9090", s.HTTP)
		}
	}
	for _, o := range s.Origins {
		if _, err := path.Match(o, ""); err != nil {
			l.wrongKey("websocket.origins", "%q is neither a host name nor a pattern such as *.example.com", o)
		}
	}
	if n := c.MaximumClientID; n < 23 { // [MQTT5 3.1.3-5] [MQTT311 3.1.3-5]
		l.wrongKey("limits.maximum_client_id", "%d is too little: the standard allows clients 23", n)
	}
	if s.Broker.OutgoingLimit < s.Broker.SlowLimit {
		l.wrongKey("limits.outgoing_bytes", "%d is less than limits.slow_bytes, %d", s.Broker.OutgoingLimit, s.Broker.SlowLimit)
	}
	if c.Redirect.Permanent && c.Redirect.Reference == "" {
		l.wrongKey("redirect.permanent", "needs redirect.reference")
	}
	if len(l.mistakes) > 0 {
		return
	}
	// What is left is not expected: the table has the same bounds.
	if err := s.Broker.Validate(); err != nil {
		l.wrong(origin{name: "configuration"}, "%v", err)
	}
}

func (l *loader) checkListeners() {
	s := l.s
	if len(s.Listeners) == 0 {
		l.wrongKey("listeners", "none is given: nobody could connect")
	}
	seen := map[string]bool{}
	for i, ln := range s.Listeners {
		key := fmt.Sprintf("listeners[%d]", i)
		at, ok := l.origins[key]
		if whole := l.origins["listeners"]; !ok || whole.line == 0 {
			at = whole // a flag or variable has replaced those of the file
		}
		_, address, err := transport.Address(ln.URL)
		if err != nil {
			l.wrong(at, "%s: %v", key, err)
			continue
		}
		if _, port, err := net.SplitHostPort(address); err != nil || port != "0" {
			if seen[address] {
				l.wrong(at, "%s: %s is taken by another listener", key, address)
			}
			seen[address] = true
		}
		c := s.ServerTLS(ln)
		switch {
		case !ln.secure() && ln.Certificate != Certificate{}:
			l.wrong(at, "%s: %s does no TLS: use mqtts or wss, or leave the certificate out", key, displayed(ln.URL))
		case ln.secure() && (c.Chain == "" || c.Key == ""):
			l.wrong(at, "%s: %s needs a certificate and its key: set both, here or for all in tls.certificate and tls.key", key, displayed(ln.URL))
		}
	}
}

// checkAnonymous decides whether clients that name nobody are let in.
func (l *loader) checkAnonymous() {
	s := l.s
	s.Anonymous = s.anonymousBy == "true"
	if s.anonymousBy != auto || s.Users != "" {
		l.settle()
		return
	}
	for i, ln := range s.Listeners {
		if !ln.local() && s.ServerTLS(ln).ClientCA == "" {
			if _, _, err := transport.Address(ln.URL); err != nil {
				continue // said already
			}
			l.wrongKey("access.anonymous", "listeners[%d], %s, can be reached from a network, and nobody would need a password: give access.users, or say true here to let everyone in",
				i, displayed(ln.URL))
			return
		}
	}
	s.Anonymous = true
	l.settle()
}

// settle makes the decision the one that is printed.
func (l *loader) settle() { l.s.anonymousBy = fmt.Sprint(l.s.Anonymous) }
