package ledger

import "mqttlab/reference-broker/mqtt"

// Terms are what the target has promised to a group's sink.
type terms struct {
	granted mqtt.QoS // of the subscription
	stands  bool
	broken  bool // the sink's session has ended since: the target may have forgotten what it owed
}

// Granted enters that the sink's subscription stands, and at which QoS.
func (b *Book) Granted(qos mqtt.QoS) {
	b.mu.Lock()
	b.terms.granted, b.terms.stands = qos, true
	b.mu.Unlock()
}

// SessionEnded enters that the sink came back to a target that did not know its session any more.
func (b *Book) SessionEnded() {
	b.mu.Lock()
	b.terms.broken = true
	b.mu.Unlock()
}

// Excuse enters that the session of a device ended with this message in its hands: it will be sent as a new one, and may arrive twice.
func (b *Book) Excuse(h Header) {
	b.mu.Lock()
	*b.fate(h) |= excused
	b.mu.Unlock()
}

// Broken counts the messages by which the target broke the promise of their QoS, the lesser of the group's and the subscription's, with sessions
// that did not end: at QoS 1 and 2 those that it acknowledged and that never arrived, at QoS 2 those that arrived more than once. why says why nothing can be
// judged; empty: it could.
func (b *Book) Broken() (lost, doubled int64, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	qos := min(mqtt.QoS(b.cfg.QoS), b.terms.granted)
	switch {
	case !b.terms.stands:
		return 0, 0, "the sink had no subscription"
	case b.terms.broken:
		return 0, 0, "the sink's session ended during the run"
	case qos == mqtt.AtMostOnce:
		return 0, 0, ""
	}
	for i := range b.devices {
		for _, f := range b.devices[i].fates {
			switch {
			case f&acknowledged != 0 && f&arrivedOnce == 0:
				lost++
			case qos == mqtt.ExactlyOnce && f&arrivedAgain != 0 && f&excused == 0:
				doubled++
			}
		}
	}
	return lost, doubled, ""
}
