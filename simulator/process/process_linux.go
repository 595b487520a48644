package process

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// proxies open the ports of containers in the name of a broker that runs elsewhere.
var proxies = []string{"docker-proxy", "rootlessport", "slirp4netns", "pasta", "conmon"}

// Listening returns the ids, ascending, of the processes that listen at a host:port of this machine: more than one, if
// workers share a socket or a port. Its error wraps [ErrUnknown], or says what is wrong with the address.
func Listening(address string) ([]int, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	at := addr.AddrPort()
	if !ours(at.Addr().Unmap()) {
		return nil, fmt.Errorf("%w: %s is not this machine", ErrUnknown, address)
	}
	var sockets []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		found, err := listeners(table, at)
		if err != nil && !os.IsNotExist(err) { // a machine without IPv6 has one table
			return nil, err
		}
		sockets = append(sockets, found...)
	}
	pids := owners(sockets)
	if len(pids) == 0 {
		return nil, fmt.Errorf("%w: nobody is seen to listen at %s", ErrUnknown, address)
	}
	for _, pid := range pids {
		if name := command(pid); slices.Contains(proxies, name) {
			return nil, fmt.Errorf("%w: %s listens at %s for a container", ErrUnknown, name, address)
		}
	}
	return pids, nil
}

// ours says whether an address is one of this machine's.
func ours(a netip.Addr) bool {
	if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() {
		return true
	}
	all, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(all, func(n net.Addr) bool {
		p, err := netip.ParsePrefix(n.String())
		return err == nil && p.Addr().Unmap() == a
	})
}

// stateListen is TCP_LISTEN as the kernel's table has it.
const stateListen = "0A"

// listeners returns the inodes of the sockets of a table that listen at an address, or at all.
func listeners(table string, at netip.AddrPort) ([]string, error) {
	f, err := os.Open(table)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var inodes []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != stateListen {
			continue
		}
		local, err := localAddress(fields[1])
		if err != nil || local.Port() != at.Port() {
			continue
		}
		if a := local.Addr(); a.IsUnspecified() || a == at.Addr().Unmap() || !at.Addr().IsValid() {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes, nil
}

// localAddress reads an address of the kernel's table: words in the machine's own byte order, and the port.
func localAddress(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	raw, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for word := raw; len(word) >= 4; word = word[4:] {
		binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
	}
	a, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", host)
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), nil
}

// owners returns the processes that hold one of the sockets open; those of other users are not seen.
func owners(inodes []string) []int {
	var pids []int
	all, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is right, which is all it can complain of
	for _, descriptor := range all {
		to, err := os.Readlink(descriptor)
		if err != nil {
			continue // it has been closed, or has ended
		}
		inode, found := strings.CutPrefix(to, "socket:[")
		if !found || !slices.Contains(inodes, strings.TrimSuffix(inode, "]")) {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(descriptor, "/")[2]); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// command is the name of a process; empty if it has ended.
func command(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// CPU returns the processor time, user and system, that the processes have used since each began. One that has ended is an error.
func CPU(pids ...int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		if pid < 1 {
			return 0, fmt.Errorf("there is no process %d", pid)
		}
		// The id of a process's clock, as clock_getcpuclockid(3) makes it: CPUCLOCK_SCHED of the whole thread group.
		var t unix.Timespec
		if err := unix.ClockGettime(int32(^pid)<<3|2, &t); err != nil {
			return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
		}
		sum += time.Duration(t.Nano())
	}
	return sum, nil
}
