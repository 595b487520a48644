package launch

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// logKept is how much of a log is kept; of longer ones the end.
const logKept = 1 << 20

// tail is a writer that keeps the end of what was written. The zero value is ready; it
// is safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*logKept { // now and then, not at each write
		t.kept = slices.Clone(t.kept[len(t.kept)-logKept:])
	}
	return len(p), nil
}

// bytes is a copy of what is kept; a line that lost its beginning is left out.
func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.kept) <= logKept {
		return bytes.Clone(t.kept)
	}
	end := t.kept[len(t.kept)-logKept:]
	return bytes.Clone(end[bytes.IndexByte(end, '\n')+1:])
}

// lastLines are the last n lines of a log that are not empty.
func lastLines(log []byte, n int) []string {
	var lines []string
	for line := range strings.Lines(string(log)) {
		if line = strings.TrimRight(line, "\r\n\t "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-n):]
}
