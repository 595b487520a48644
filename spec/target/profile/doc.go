// Package profile says how each known broker is started so that it can be judged: image
// and tag, configuration, credentials, what it refuses, and what is known to fail.
//
// A [Profile] is a YAML file. Those in the folder brokers are built in ([Names],
// [Lookup]); a user's own file overrides one by its name ([Read]). [Profile.Recipe] is
// what package launch starts, [Profile.Apply] tells a target what was set up.
//
//	title: Eclipse Mosquitto
//	image: eclipse-mosquitto:2
//	exec: mosquitto -c {config}     # the same as a process
//	judged: "2.0.11, as a process"  # or "not run here"
//	port: 1883                      # where it listens in its container
//	dir: /mosquitto/data            # {dir} there
//	start-timeout: 30s
//	environment: {NAME: value}
//	command: [program, argument]    # instead of what the image runs
//	files:                          # the first is {config}
//	  - name: mosquitto.conf
//	    path: /mosquitto/config/mosquitto.conf
//	    text: |
//	      listener {port} {host}
//	listeners:                      # further transports, for --transport
//	  - url: ws://{host}:{port_ws}/mqtt
//	    config: |                   # added to {config} when it is wanted
//	      listener {port_ws} {host}
//	      protocol websockets
//	user: alice
//	password: secret
//	forbidden-topic: forbidden/topic
//	refused-client-id: bad
//	without: [shared]
//	known:                          # see package target
//	  - check: connect/*
//	    reason: https://example.org/issues/17
//
// The known failures of built-in profiles are files of their own, in the folder known.
//
// # Design
//
// A profile says in "judged" with which version it was run, and how. One that nobody
// could run says "not run here", and its list of known failures is empty: a list that was
// guessed would hide what it is for.
package profile
