package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"mqttlab/netem/link"
	"mqttlab/netem/profile"
	"mqttlab/simulator/scenario"
)

func newLinkProfiles() *cobra.Command {
	var sources, asYAML bool
	cmd := &cobra.Command{
		Use:   "profiles [NAME | FILE.yaml]",
		Short: "List the radios with their figures, or one with its sources",
		Long: `profiles lists the radios with their figures, or one of them with its sources.
With --yaml it writes one out figure by figure: change what you like, and give the file wherever a radio is asked for.
A file may also hold what no radio here has: measured delays, four-state losses, slots, duty cycles, CoDel, power saving, traces.`,
		Example: `  mqttlab link profiles
  mqttlab link profiles nb-iot:bad
  mqttlab link profiles nb-iot --yaml > field.yaml  # then: mqttlab link --profile field.yaml --to 127.0.0.1:1883`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all := profile.All()
			if len(args) == 1 {
				p, err := lookupRadio(args[0])
				if err != nil {
					return err
				}
				all, sources = []profile.Profile{p}, true
			}
			if !asYAML {
				return exit(exitInternal, printProfiles(cmd.OutOrStdout(), all, sources))
			}
			if len(args) == 0 {
				return fmt.Errorf("--yaml writes out one radio: name it, such as 'mqttlab link profiles nb-iot --yaml'")
			}
			return exit(exitInternal, printRadio(cmd.OutOrStdout(), &all[0]))
		},
	}
	cmd.Flags().BoolVar(&sources, "sources", false, "say where the figures come from")
	cmd.Flags().BoolVar(&asYAML, "yaml", false, "write out one radio as a file that can be changed")
	return cmd
}

// printRadio writes a profile as YAML.
func printRadio(w io.Writer, p *profile.Profile) error {
	l := scenario.Link{Up: p.Up, Down: p.Down, MTUBytes: p.MTUBytes}
	text, err := l.YAML()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# %s: %s\n%s", p.Name, p.Summary, text)
	return err
}

func printProfiles(w io.Writer, all []profile.Profile, sources bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "radio\tway\tdelay\tjitter\tloss\trate\tqueue\tbesides")
	for _, p := range all {
		printDirection(table, p.Name, "up", &p.Up)
		printDirection(table, "", "down", &p.Down)
	}
	if err := table.Flush(); err != nil || !sources {
		return err
	}
	for _, p := range all {
		fmt.Fprintf(w, "\n%s: %s\n", p.Name, p.Summary)
		for _, s := range p.Sources {
			fmt.Fprintf(w, "  %s: %s\n", s.Figure, s.From)
		}
	}
	return nil
}

func printDirection(w io.Writer, name, way string, c *link.Config) {
	rate, queue := "no limit", "-"
	switch {
	case c.Slots.Interval > 0:
		slots := float64(max(1, len(c.Slots.Starts)))
		rate = fmt.Sprintf("%.5g kbit/s", 8*slots*float64(c.Slots.Bytes)/c.Slots.Interval.Seconds()/1000)
	case slices.ContainsFunc(c.Trace.Rows, func(r link.TraceRow) bool { return r.RateBitsPerSecond > 0 }):
		rate = "as traced"
	case c.RateBitsPerSecond > 0:
		rate = fmt.Sprintf("%.5g kbit/s", c.RateBitsPerSecond/1000)
	}
	if c.QueueBytes > 0 {
		queue = fmt.Sprintf("%d B", c.QueueBytes)
	}
	delay, jitter := c.MeanDelay()
	fmt.Fprintf(w, "%s\t%s\t%v\t%v\t%.2g %%\t%s\t%s\t%s\n", name, way, delay.Round(100*time.Microsecond), jitter.Round(100*time.Microsecond),
		100*c.MeanLossRatio(), rate, queue, strings.Join(besides(c), ", "))
}

// besides names what the columns do not show.
func besides(c *link.Config) (all []string) {
	add := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(c.LossBurstPackets > 0, "losses in bursts of %.3g", c.LossBurstPackets)
	add(c.FourState != link.FourState{}, "losses of four states")
	add(c.GilbertElliott.GoodToBad > 0, "losses in bursts of %.3g", c.GilbertElliott.MeanBurstPackets())
	add(c.FragmentBytes > 0, "fragments of %d B", c.FragmentBytes)
	add(c.Slots.Interval > 0, "%d slots of %d B every %v", max(1, len(c.Slots.Starts)), c.Slots.Bytes, c.Slots.Interval)
	add(c.DutyCycleRatio > 0, "%.3g %% of the time", 100*c.DutyCycleRatio)
	add(c.CoDel.Target > 0, "CoDel %v", c.CoDel.Target)
	add(c.Sleep.Interval > 0, "wakes up every %s", scenario.Span(c.Sleep.Interval))
	add(len(c.Trace.Rows) > 0, "a trace of %d rows", len(c.Trace.Rows))
	add(len(c.Outages) > 0, "%d outages", len(c.Outages))
	return all
}
