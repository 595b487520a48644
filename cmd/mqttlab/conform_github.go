package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"mqttlab/reports/markdown"
	"mqttlab/reports/model"
)

// githubErrors is how many errors GitHub shows for one step; it drops the others in
// silence (https://docs.github.com/actions, limits of annotations).
const githubErrors = 10

// onGitHub says whether this runs as a step of a GitHub workflow.
func onGitHub() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// tellGitHub writes annotations for what fails to w, where the runner reads commands, and
// appends to the summary of the step and its outputs.
func tellGitHub(w io.Writer, rs []*model.Record, fails []model.Check) error {
	annotate(w, fails)
	err := appendTo("GITHUB_STEP_SUMMARY", func(w io.Writer) error { return markdown.Write(w, rs...) })
	if err != nil {
		return err
	}
	return appendTo("GITHUB_OUTPUT", func(w io.Writer) error {
		passed := 0
		for _, r := range rs {
			passed += r.Summary[model.Pass]
		}
		_, err := fmt.Fprintf(w, "conformant=%t\nfailed=%d\npassed=%d\n", len(fails) == 0, len(fails), passed)
		return err
	})
}

// annotate writes one command per check, as many as are shown.
func annotate(w io.Writer, fails []model.Check) {
	for i, c := range fails {
		if i == githubErrors-1 && len(fails) > githubErrors {
			fmt.Fprintf(w, "::error title=mqttlab::%d more checks fail; see the summary of this step\n", len(fails)-i)
			return
		}
		fmt.Fprintf(w, "::error title=%s::%s\n",
			escapeProperty(fmt.Sprintf("%s %s/%s (MQTT %s)", c.Verdict, c.Area, c.Name, c.Version())),
			escapeData(fmt.Sprintf("%s: %s [%s]", c.Title, c.Reason, strings.Join(c.Statements, ", "))))
	}
}

// annotateTrouble says in a workflow why a target was not judged, such as a broker that does not start.
func annotateTrouble(w io.Writer, err error) {
	if onGitHub() {
		fmt.Fprintf(w, "::error title=mqttlab::%s\n", escapeData(err.Error()))
	}
}

// escapeData and escapeProperty are those of the runner: text of a target must not
// become a command.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}

// appendTo appends to the file that a variable of the environment names, if there is one.
func appendTo(variable string, write func(io.Writer) error) error {
	name := os.Getenv(variable)
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
