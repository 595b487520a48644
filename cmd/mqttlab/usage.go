package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError names the flags nearest to an unknown one.
func flagError(cmd *cobra.Command, err error) error {
	_, unknown, found := strings.Cut(err.Error(), "unknown flag: ")
	if !found {
		text := err.Error()
		if given, why, found := strings.Cut(text, "strconv."); found { // what Go parses numbers with is of no interest
			_, why, _ = strings.Cut(why, `": `)
			text = given + strings.Replace(why, "invalid syntax", "want a number", 1)
		}
		return fmt.Errorf("%s\nsee '%s --help'", text, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("unknown flag %s%s\nsee '%s --help'", unknown, didYouMean(unknown, names), cmd.CommandPath())
}

// sayUsage makes cmd and what is below it say how they are written where they get too few arguments or too many.
func sayUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil && !cmd.HasSubCommands() {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return fmt.Errorf("%w\nwrite %s\nsee '%s --help'", err, cmd.UseLine(), cmd.CommandPath())
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		sayUsage(c)
	}
}

// knownCommand refuses a command that does not exist and names those nearest to it.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("unknown command %q%s\nsee '%s --help'", args[0], didYouMean(args[0], names), cmd.CommandPath())
}

// helpFor prints the help of the command that args name.
func helpFor(cmd *cobra.Command, args []string) error {
	asked, rest, err := cmd.Root().Find(args)
	if err == nil {
		err = knownCommand(asked, rest)
	}
	if err != nil {
		return err
	}
	asked.InitDefaultHelpFlag() // else it is not among the flags
	return asked.Help()
}

// didYouMean returns ": did you mean a, b or c?" with the names nearest to got, or nothing if none is near.
func didYouMean(got string, names []string) string {
	distance := func(name string) int { return levenshtein.Distance(got, name, nil) }
	near := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return distance(name) > max(3, len(got)/2)
	})
	if len(near) == 0 {
		return ""
	}
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	near = near[:min(3, len(near))]
	if len(near) == 1 {
		return ": did you mean " + near[0] + "?"
	}
	last := len(near) - 1
	return ": did you mean " + strings.Join(near[:last], ", ") + " or " + near[last] + "?"
}
