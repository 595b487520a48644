package launch

import (
	"fmt"
	"strings"
	"time"
)

// Trouble is why a broker could not be started.
type Trouble string

// The troubles told apart.
const (
	// NotFound: there is no such program or image.
	NotFound Trouble = "not found"
	// NoEngine: no container engine answers.
	NoEngine Trouble = "no container engine"
	// NotStarted: program or image are there, and starting fails.
	NotStarted Trouble = "not started"
	// Exited: it ran and ended before it served.
	Exited Trouble = "exited"
	// PortClosed: it runs, and nothing listens on the port.
	PortClosed Trouble = "port closed"
	// NotServing: the port is open, and no CONNECT is answered.
	NotServing Trouble = "not serving"
)

// Error tells why a broker could not be started: one line with what to do, and below it
// the last lines of its log.
type Error struct {
	Trouble Trouble
	// What is the command line or image.
	What string
	// After is how long it was waited for.
	After time.Duration
	// Detail is what was seen.
	Detail string
	// Log are the last lines that the broker wrote, oldest first.
	Log []string
	// Err is the cause, nil if there is none below.
	Err error
}

// Error is one line, and the log below it.
func (e *Error) Error() string {
	advice := map[Trouble]string{
		NotFound:   "check the name",
		NoEngine:   "start Docker, or give a command line with --exec",
		NotStarted: "try to start it by hand",
		Exited:     "it has to stay in the foreground and serve",
		PortClosed: "does its configuration listen on {host} and {port}?",
		NotServing: "does it want another protocol or credentials there, or more time (--start-timeout)?",
	}[e.Trouble]
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", e.What, e.Trouble, e.Detail)
	if e.After > 0 {
		fmt.Fprintf(&b, " after %v", e.After.Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "; %s", advice)
	if len(e.Log) > 0 {
		b.WriteString("\nits last lines:")
	}
	for _, line := range e.Log {
		b.WriteString("\n  " + line)
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }
