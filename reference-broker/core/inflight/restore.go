package inflight

// Restore puts back an exchange of an earlier process: m under the Packet Identifier id, which waits for PUBACK, PUBREC or PUBCOMP. Restore
// them in order of sending, those that wait for PUBCOMP in the order of the PUBRECs, and call Resume when a Network Connection finds the
// Session. It returns false if the identifier is 0 or in use, or the phase another one.
func (o *Outgoing[M]) Restore(id uint16, m M, p Phase) bool {
	if id == 0 || o.Phase(id) != Free || p == Free || p == AwaitReply {
		return false
	}
	for len(o.rows) < int(id) {
		o.rows = append(o.rows, row[M]{})
		o.push(&o.free, uint16(len(o.rows)))
	}
	o.unlink(&o.free, id)
	r := &o.rows[id-1]
	r.message, r.phase = m, p
	o.inUse++
	if p == AwaitPubcomp {
		o.push(&o.released, id)
	} else {
		o.push(&o.sent, id)
	}
	return true
}
