package fleet

// What a seed is for, so that a network and a device of the same number draw different ones.
const (
	seedNetwork = iota + 1
	seedSensor
	seedSink
	seedLink
	seedFault
	seedController
)

// seedOf derives the seed of one part of a run: the finalizer of SplitMix64 over its number and its use.
func seedOf(seed, number, use uint64) uint64 {
	z := seed + (number<<3|use)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
