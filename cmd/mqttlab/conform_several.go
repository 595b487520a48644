package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"mqttlab/netem/profile"
	"mqttlab/reports/html"
	"mqttlab/reports/model"
	"mqttlab/spec/suite"
	"mqttlab/spec/target"
)

// several judges one target after the other, each into a folder of its own, and puts them side by side. A target that
// cannot be reached does not keep the others from being judged; the exit code is the worst.
type several struct {
	*conformFlags
	cmd     *cobra.Command
	say     io.Writer
	radio   *profile.Profile
	records []*model.Record
	lines   []string // of the summary, one per target
	worst   int
}

// checkSeveral refuses what makes no sense for more than one target, before anything is started.
func (f *conformFlags) checkSeveral(targets []string) error {
	var errs []error
	for _, flag := range []struct {
		name  string
		given bool
	}{
		{"--json", f.json != ""},
		{"--junit", f.junit != ""},
		{"--known", f.known != ""},
		{"--baseline", f.baseline != ""},
		{"--write-known", f.writeKnown != ""},
		{"--pcap", f.pcap != ""},
		{"--exec, --image and --profile", f.launchFlags.given()},
	} {
		if flag.given {
			errs = append(errs, fmt.Errorf("%s: for one target; several are given, each of which may be exec:COMMAND, image:NAME or profile:NAME, and --out DIR keeps a record of each", flag.name))
		}
	}
	for _, name := range targets {
		l := f.launchFlags
		if l.name(name) {
			_, _, err := l.recipe()
			errs = append(errs, err)
		} else if name != target.Reference {
			_, err := target.Parse(name)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// judgeAll judges the targets and writes what they have in common.
func (s *several) judgeAll(targets []string, o suite.Options) error {
	folders := folderNames(targets)
	for i, name := range targets {
		fmt.Fprintf(s.say, "target %d of %d: %s\n", i+1, len(targets), name)
		record, err := s.one(name, folders[i], o)
		s.count(name, record, err)
		if s.worst == exitInterrupted {
			break
		}
	}
	written, err := s.sideBySide()
	for _, line := range s.lines {
		fmt.Fprintln(s.say, line)
	}
	for _, file := range written {
		fmt.Fprintln(s.say, "wrote", file)
	}
	if err == nil && onGitHub() && len(s.records) > 0 {
		err = tellGitHub(s.cmd.ErrOrStderr(), s.records, s.fails())
	}
	if err != nil {
		return exit(exitInternal, err)
	}
	return exitWith(s.cmd.Context(), s.worst)
}

// one judges one target.
func (s *several) one(name, folder string, o suite.Options) (*model.Record, error) {
	// The suite's runner takes over the signals and gives them back to nobody.
	ctx, stop := signal.NotifyContext(s.cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f := *s.conformFlags
	if f.out != "" {
		f.out = filepath.Join(f.out, folder)
	}
	f.html = "" // it is for the page with all
	record, err := f.judgeTarget(ctx, s.cmd, []string{name}, o, s.radio, s.say)
	if ctx.Err() != nil {
		err = exit(exitInterrupted, errors.New("interrupted"))
	}
	return record, err
}

// count adds a target to the summary.
func (s *several) count(name string, r *model.Record, err error) {
	code := exitOK
	if r != nil {
		s.records = append(s.records, r)
		code = conformVerdictCode(r)
		j := r.Summary.Judge()
		s.lines = append(s.lines, fmt.Sprintf("%s: %s: %s", name, strings.ToLower(j.Headline), j.Detail))
	}
	if err != nil {
		var e *exitError
		code = exitInternal
		if errors.As(err, &e) {
			code = e.code
		}
		annotateTrouble(s.cmd.ErrOrStderr(), err)
		fmt.Fprintf(s.cmd.ErrOrStderr(), "mqttlab: %s: %v\n", name, err)
		if r == nil {
			s.lines = append(s.lines, name+": not judged")
		}
	}
	if severity(code) > severity(s.worst) {
		s.worst = code
	}
}

// severity orders exit codes: what was not judged is worse than what was judged badly, and our own errors are worse than that.
func severity(code int) int {
	return slices.Index([]int{exitOK, exitNothing, exitFailed, exitUnreachable, exitUsage, exitInternal, exitInterrupted}, code)
}

// sideBySide writes the page with all targets.
func (s *several) sideBySide() ([]string, error) {
	file := s.html
	if file == "" && s.out != "" {
		file = filepath.Join(s.out, "brokers.html")
	}
	if file == "" || len(s.records) < 2 {
		return nil, nil
	}
	return []string{file}, writePage(file, func(w io.Writer) error { return html.Brokers(w, s.records) })
}

// fails are the checks that make the run fail, of all targets.
func (s *several) fails() []model.Check {
	var all []model.Check
	for _, r := range s.records {
		for _, c := range r.Checks {
			if !c.Verdict.Conformant() {
				c.Title = r.Target.Title() + ": " + c.Title
				all = append(all, c)
			}
		}
	}
	return all
}

var notInFolders = regexp.MustCompile(`[^A-Za-z0-9._]+`)

// folderNames makes a name for each target that is unique and fits any file system.
func folderNames(targets []string) []string {
	taken := map[string]bool{}
	names := make([]string, len(targets))
	for i, t := range targets {
		for _, prefix := range []string{"mqtt://", "exec:", "image:", "profile:"} {
			t = strings.TrimPrefix(t, prefix)
		}
		base := strings.Trim(notInFolders.ReplaceAllString(strings.TrimSuffix(t, ".yaml"), "-"), "-.")
		if len(base) > 60 {
			base = base[:60]
		}
		name := base
		for n := 2; name == "" || taken[strings.ToLower(name)]; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[strings.ToLower(name)] = true
		names[i] = name
	}
	return names
}

// name takes a target such as image:NAME for what it starts. It reports whether it is one.
func (l *launchFlags) name(target string) bool {
	for prefix, field := range map[string]*string{"exec:": &l.exec, "image:": &l.image, "profile:": &l.profile} {
		if rest, found := strings.CutPrefix(target, prefix); found {
			*field = rest
			return true
		}
	}
	return false
}

// judgeTarget opens a target, judges it, writes its reports and takes away what was started.
func (f *conformFlags) judgeTarget(ctx context.Context, cmd *cobra.Command, args []string, o suite.Options, radio *profile.Profile, say io.Writer) (*model.Record, error) {
	f.targets = args
	if len(args) == 1 && !f.launchFlags.given() && f.launchFlags.name(args[0]) {
		args = nil
	}
	t, err := openTarget(ctx, args, f, say)
	if err != nil {
		return nil, err
	}
	if err := f.between(t, radio, f.seed); err != nil {
		return nil, errors.Join(err, exit(exitInternal, t.close()))
	}
	o.Target, o.Transports = t.Target, t.over
	record, err := f.run(ctx, cmd, t, o)
	return record, errors.Join(err, t.radio.finish(nil), exit(exitInternal, t.close()))
}
