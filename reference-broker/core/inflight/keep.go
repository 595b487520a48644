package inflight

// ReceivedKeep is Received for an owner that needs its message until PUBCOMP, such as a Client that reports on it: the message stays in the
// row, and Finish returns it. m may be changed in place, say to let go of a payload; it is valid until the next call.
func (o *Outgoing[M]) ReceivedKeep(id uint16) (m *M, ok bool) {
	kept, ok := o.Received(id)
	if !ok {
		return nil, false
	}
	r := &o.rows[id-1]
	r.message = kept
	return &r.message, true
}

// Message returns the message of an unfinished exchange, nil if there is none with this identifier. It is valid until the next call.
func (o *Outgoing[M]) Message(id uint16) *M {
	switch o.Phase(id) {
	case AwaitPuback, AwaitPubrec, AwaitPubcomp:
		return &o.rows[id-1].message
	}
	return nil
}
