package launch

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The time a broker may take where a recipe does not say.
const (
	// DefaultStartTimeout suits brokers on a Java or Erlang machine in a busy CI.
	DefaultStartTimeout = 60 * time.Second
	// FetchTimeout is how long an image may take to come from its registry.
	FetchTimeout = 10 * time.Minute
	// DefaultStopTimeout is the patience of `docker stop`.
	DefaultStopTimeout = 10 * time.Second
	// DefaultPort is where brokers in containers listen, if nothing else is said.
	DefaultPort = 1883
	// DefaultDir is {dir} in a container.
	DefaultDir = "/tmp"
)

// Recipe is what to start. Exactly one of Exec and Image is set.
type Recipe struct {
	// Exec is the command line of a process. Words are split as a shell does, quotes
	// included; nothing else of a shell is done.
	Exec string
	// Image is a container image, with tag or digest. The engine fetches it if absent.
	Image string
	// Command replaces what the image runs by default; nil keeps that. Container only.
	Command []string
	// Environment is added to what the image or this process has.
	Environment map[string]string
	// Files are there before the first start.
	Files []File
	// Port is where the broker listens in its container; zero means [DefaultPort].
	Port int
	// Listeners are where it serves besides: an address for each further transport, with
	// placeholders, as in ws://{host}:{port_ws}/mqtt.
	Listeners []string
	// Dir is {dir} in the container; empty means [DefaultDir].
	Dir string
	// UserName and Password are for the CONNECT that asks whether it serves; nil for none.
	UserName, Password *string
	// StartTimeout is the longest a start may take, fetching an image not included, for which there
	// is [FetchTimeout]; zero means [DefaultStartTimeout].
	StartTimeout time.Duration
	// StopTimeout is the time to end by itself before it is killed; zero means
	// [DefaultStopTimeout].
	StopTimeout time.Duration
	// Logger hears what is started, stopped and removed; nil is silent.
	Logger *slog.Logger
}

// File is a file that the broker reads.
type File struct {
	// Name is unique among the files; {Name} stands for where it lies.
	Name string
	// Path is where it lies in a container; empty means /etc/mqttlab/Name. A process finds
	// it in {dir}.
	Path string
	// Text is its content, with placeholders.
	Text string
}

// place is where files lie and the broker listens.
type place struct {
	host, dir string
	ports     []int // in the order of portNames
	path      func(File) string
}

// prepared is a copy of the recipe with defaults. The error lists every mistake.
func (r Recipe) prepared() (Recipe, error) {
	var wrong []error
	if (r.Exec == "") == (r.Image == "") {
		wrong = append(wrong, errors.New("give either a command line or an image"))
	}
	if r.Exec != "" && r.Command != nil {
		wrong = append(wrong, errors.New("a command for the image makes no sense with a command line"))
	}
	var names []string
	for _, f := range r.Files {
		if !fileName.MatchString(f.Name) {
			wrong = append(wrong, fmt.Errorf("file name %q: letters, digits, dots, dashes and underscores are allowed", f.Name))
		}
		if slices.Contains(names, f.Name) || slices.Contains(reservedNames, f.Name) {
			wrong = append(wrong, fmt.Errorf("file name %q is taken", f.Name))
		}
		names = append(names, f.Name)
	}
	if _, err := Words(r.Exec); err != nil {
		wrong = append(wrong, err)
	}
	for _, used := range placeholder.FindAllStringSubmatch(r.Exec, -1) {
		switch name := used[1]; {
		case name == "config" && len(r.Files) == 0:
			wrong = append(wrong, fmt.Errorf("%s names {config}, but there is no configuration file", r.Exec))
		case !slices.Contains(reservedNames, name) && !slices.Contains(names, name):
			wrong = append(wrong, fmt.Errorf("%s: nothing is known for {%s}; there are %v", r.Exec, name, append(reservedNames, names...)))
		}
	}
	if _, err := r.listeners(place{ports: make([]int, len(portNames)), path: func(f File) string { return f.Path }}); err != nil {
		wrong = append(wrong, err)
	}
	r.Port, r.Dir = or(r.Port, DefaultPort), or(r.Dir, DefaultDir)
	r.StartTimeout, r.StopTimeout = or(r.StartTimeout, DefaultStartTimeout), or(r.StopTimeout, DefaultStopTimeout)
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	return r, errors.Join(wrong...)
}

func or[T comparable](given, otherwise T) T {
	var zero T
	if given == zero {
		return otherwise
	}
	return given
}

var (
	portNames     = []string{"port", "port_tls", "port_ws", "port_wss"}
	reservedNames = append([]string{"host", "dir", "config"}, portNames...)
	fileName      = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	placeholder   = regexp.MustCompile(`\{([A-Za-z0-9._-]+)\}`)
)

// fill replaces the placeholders of a text; what is none of ours stays.
func (r Recipe) fill(text string, p place) string {
	known := map[string]string{"host": p.host, "dir": p.dir}
	for i, name := range portNames {
		known[name] = strconv.Itoa(p.ports[i])
	}
	for _, f := range r.Files {
		known[f.Name] = p.path(f)
	}
	if len(r.Files) > 0 {
		known["config"] = p.path(r.Files[0])
	}
	return placeholder.ReplaceAllStringFunc(text, func(s string) string {
		if value, ok := known[strings.Trim(s, "{}")]; ok {
			return value
		}
		return s
	})
}

// Names says whether anything in it has the placeholder {name}.
func (r Recipe) Names(name string) bool {
	texts := slices.Concat([]string{r.Exec}, r.Command, slices.Collect(maps.Values(r.Environment)))
	for _, f := range r.Files {
		texts = append(texts, f.Text)
	}
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "{"+name+"}") })
}

// listeners are the addresses of Listeners as seen from this machine, which knows them by the
// broker's own ports: see [Broker.Dial].
func (r Recipe) listeners(p place) ([]*url.URL, error) {
	p.host = "127.0.0.1"
	var all []*url.URL
	for _, text := range r.Listeners {
		u, err := url.Parse(r.fill(text, p))
		if err == nil && u.Host != "" && u.Port() == "" {
			err = errors.New("the port is missing")
		}
		if err != nil {
			return nil, fmt.Errorf("listener %s: %w", text, err)
		}
		if r.Image != "" && u.Host == "" {
			return nil, fmt.Errorf("listener %s: from outside of a container only ports are reached", text)
		}
		all = append(all, u)
	}
	return all, nil
}

// Words splits a command line as a shell does: blanks separate, quotes and backslashes
// keep together. There are no variables, patterns or pipes.
func Words(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		open  rune
		begun bool
	)
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && open != '\'':
			escaped, begun = true, true
		case c == open:
			open = 0
		case open != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			open, begun = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if begun {
				words, begun = append(words, word.String()), false
				word.Reset()
			}
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if open != 0 || escaped {
		return nil, fmt.Errorf("command line %q ends within a quote", line)
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}
