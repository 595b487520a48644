//go:build unix

package fleet

import (
	"fmt"
	"syscall"
)

// spareFiles are for everything but devices: standard streams, the record, pollers, and a second one for each connection that changes hands.
const spareFiles = 128

// checkOpenFiles reports a fleet that needs more open files than this process may have, before it shows as broken connections.
func checkOpenFiles(connections int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // no limit is known
	}
	if need := uint64(connections + spareFiles); need > uint64(limit.Cur) {
		return fmt.Errorf("the fleet needs %d open files and this process may have %d: raise it (ulimit -n %d) or use fewer devices", need, limit.Cur, need)
	}
	return nil
}
