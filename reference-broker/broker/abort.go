package broker

import "errors"

var errAborted = errors.New("the broker was aborted")

// Abort ends the broker as a crash would, for tests of what outlives one: connections are cut without a word, and what is not on disk yet will never
// be. [Broker.Close] comes after it. It needs a Store: without one everything is forgotten anyway.
func (b *Broker) Abort() {
	if b.hub.committer != nil {
		b.fail(errAborted)
	}
}
