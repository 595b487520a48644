package main

import (
	"encoding/json"
	"errors"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// bom is a bill of materials in the form of CycloneDX 1.5 (https://cyclonedx.org).
type bom struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    bomMetadata `json:"metadata"`
	Components  []component `json:"components"`
}

type bomMetadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"` // package URL
}

func newSBOM() *cobra.Command {
	return &cobra.Command{
		Use:   "sbom",
		Short: "Print the modules this binary is made of, as CycloneDX",
		Example: `  mqttlab sbom > mqttlab.cdx.json
  mqttlab sbom | jq -r '.components[].purl'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return exit(exitInternal, errors.New("this binary was built without module information"))
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(materials(info))
		},
	}
}

// materials lists the modules that the linker took, and the standard library.
func materials(info *debug.BuildInfo) bom {
	b := bom{Format: "CycloneDX", SpecVersion: "1.5", Version: 1}
	b.Metadata.Component = component{Type: "application", Name: info.Main.Path, Version: version}
	b.Components = []component{module("std", info.GoVersion)}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Components = append(b.Components, module(m.Path, m.Version))
	}
	return b
}

func module(path, version string) component {
	return component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path + "@" + version}
}
