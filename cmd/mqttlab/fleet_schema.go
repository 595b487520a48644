package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"mqttlab/simulator/scenario"
)

func newFleetSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `schema prints the JSON Schema of scenario files. An editor with a YAML language server
completes and checks keys with it when the first line of a scenario is

  # yaml-language-server: $schema=fleet.schema.json

What a schema can't say (two groups in each other's way, say) is for 'mqttlab fleet check'.`,
		Example: `  mqttlab fleet schema > fleet.schema.json
  mqttlab fleet schema | jq '.properties.groups.items.properties | keys'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return exit(exitInternal, e.Encode(scenario.FileSchema()))
		},
	}
}
