package broker

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync"
	"testing"

	"mqttlab/reference-broker/transport"
)

// What waits in many buffers leaves in the order in which it came, whoever adds while it is written.
func TestOutboxKeepsOrderOverManyBuffers(t *testing.T) {
	near, far := transport.Pipe()
	var wg sync.WaitGroup
	o := outbox{nc: far, pool: &pool{}, sum: &traffic{}, wg: &wg}
	const numbers = 200_000
	var sent []byte
	got := make(chan []byte)
	for n := range uint32(numbers) {
		sent = binary.BigEndian.AppendUint32(sent, n)
		o.unlock(binary.BigEndian.AppendUint32(o.lock(false), n), false)
		if n == numbers/4 || n == numbers/2 {
			o.flush()
		}
	}
	if waiting := len(o.full); waiting < 2 {
		t.Errorf("%d full buffers wait, the test wants several", waiting)
	}
	go func() {
		b, err := io.ReadAll(near)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	o.flush()
	wg.Wait()
	if n := o.backlog(); n != 0 {
		t.Errorf("%d bytes are said to wait when all were written", n)
	}
	far.Close()
	if !bytes.Equal(<-got, sent) {
		t.Error("the bytes that arrived are not the bytes that were sent, in their order")
	}
	near.Close()
}
