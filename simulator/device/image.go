package device

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"mqttlab/reference-broker/mqtt"
	"mqttlab/simulator/ledger"
)

// Image is a firmware that a group's devices download: one retained message per chunk, below one topic.
type Image struct {
	Run    uint32
	Topic  string // chunk k is on Topic/k
	Chunks int
	// Bytes of all chunks, headers included; ChunkBytes of each but the last.
	Bytes, ChunkBytes int
	QoS               mqtt.QoS
	Book              *ledger.Downloads
}

// ImageHeaderBytes is the size of what says which chunk it is.
const ImageHeaderBytes = 20

// imageMark begins every chunk.
const imageMark = 'M'<<24 | 'F'<<16 | 1<<8

// chunk returns the payload of chunk k:
//
//	 0  4  mark "MF", version 1, zero
//	 4  4  run
//	 8  4  number of the chunk
//	12  4  number of chunks
//	16  4  CRC-32 of the rest
//	20     the image
func (i *Image) chunk(k int) []byte {
	size := min(i.ChunkBytes, i.Bytes-k*i.ChunkBytes)
	p := make([]byte, max(size, ImageHeaderBytes))
	binary.BigEndian.PutUint32(p[0:], imageMark)
	binary.BigEndian.PutUint32(p[4:], i.Run)
	binary.BigEndian.PutUint32(p[8:], uint32(k))
	binary.BigEndian.PutUint32(p[12:], uint32(i.Chunks))
	body := p[ImageHeaderBytes:]
	for j := range body {
		body[j] = byte(k*31 + j*7)
	}
	binary.BigEndian.PutUint32(p[16:], crc32.ChecksumIEEE(body))
	return p
}

// parseChunk returns which chunk of the image a payload is. intact is false if its bytes are not what was published; ok if it is none.
func (i *Image) parseChunk(p []byte) (k int, intact, ok bool) {
	if len(p) < ImageHeaderBytes || binary.BigEndian.Uint32(p) != imageMark || binary.BigEndian.Uint32(p[4:]) != i.Run {
		return 0, false, false
	}
	k = int(binary.BigEndian.Uint32(p[8:]))
	if k >= i.Chunks {
		return 0, false, false
	}
	return k, crc32.ChecksumIEEE(p[ImageHeaderBytes:]) == binary.BigEndian.Uint32(p[16:]), true
}

// download is one device's copy of an Image on its way.
type download struct {
	image   *Image
	startAt time.Duration // by the device's clock, from the start of the run
	begun   bool
	have    []uint64 // a bit per chunk
	left    int
}

func newDownload(i *Image, startAt time.Duration) *download {
	return &download{image: i, startAt: startAt, have: make([]uint64, (i.Chunks+63)/64), left: i.Chunks}
}

func (w *download) underWay() bool { return w.begun && w.left > 0 }

func (w *download) due(local time.Duration) bool { return w.left > 0 && local >= w.startAt }

// add notes that a chunk is there; false: it was before.
func (w *download) add(k int) bool {
	word, bit := &w.have[k/64], uint64(1)<<(k%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	w.left--
	return true
}

// forget is a device without power: what it has not finished it begins again.
func (w *download) forget() {
	if w.left > 0 {
		clear(w.have)
		w.left = w.image.Chunks
	}
}

// fetch begins the download when it is time. It returns when it wants to be called again.
func (d *Sensor) fetch(now time.Time) time.Time {
	w := d.image
	if w == nil || w.left == 0 || w.begun {
		return time.Time{}
	}
	if local := now.Sub(d.common.Start); local < w.startAt {
		return d.common.Start.Add(w.startAt)
	}
	if d.state == ledger.Connected {
		w.begun = true
		d.ears[forImage].wanted = true
		w.image.Book.Began()
	}
	return time.Time{}
}

// received takes a chunk.
func (d *Sensor) gotChunk(now time.Time, payload []byte) {
	w := d.image
	if w == nil {
		return
	}
	k, intact, ok := w.image.parseChunk(payload)
	if !ok {
		return
	}
	fresh := intact && w.add(k)
	w.image.Book.Chunk(len(payload), fresh, intact)
	if fresh && w.left == 0 {
		d.ears[forImage].wanted = false
		w.image.Book.Completed(d.since(now) - d.clock.truth(w.startAt))
	}
}
