package scenario

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// scalar returns the text of a scalar.
func (r *reader) scalar(n ast.Node, path, want string) (string, bool) {
	if _, ok := n.(ast.ScalarNode); !ok {
		r.wrong(n, path, "must be %s", want)
		return "", false
	}
	return n.GetToken().Value, true
}

func text[T ~string](dst *T) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			if s, ok := r.scalar(n, path, "a text"); ok {
				*dst = T(s)
				if literal, ok := n.(*ast.LiteralNode); ok {
					*dst = T(literal.Value.Value)
				}
			}
		},
		value:  func() any { return string(*dst) },
		schema: func() *Schema { return &Schema{Type: "string"} },
	}
}

func boolean(dst *bool) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			b, ok := n.(*ast.BoolNode)
			if !ok {
				r.wrong(n, path, "must be true or false")
				return
			}
			*dst = b.Value
		},
		value:  func() any { return *dst },
		schema: func() *Schema { return &Schema{Type: "boolean"} },
	}
}

func integer[T ~int | ~uint8 | ~uint16 | ~uint64](dst *T, low, high uint64) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			s, ok := r.scalar(n, path, "a whole number")
			if !ok {
				return
			}
			v, err := strconv.ParseUint(s, 10, 64)
			switch {
			case err != nil && !errors.Is(err, strconv.ErrRange):
				r.wrong(n, path, "%q is no whole number: want %d to %d", s, low, high)
			case err != nil || v < low || v > high:
				r.wrong(n, path, "%s is out of range: want %d to %d", s, low, high)
			default:
				*dst = T(v)
			}
		},
		value: func() any { return uint64(*dst) },
		schema: func() *Schema {
			return &Schema{Type: "integer", Minimum: json.Number(strconv.FormatUint(low, 10)), Maximum: json.Number(strconv.FormatUint(high, 10))}
		},
	}
}

func number(dst *float64, low, high float64) kind {
	format := func(v float64) json.Number { return json.Number(strconv.FormatFloat(v, 'g', -1, 64)) }
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			s, ok := r.scalar(n, path, "a number")
			if !ok {
				return
			}
			v, err := strconv.ParseFloat(s, 64)
			switch {
			case err != nil:
				r.wrong(n, path, "%q is no number: want %g to %g", s, low, high)
			case !(v >= low && v <= high):
				r.wrong(n, path, "%s is out of range: want %g to %g", s, low, high)
			default:
				*dst = v
			}
		},
		value:  func() any { return *dst },
		schema: func() *Schema { return &Schema{Type: "number", Minimum: format(low), Maximum: format(high)} },
	}
}

// durationPattern is what parseSpan takes, without a sign.
const durationPattern = `^(0|[0-9]+d|([0-9]+d)?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$`

func duration(dst *time.Duration, low, high time.Duration) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			s, ok := r.scalar(n, path, "a time such as 500ms, 10s, 5m or 24h")
			if !ok {
				return
			}
			v, err := parseSpan(s)
			switch {
			case err != nil:
				r.wrong(n, path, "%q is no time: want a number with a unit, such as 500ms, 10s, 5m or 24h", s)
			case v < low || v > high:
				r.wrong(n, path, "%s is out of range: want %s to %s", s, Span(low), Span(high))
			default:
				*dst = v
			}
		},
		value: func() any { return Span(*dst) },
		schema: func() *Schema {
			return &Schema{Type: "string", Pattern: durationPattern, note: "A time from " + Span(low) + " to " + Span(high) + ", such as 500ms, 10s or 24h."}
		},
	}
}

// choice reads one of some names as its value.
func choice[T ~uint8](dst *T, names []string, values ...T) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			s, ok := r.scalar(n, path, "one of "+strings.Join(names, ", "))
			if !ok {
				return
			}
			i := slices.Index(names, s)
			if i < 0 {
				r.wrong(n, path, "%q is not one of %s", s, strings.Join(names, ", "))
				return
			}
			*dst = values[i]
		},
		value:  func() any { return names[max(0, slices.Index(values, *dst))] },
		schema: func() *Schema { return oneOf(names) },
	}
}

// named reads one of some names as it is.
func named(dst *string, names []string) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			s, ok := r.scalar(n, path, "a name")
			if !ok {
				return
			}
			if !slices.Contains(names, s) {
				r.wrong(n, path, "there is no %q%s", s, suggestion(s, names))
				return
			}
			*dst = s
		},
		value:  func() any { return *dst },
		schema: func() *Schema { return oneOf(names) },
	}
}

// names reads a list of texts.
func names(dst *[]string) kind {
	return kind{
		read: func(r *reader, n ast.Node, path string) {
			nodes, ok := n.(*ast.SequenceNode)
			if !ok {
				r.wrong(n, path, "must be a list such as [a, b]")
				return
			}
			for i, v := range nodes.Values {
				at := path + "[" + strconv.Itoa(i) + "]"
				r.lines[at] = v.GetToken().Position.Line
				if s, ok := r.scalar(v, at, "a name"); ok {
					*dst = append(*dst, s)
				}
			}
		},
		value:  func() any { return *dst },
		schema: func() *Schema { return &Schema{Type: "array", Items: &Schema{Type: "string"}} },
	}
}

// day is what people call it, whatever clocks do in spring.
const day = 24 * time.Hour

// Span writes a time as people do, without trailing zero units and from two days on in days: "15m" for 15m0s, "7d12h" for 180h0m0s. A scenario may
// say it so.
func Span(d time.Duration) string {
	days := ""
	if d >= 2*day {
		days = strconv.Itoa(int(d/day)) + "d"
		if d %= day; d == 0 {
			return days
		}
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return days + s
}

// parseSpan reads what time.ParseDuration does, with whole days in front if wanted.
func parseSpan(s string) (time.Duration, error) {
	if days, rest, found := strings.Cut(s, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, err
		}
		s = strconv.FormatUint(24*n, 10) + "h" + rest
	}
	return time.ParseDuration(s)
}
