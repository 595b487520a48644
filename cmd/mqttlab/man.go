package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan is a command of its own, so that packagers need nothing but the binary. Cobra's
// generator lost: it brings a Markdown parser for the sake of one page.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Example: `  mqttlab man > mqttlab.1
  mqttlab man | man -l -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(manPage(cmd.Root()))
			return err
		},
	}
}

// manPage is one page with all commands, in the language of man(7).
func manPage(root *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n", strings.ToUpper(root.Name()), root.Name(), roff(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", root.Name(), roff(root.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\nCOMMAND [flags] [arguments]\n.SH DESCRIPTION\n%s\n.SH COMMANDS\n", root.Name(), roff(root.Long))
	manCommands(&b, root)
	return b.Bytes()
}

func manCommands(w io.Writer, parent *cobra.Command) {
	for _, c := range parent.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		fmt.Fprintf(w, ".SS \"%s\"\n", roff(c.UseLine()))
		about := c.Long
		if about == "" {
			about = c.Short + "."
		}
		fmt.Fprintf(w, "%s\n", roff(about))
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { manFlag(w, f) })
		if c.Example != "" {
			fmt.Fprintf(w, ".PP\nExamples:\n.PP\n.nf\n%s\n.fi\n", roff(c.Example))
		}
		manCommands(w, c)
	}
}

func manFlag(w io.Writer, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	kind, usage := pflag.UnquoteUsage(f)
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	fmt.Fprintf(w, ".TP\n\\fB%s\\fR", roff(name))
	if kind != "" {
		fmt.Fprintf(w, " \\fI%s\\fR", roff(kind))
	}
	fmt.Fprintf(w, "\n%s", roff(usage))
	if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
		fmt.Fprintf(w, " (default %s)", roff(f.DefValue))
	}
	fmt.Fprintln(w)
}

// roff escapes text: dashes that are to be copied, backslashes, and a dot or quote that
// begins a line and would be a request. An empty line becomes a paragraph.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		switch {
		case line == "":
			lines[i] = ".PP"
		case line[0] == '.' || line[0] == '\'':
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
