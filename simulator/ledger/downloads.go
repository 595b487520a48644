package ledger

import (
	"sync"
	"time"

	"mqttlab/reports/latency"
	"mqttlab/reports/model"
)

// Downloads accounts for an image that a group's devices fetch. Any goroutine may use it.
type Downloads struct {
	mu    sync.Mutex // a leaf
	m     model.Downloads
	times *latency.Histogram
}

// NewDownloads returns an account for an image of so many chunks and bytes.
func NewDownloads(chunks, bytes int) *Downloads {
	return &Downloads{m: model.Downloads{Chunks: chunks, Bytes: int64(bytes)}, times: latency.NewHistogram()}
}

// Began enters a device that began.
func (d *Downloads) Began() {
	d.mu.Lock()
	d.m.Began++
	d.mu.Unlock()
}

// Chunk enters a chunk that arrived: fresh if the device did not have it, and intact if its bytes were those of the image.
func (d *Downloads) Chunk(bytes int, fresh, intact bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.m.ReceivedBytes += int64(bytes)
	switch {
	case !intact:
		d.m.Damaged++
	case !fresh:
		d.m.Copies++
	}
}

// Completed enters a device that has the whole image, and how long it took from its turn in the rollout.
func (d *Downloads) Completed(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.m.Completed++
	d.times.Record(took)
}

// UnderWay returns how many devices have begun and not finished.
func (d *Downloads) UnderWay() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.m.Began - d.m.Completed
}

// Model returns the form for a record.
func (d *Downloads) Model() (*model.Downloads, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.m
	var err error
	out.Times, err = d.times.Encode()
	return &out, err
}
