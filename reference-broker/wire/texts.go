package wire

import "hash/maphash"

// A sender repeats its Topic Names: the last texts seen are kept so that an equal one neither allocates nor is checked for UTF-8 again.
const (
	textSlots   = 256 // a power of two; one text each, the newest wins
	textLongest = 128 // bytes; longer ones are not kept, which bounds the memory of a decoder to 32 KiB of text
)

type texts struct {
	seed  maphash.Seed
	slots [textSlots]string
}

func newTexts() *texts { return &texts{seed: maphash.MakeSeed()} }

func (t *texts) slot(b []byte) *string { return &t.slots[maphash.Bytes(t.seed, b)%textSlots] }

// find returns the kept text equal to b.
func (t *texts) find(b []byte) (string, bool) {
	if len(b) > textLongest {
		return "", false
	}
	s := *t.slot(b)
	return s, s == string(b)
}

// keep returns b as a string and remembers it. b must be a valid UTF-8 Encoded String.
func (t *texts) keep(b []byte) string {
	s := string(b)
	if len(s) <= textLongest {
		*t.slot(b) = s
	}
	return s
}
