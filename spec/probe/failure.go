package probe

import (
	"fmt"
	"strings"
	"time"

	"mqttlab/spec/octets"
	"mqttlab/spec/statement"
)

// Failure is what a broker's developer needs in order to act.
type Failure struct {
	// Why is the expectation that did not come true.
	Why string
	// Statements are the ones broken, where that is narrower than what the check
	// covers; empty otherwise.
	Statements []statement.ID
	// Sent is the last thing sent before.
	Sent string
	// Acceptable lists what would have been right.
	Acceptable []string
	// Got is what came.
	Got string
	// Silent is set when the target did not answer at all, so that it may be dead.
	Silent bool
}

// String is the failure in a few lines.
func (f Failure) String() string {
	return fmt.Sprintf("%s\n  sent: %s\n  acceptable: %s\n  got: %s", f.Why, f.Sent, strings.Join(f.Acceptable, "; "), f.Got)
}

// EndKind is how a Network Connection ended.
type EndKind string

// The ways to end.
const (
	FIN     EndKind = "fin"      // closed by the target in the ordinary way
	RST     EndKind = "rst"      // reset by the target
	Local   EndKind = "local"    // closed by the check
	Garbage EndKind = "garbage"  // the target sent what cannot be read on
	Hung    EndKind = "hung"     // open, but the target does not answer PINGREQ on it
	Broken  EndKind = "io error" // anything else
)

// End is the end of a Network Connection.
type End struct {
	// Kind is how it ended, At when.
	Kind EndKind
	At   time.Time
	// Refusal is the packet that announced it: DISCONNECT, or CONNACK with a code
	// other than 0. Nil if there was none.
	Refusal *octets.Received
	// Err is the error of the connection for [Broken] and [Garbage].
	Err error
}

// ByTarget says whether the target ended the connection. FIN and RST both count.
func (e *End) ByTarget() bool { return e.Kind == FIN || e.Kind == RST }

// String tells the end in words.
func (e *End) String() string {
	s := map[EndKind]string{
		FIN: "closed by the target (FIN)", RST: "reset by the target (RST)", Local: "closed by the check",
		Garbage: "unreadable", Broken: "broken", Hung: "open, but PINGREQ is not answered",
	}[e.Kind]
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Refusal != nil {
		s = e.Refusal.String() + ", then " + s
	}
	return s
}
