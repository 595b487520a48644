package stack

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openTUN makes a TUN device and sets it up. The name may end in %d, for which the
// system chooses a number.
func openTUN(name string, mtuBytes int) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: /dev/net/tun: %w", ErrNoTunnel, err)
	}
	if err := setUpTUN(fd, name, mtuBytes); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	// Not before: the poller of the runtime takes a device that is not set up for a
	// broken one.
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}

func setUpTUN(fd int, name string, mtuBytes int) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("the name of an interface has at most %d characters: %w", unix.IFNAMSIZ-1, err)
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return fmt.Errorf("%w: %w", ErrNoTunnel, err)
	}
	name = request.Name()
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	for _, step := range []struct {
		what    string
		request uint
		fill    func(*unix.Ifreq) error
	}{
		{"MTU", unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(uint32(mtuBytes)); return nil }},
		{"address", unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(tunnelHost[:]) }},
		{"netmask", unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr(tunnelMask[:]) }},
		{"up", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	} {
		r, err := unix.NewIfreq(name)
		if err == nil {
			err = step.fill(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(s, step.request, r)
		}
		if err != nil {
			return fmt.Errorf("set %s of %s: %w", step.what, name, err)
		}
	}
	// Without this the host drops what comes for a target on a loopback address.
	return os.WriteFile("/proc/sys/net/ipv4/conf/"+name+"/route_localnet", []byte("1"), 0)
}
