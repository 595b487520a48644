package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"mqttlab/simulator/scenario"
	"mqttlab/spec/target"
	"mqttlab/spec/target/launch"
	"mqttlab/spec/target/profile"
)

// launchFlags say which broker conform starts for itself.
type launchFlags struct {
	exec, image, config, profile string
	environment                  []string
	port                         int
	startTimeout                 time.Duration
	listProfiles                 bool
}

func (l *launchFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&l.exec, "exec", "", "start this command line and judge it; {port} {host} {dir} {config} are filled in")
	fs.StringVar(&l.image, "image", "", "start this container image and judge it")
	fs.StringVar(&l.profile, "profile", "", "how to start a known broker: a name of --list-profiles or a YAML file")
	fs.StringVar(&l.config, "config-template", "", "file that becomes {config}, with placeholders filled in")
	fs.StringArrayVar(&l.environment, "env", nil, "environment of the broker, as NAME=VALUE; may repeat")
	fs.IntVar(&l.port, "port", 0, "where the broker listens in its container; 0 means that of the profile, or 1883")
	fs.DurationVar(&l.startTimeout, "start-timeout", 0, "longest time to wait until it serves; 0 means that of the profile, or 1m")
	fs.BoolVar(&l.listProfiles, "list-profiles", false, "list the known brokers and start nothing")
}

// given says whether the user wants a broker started.
func (l *launchFlags) given() bool { return l.exec != "" || l.image != "" || l.profile != "" }

// opened is a target, and what was started for it.
type opened struct {
	*target.Target
	over  []*target.Target // the target over each transport to be judged; the first is Target
	close func() error
	radio *radio // between checks and target; nil: none
	// log ends the broker and returns what it wrote; nil: there is none.
	log func(context.Context) ([]byte, error)
}

// openTarget makes a target of what the user named.
func openTarget(ctx context.Context, args []string, f *conformFlags, say io.Writer) (*opened, error) {
	l := &f.launchFlags
	name := append(args, target.Reference)[0]
	if err := f.transportFlags.check(name == target.Reference && !l.given()); err != nil {
		return nil, err
	}
	switch {
	case l.given() && len(args) > 0:
		return nil, fmt.Errorf("%s is a target, and a broker to start is another; give one of them", args[0])
	case l.given():
		return l.open(ctx, &f.transportFlags, say)
	case l.config != "" || len(l.environment) > 0 || l.port != 0:
		return nil, errors.New("--config-template, --env and --port go with --exec, --image or --profile")
	}
	if name == target.Reference {
		return openReference(ctx, &f.transportFlags)
	}
	t, err := target.Parse(name)
	if err != nil {
		return nil, err
	}
	d, err := f.dialer()
	if err != nil {
		return nil, err
	}
	over, err := f.connect(t, d)
	if err == nil {
		err = f.checkTLS(over)
	}
	if err != nil {
		return nil, err
	}
	return &opened{Target: over[0], over: over, close: func() error { return nil }}, nil
}

// openReference starts the embedded broker.
func openReference(ctx context.Context, f *transportFlags) (*opened, error) {
	names := f.names()
	if names == nil {
		names = []string{"tcp"}
	}
	if f.transport == allTransports {
		names = target.Transports
	}
	t, d, stop, err := startReference(ctx, names)
	if err != nil {
		return nil, err
	}
	over, err := f.connect(t, d)
	if err != nil {
		stop()
		return nil, exit(exitInternal, err)
	}
	return &opened{Target: over[0], over: over, close: func() error { stop(); return nil }}, nil
}

// open starts the broker.
func (l *launchFlags) open(ctx context.Context, f *transportFlags, say io.Writer) (*opened, error) {
	recipe, p, err := l.recipe()
	if err != nil {
		return nil, err
	}
	d, err := f.dialer()
	if err == nil {
		err = addListeners(&recipe, p, f, d)
	}
	if err != nil {
		return nil, err
	}
	began := time.Now()
	b, err := launch.Start(ctx, recipe)
	if err != nil {
		return nil, launchError(ctx, err)
	}
	t := b.Target()
	if p != nil {
		p.Apply(t)
		fmt.Fprintf(say, "profile %s (judged: %s)\n", p.Name, p.Judged)
		if l.profile == "" && len(p.Known) > 0 { // the image may be of another version
			fmt.Fprintf(say, "it lists %d known failures of that version, not excused here; --profile %s --image %s excuses them\n", len(p.Known), p.Name, l.image)
			t.Known = nil
		}
	}
	fmt.Fprintf(say, "started %s in %s\n", recipe.Exec+recipe.Image, scenario.Span(time.Since(began).Round(time.Millisecond)))
	d.Socket = b.Dial
	over, err := f.connect(t, d)
	if err != nil {
		return nil, errors.Join(err, exit(exitInternal, b.Close()))
	}
	return &opened{Target: over[0], over: over, close: b.Close, log: func(ctx context.Context) ([]byte, error) {
		err := b.Stop(ctx) // many write the end of their log when they end
		return b.Log(ctx), err
	}}, nil
}

// launchError gives the error of a start its exit code.
func launchError(ctx context.Context, err error) error {
	var trouble *launch.Error
	switch {
	case ctx.Err() != nil:
		return exit(exitInterrupted, errors.New("interrupted while the broker started"))
	case errors.As(err, &trouble):
		return exit(exitUnreachable, err)
	}
	return err
}

// recipe puts profile and flags together; flags win.
func (l *launchFlags) recipe() (launch.Recipe, *profile.Profile, error) {
	if l.exec != "" && l.image != "" {
		return launch.Recipe{}, nil, errors.New("--exec and --image are two brokers; give one of them")
	}
	p, err := l.lookup()
	if err != nil {
		return launch.Recipe{}, nil, err
	}
	var r launch.Recipe
	if p != nil {
		if l.image == "" && l.exec == "" && p.Image == "" {
			l.exec = p.Exec
		}
		r = p.Recipe(l.exec != "")
	}
	if l.exec != "" {
		r.Exec = l.exec
	} else if l.image != "" {
		r.Image = l.image
	}
	if l.port != 0 {
		r.Port = l.port
	}
	if l.startTimeout != 0 {
		r.StartTimeout = l.startTimeout
	}
	return r, p, errors.Join(l.addConfig(&r), l.addEnvironment(&r))
}

// lookup finds the profile: the one named, or the one made for the image.
func (l *launchFlags) lookup() (*profile.Profile, error) {
	switch ext := filepath.Ext(l.profile); {
	case l.profile == "" && l.image != "":
		return profile.ForImage(l.image), nil
	case l.profile == "":
		return nil, nil //nolint:nilnil // no profile is no mistake
	case ext == ".yaml" || ext == ".yml":
		return profile.Read(l.profile)
	}
	p, err := profile.Lookup(l.profile)
	if err != nil {
		return nil, fmt.Errorf("%w%s", err, didYouMean(l.profile, profile.Names()))
	}
	return p, nil
}

// addConfig puts the user's configuration in the place of the profile's, which is the
// first file; without a profile it is the only file.
func (l *launchFlags) addConfig(r *launch.Recipe) error {
	if l.config == "" {
		return nil
	}
	text, err := os.ReadFile(l.config)
	if err != nil {
		return fmt.Errorf("--config-template: %w", err)
	}
	if len(r.Files) == 0 {
		r.Files = []launch.File{{Name: "broker" + filepath.Ext(l.config)}}
	}
	r.Files[0].Text = string(text)
	return nil
}

func (l *launchFlags) addEnvironment(r *launch.Recipe) error {
	environment := map[string]string{}
	for name, value := range r.Environment {
		environment[name] = value
	}
	var wrong []error
	for _, given := range l.environment {
		name, value, found := strings.Cut(given, "=")
		if !found || name == "" {
			wrong = append(wrong, fmt.Errorf("--env %q: want NAME=VALUE", given))
		}
		environment[name] = value
	}
	r.Environment = environment
	return errors.Join(wrong...)
}

// listProfiles prints the known brokers.
func listProfiles(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tBROKER\tIMAGE\tPROCESS\tJUDGED")
	for _, name := range profile.Names() {
		p, err := profile.Lookup(name)
		if err != nil {
			return exit(exitInternal, err)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.Title, dash(p.Image), dash(p.Exec), p.Judged)
	}
	return table.Flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
