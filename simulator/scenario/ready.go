package scenario

import (
	"embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

//go:embed ready/*.yaml
var ready embed.FS

// Ready returns the names of the scenarios that ship with the program, sorted.
func Ready() []string {
	entries, err := ready.ReadDir("ready")
	if err != nil {
		panic(err) // embedded: cannot fail
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Load reads a scenario: the one of Ready with this name, or else the file at this path.
func Load(nameOrPath string) (*Scenario, error) {
	if slices.Contains(Ready(), nameOrPath) {
		text, err := ready.ReadFile(path.Join("ready", nameOrPath+".yaml"))
		if err != nil {
			return nil, err
		}
		return Parse(nameOrPath, text)
	}
	text, err := os.ReadFile(nameOrPath)
	if err != nil {
		if os.IsNotExist(err) && !strings.ContainsAny(nameOrPath, `/\.`) {
			return nil, fmt.Errorf("no scenario file and no ready scenario is called %q%s", nameOrPath, suggestion(nameOrPath, Ready()))
		}
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return Parse(nameOrPath, text)
}
