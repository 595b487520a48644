// Package settings reads the configuration of the broker program: a YAML file, the environment, and flags.
//
// The smallest useful file, and one that faces the Internet:
//
//	listeners: [mqtt://127.0.0.1:1883]
//
//	listeners:
//	  - mqtts://:8883
//	  - wss://:443/mqtt
//	tls: {certificate: cert.pem, key: key.pem}
//	access: {users: users, rules: rules.yaml}
//	limits: {maximum_connections: 50000, maximum_packet_size: 1MiB}
//
// Everything else has a default. [Settings.YAML] prints a file with all keys, what holds for each and what it means; reading that gives the same
// settings. [Load] takes the environment over the file, and flags over both: the key limits.queue_messages is MQTTLAB_BROKER_LIMITS_QUEUE_MESSAGES in
// the environment. Names of files in the YAML file are relative to its folder, elsewhere to the working directory.
//
// # Who may come in
//
// Where nothing is said, everyone is let in, but only if all listeners are on the loopback interface, Unix sockets, or demand a client certificate. A
// listener that a network can reach needs a password file, or the explicit word that it shall be open to all.
//
// # Design
//
// One table of keys serves the file, the environment, the flags and the printed configuration: each key has a setter from text, a getter and a
// line of documentation. Decoding YAML into structs with a library's strict mode lost: it stops at the first unknown key, has forgotten the
// lines when values are checked, and knows nothing of the environment. So the reader walks the syntax tree, as package simulator/scenario
// does; the two have little in common but the walk, and sharing it would tie the broker to the simulator.
//
// Negative names in broker.Config (NoRetain) exist so that its zero value is useful. A file has no zero values, so here features are on or off.
package settings
