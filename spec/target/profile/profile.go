package profile

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"mqttlab/spec/target"
	"mqttlab/spec/target/launch"
)

//go:embed brokers/*.yaml
var brokers embed.FS

//go:embed known/*.yaml
var known embed.FS

// NotRun is what Judged says of a broker that could not be run where the profile was made.
const NotRun = "not run here"

// Profile is how one broker is started, and what is known of it.
type Profile struct {
	// Name is the file's name without its extension.
	Name string `yaml:"-"`
	// Title is for people.
	Title string `yaml:"title"`
	// Image is the container image with its tag, Exec the command line of a process. A
	// profile has one of them or both.
	Image string `yaml:"image"`
	Exec  string `yaml:"exec"`
	// Judged says with which version this profile was run, or [NotRun].
	Judged string `yaml:"judged"`
	// Command, Environment, Port, Dir and StartTimeout are those of [launch.Recipe].
	Command      []string          `yaml:"command"`
	Environment  map[string]string `yaml:"environment"`
	Port         int               `yaml:"port"`
	Dir          string            `yaml:"dir"`
	StartTimeout time.Duration     `yaml:"start-timeout"`
	// Files are written before the first start; the first is {config}.
	Files []File `yaml:"files"`
	// Listeners are further transports that it can be judged over.
	Listeners []Listener `yaml:"listeners"`
	// What was set up; see [target.Settings].
	User            *string `yaml:"user"`
	Password        *string `yaml:"password"`
	ForbiddenTopic  string  `yaml:"forbidden-topic"`
	RefusedClientID string  `yaml:"refused-client-id"`
	// Without are features not to be tested.
	Without []target.Feature `yaml:"without"`
	// Known are failures with their reasons.
	Known []target.Known `yaml:"known"`
}

// File is a file of a profile; see [launch.File].
type File struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"`
	Text string `yaml:"text"`
}

// Listener is a further transport of a broker.
type Listener struct {
	// URL is its address, with placeholders; see [launch.Recipe].Listeners.
	URL string `yaml:"url"`
	// Config is added to the first file when the transport is wanted: builds of the broker that
	// lack it can still be started without.
	Config string `yaml:"config"`
}

// Names are the built-in profiles, sorted.
func Names() []string {
	files, err := fs.Glob(brokers, "brokers/*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	slices.Sort(files)
	return files
}

// Lookup returns a built-in profile.
func Lookup(name string) (*Profile, error) {
	data, err := brokers.ReadFile("brokers/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no profile %q; there are %s", name, strings.Join(Names(), ", "))
	}
	p, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	file := "known/" + name + ".yaml"
	list, err := known.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		p.Known, err = target.ParseKnown(file, list)
	}
	return p, err
}

// Read reads a profile from a file.
func Read(file string) (*Profile, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	p, err := parse(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// ForImage returns the built-in profile for an image whose registry, tag and digest may
// differ, nil if there is none. Its known failures are those of the version that was
// judged, which may be another.
func ForImage(image string) *Profile {
	for _, name := range Names() {
		if p, err := Lookup(name); err == nil && p.Image != "" && repository(p.Image) == repository(image) {
			return p
		}
	}
	return nil
}

// repository is an image without registry, tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	first, rest, found := strings.Cut(image, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost") {
		image = rest
	}
	image, _, _ = strings.Cut(image, ":")
	return strings.TrimPrefix(image, "library/")
}

// parse decodes a profile. The error lists every mistake, but for those that YAML has.
func parse(name string, data []byte) (*Profile, error) {
	p := &Profile{Name: name}
	if err := yaml.UnmarshalWithOptions(data, p, yaml.Strict()); err != nil {
		return nil, err
	}
	var wrong []error
	if p.Title == "" {
		wrong = append(wrong, errors.New("title is missing"))
	}
	if p.Image == "" && p.Exec == "" {
		wrong = append(wrong, errors.New("image or exec is missing"))
	}
	if p.Judged == "" {
		wrong = append(wrong, fmt.Errorf("judged is missing; it says with which version this was run, or %q", NotRun))
	}
	for _, w := range p.Without {
		if !slices.Contains(target.Features(), w) {
			wrong = append(wrong, fmt.Errorf("without: no feature %q; there are %v", w, target.Features()))
		}
	}
	for _, l := range p.Listeners {
		if l.URL == "" || l.Config != "" && len(p.Files) == 0 {
			wrong = append(wrong, fmt.Errorf("listeners: %q needs a url, and a file that its config can be added to", l.URL))
		}
	}
	for i, k := range p.Known {
		if k.Check == "" || k.Reason == "" {
			wrong = append(wrong, fmt.Errorf("known: entry %d (%s) needs a check and a reason", i+1, k.Check))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("profile %s: %w", name, err)
	}
	return p, nil
}

// Recipe is how the broker is started in a container, or as a process.
func (p *Profile) Recipe(asProcess bool) launch.Recipe {
	r := launch.Recipe{
		Environment: p.Environment, Port: p.Port, Dir: p.Dir, StartTimeout: p.StartTimeout,
		UserName: p.User, Password: p.Password,
	}
	if asProcess {
		r.Exec = p.Exec
	} else {
		r.Image, r.Command = p.Image, p.Command
	}
	for _, f := range p.Files {
		r.Files = append(r.Files, launch.File{Name: f.Name, Path: f.Path, Text: f.Text})
	}
	return r
}

// Apply tells a target what this profile has set up.
func (p *Profile) Apply(t *target.Target) {
	t.Name = p.Title
	t.Without, t.Known = p.Without, p.Known
	t.Settings = target.Settings{
		UserName: p.User, Password: p.Password, ForbiddenTopic: p.ForbiddenTopic, RefusedClientID: p.RefusedClientID,
	}
}
