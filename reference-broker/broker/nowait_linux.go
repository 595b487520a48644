package broker

import (
	"syscall"
	"unsafe"
)

// The calls below never wait: the descriptors do not block, and the time-out is 0. So they are made without telling the scheduler of the
// runtime, who otherwise comes looking for processors that are stuck in the system: with two loops at work, its looking took a tenth of the
// broker's processor time.

// readNow reads what is there. Nothing there: EAGAIN. (recvfrom, for read goes through the layer of files first.)
func readNow(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	return int(n), errno
}

// writeNow writes what the socket takes.
func writeNow(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(
		syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// pollNow asks an epoll instance for what is ready.
func pollNow(fd int, events []syscall.EpollEvent) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	return int(n), errno
}
