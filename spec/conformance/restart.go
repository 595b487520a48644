package conformance

import (
	"context"
	"fmt"
)

// Restart stops the target in good order and starts it again. All connections are gone
// then. The check needs [target.Restart] and is Exclusive.
func (t *T) Restart() { t.outage(t.target.Restart, "stopped and started") }

// Crash ends the target without notice, as a loss of power does, and starts it again. The
// check needs [target.Restart] and is Exclusive; it ends as unsupported where a target can be
// stopped in good order only.
func (t *T) Crash() { t.outage(t.target.Crash, "killed and started") }

func (t *T) outage(down func(context.Context) error, what string) {
	if down == nil {
		t.Unsupported("the target cannot be " + what)
	}
	if err := down(t.ctx); err != nil {
		t.Inconclusive(fmt.Sprintf("the target could not be %s: %v", what, err))
	}
	t.closeAll()
	if !t.returns(t.ctx) {
		t.Inconclusive("the target accepts no client after it was " + what)
	}
}
