// Package scenario reads the YAML files that describe fleets.
//
// A scenario is groups of like devices and a timetable:
//
//	|-- ramp --|-- settle --|-------- duration --------|-- drain --|
//	devices     connections  messages are due           nothing new is due; what is
//	connect     settle                                  under way may still arrive
//
// The smallest useful file:
//
//	name: meadow
//	duration: 2m
//	groups:
//	  - name: soil
//	    count: 1000
//	    interval: 10s
//	    qos: 1
//	    link: nb-iot
//
// A group is so many devices (count), or a part of the fleet (share: 30%, with the key devices at the top).
// It may sleep between messages or store and forward them (behaviour), say what sensors say (payload) when they would (arrival), obey commands,
// fetch firmware, and connect by TLS with credentials of its own. The scenario may change the rate of everything over time (stages), and let batteries, cables,
// cells and clocks fail (faults).
//
// Everything else has a default; Scenario.YAML prints a scenario with all of them written out, and reading that gives the same scenario. The fields of
// Scenario and Group document each key, which is the field's name in lower case with underscores.
//
// # Design
//
// Reading is strict, and all mistakes are reported at once, each with its line: a key that does not exist (with the nearest one that does), a
// value that is out of range, two groups that get in each other's way. Decoding into structs with a library's strict mode was tried and
// lost: it stops at the first unknown key, and has forgotten the lines when values are checked. So the decoder walks the syntax tree with
// one table of keys per mapping. The same table prints the resolved form and makes the JSON Schema for editors, so the three can't differ.
package scenario
