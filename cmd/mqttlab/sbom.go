package main

import (
	"debug/buildinfo"
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
		Use:   "sbom [FILE]",
		Short: "Print the modules this binary is made of, as CycloneDX",
		Long: `sbom lists the modules this binary is made of, or FILE: a build of the same version for
another platform, which has other modules.`,
		Example: `  mqttlab sbom > mqttlab.cdx.json
  mqttlab sbom mqttlab_windows_amd64.exe | jq -r '.components[].purl'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, err := buildInfo(args)
			if err != nil {
				return err
			}
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(materials(info))
		},
	}
}

// buildInfo is what the linker wrote into the file named, or into this binary.
func buildInfo(args []string) (*debug.BuildInfo, error) {
	if len(args) > 0 {
		return buildinfo.ReadFile(args[0])
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, exit(exitInternal, errors.New("this binary was built without module information"))
	}
	return info, nil
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
