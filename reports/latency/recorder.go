package latency

import (
	"time"

	"mqttlab/reports/model"
)

// Recorder collects one distribution of one group of devices, in blocks. It is not safe for concurrent use.
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

// Latency returns the form for a record.
func (r *Recorder) Latency(m model.Measure, p model.Path) (model.Latency, error) {
	out := model.Latency{Measure: m, Path: p}
	total := NewHistogram()
	for _, b := range r.blocks {
		h, err := b.Encode()
		if err != nil {
			return model.Latency{}, err
		}
		out.Blocks = append(out.Blocks, h)
		total.Merge(b)
	}
	var err error
	out.Histogram, err = total.Encode()
	return out, err
}
