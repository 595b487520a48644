package latency

import (
	"time"

	"mqttlab/reports/model"
)

// Recorder collects one distribution of one group of devices, in blocks. It is not safe for concurrent use:
// each worker of a fleet has its own, and Merge adds them up in the end.
type Recorder struct {
	blocks []*Histogram
}

// NewRecorder returns a Recorder for a group of so many devices. Fewer than one counts as one.
func NewRecorder(devices int) *Recorder {
	r := &Recorder{blocks: make([]*Histogram, min(max(devices, 1), model.MaxBlocks))}
	for i := range r.blocks {
		r.blocks[i] = NewHistogram()
	}
	return r
}

// Record counts one span of a device, which is its index in its group, from zero.
func (r *Recorder) Record(device int, d time.Duration) {
	r.blocks[device%len(r.blocks)].Record(d)
}

// Merge adds what another recorder of the same group saw. Both must have been made for
// the same number of devices, or it panics: blocks would mix devices.
func (r *Recorder) Merge(from *Recorder) {
	if len(r.blocks) != len(from.blocks) {
		panic("latency: recorders of groups of different size merged")
	}
	for i, b := range from.blocks {
		r.blocks[i].Merge(b)
	}
}

// Total merges all blocks into a new histogram.
func (r *Recorder) Total() *Histogram {
	total := NewHistogram()
	for _, b := range r.blocks {
		total.Merge(b)
	}
	return total
}

// Latency returns the form for a record.
func (r *Recorder) Latency(m model.Measure, p model.Path) (model.Latency, error) {
	out := model.Latency{Measure: m, Path: p}
	var err error
	if out.Histogram, err = r.Total().Encode(); err != nil {
		return model.Latency{}, err
	}
	for _, b := range r.blocks {
		h, err := b.Encode()
		if err != nil {
			return model.Latency{}, err
		}
		out.Blocks = append(out.Blocks, h)
	}
	return out, nil
}
