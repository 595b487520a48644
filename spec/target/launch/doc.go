// Package launch starts a broker to be judged, from a container image or as a process,
// and leaves nothing behind.
//
// A [Recipe] says what to start: a command line or an image, files, environment. [Start]
// writes the files, starts it and waits until it answers a CONNECT; an open port is not
// enough, as brokers open it long before they serve. The [Broker] it returns can be
// stopped, killed and restarted on the data it had, and gives a target whose Restart
// does so. [Broker.Close] ends it and removes what it left.
//
// # Placeholders
//
// Command lines, files and environment may hold {host} and {port}, where the broker
// has to listen; {dir}, a folder of its own that outlives restarts; {config}, the first
// file; and {NAME}, the file of that name. {port_tls}, {port_ws} and {port_wss} are for
// further listeners ([Recipe].Listeners). Other text in braces stays as it is, as
// configuration languages are full of it.
//
// # What is cleaned up, and when
//
// Close removes process, folder and container; the caller defers it, so that it also
// runs after Ctrl-C. If this program itself is killed, a guard does it: a shell that
// waits for the end of a pipe that only we hold. Containers also carry the labels
// mqttlab.host and mqttlab.pid, and [Start] first removes those whose owner is dead.
//
// # Design
//
// A process gets a process group of its own, and signals go to the group, as brokers
// are often started by scripts. Two ways to survive our own death were considered. The
// parent death signal of Linux lost: it reaches the direct child only, and is cleared
// when a broker started by root drops its privileges, as mosquitto does. Ryuk, the
// reaper of testcontainers, lost: it is an image of its own, which a machine without
// access to a registry does not have. What no guard reaches is a broker that makes
// itself a daemon; it counts as exited at once, and the error says to keep it in the
// foreground.
//
// The port of a process is chosen by the kernel and given back before the broker takes
// it; no broker accepts an open socket. A container's port is asked for anew after each
// start, as engines give a new one; therefore targets dial through [Broker.Dial].
package launch
