package main

import (
	"os"
	"path/filepath"

	"mqttlab/netem/profile"
	"mqttlab/simulator/scenario"
)

// lookupRadio returns the radio that a flag names: one of the profiles, or a YAML file
// with the figures of a link.
func lookupRadio(name string) (profile.Profile, error) {
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return profile.Lookup(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return profile.Profile{}, err
	}
	l, err := scenario.ParseLink(name, text)
	if err != nil {
		return profile.Profile{}, err
	}
	return profile.Profile{Name: filepath.Base(name), Summary: "from " + name, Up: l.Up, Down: l.Down, MTUBytes: l.MTUBytes}, nil
}
