package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// screen is where progress goes: a terminal with one line that is redrawn, or a plain log.
type screen struct {
	w        io.Writer
	terminal bool
	colours  bool
	drawn    bool // a line stands that redraw may overwrite
}

// newScreen looks at w once. NO_COLOR in the environment turns colours off (https://no-color.org).
func newScreen(w io.Writer, quiet bool) screen {
	if quiet {
		return screen{w: io.Discard}
	}
	f, ok := w.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	return screen{w: w, terminal: terminal, colours: terminal && os.Getenv("NO_COLOR") == ""}
}

// The colours, as numbers of the SGR sequence.
const (
	red    = 31
	yellow = 33
)

func (s *screen) colour(code int, text string) string {
	if !s.colours {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}

// line prints a line that stays.
func (s *screen) line(format string, args ...any) {
	s.end()
	fmt.Fprintf(s.w, format+"\n", args...)
}

// redraw replaces the line drawn last.
func (s *screen) redraw(text string) {
	fmt.Fprintf(s.w, "\r\x1b[K%s", text)
	s.drawn = true
}

// end takes the redrawn line away.
func (s *screen) end() {
	if s.drawn {
		fmt.Fprint(s.w, "\r\x1b[K")
		s.drawn = false
	}
}
