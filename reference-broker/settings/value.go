package settings

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"mqttlab/reference-broker/mqtt"
)

// setting is one key: how it is set from text, how it is printed, and what it means.
type setting struct {
	key string // sections and names with dots between
	value
	doc string
}

// value reads and prints.
type value struct {
	set  func(text string) error // the error says what is wanted
	get  func() string           // what set would read
	list bool                    // the file has a list, text has commas
}

// unlimited stands for a limit that is not wanted.
const unlimited = "unlimited"

// noLimit is what broker.Config.WithDefaults makes of none.
const noLimit = math.MaxInt

func text(dst *string) value {
	return value{set: func(s string) error { *dst = s; return nil }, get: func() string { return *dst }}
}

// file is the name of a file or folder.
func (s *Settings) file(dst *string) value {
	return value{get: func() string { return *dst }, set: func(name string) (err error) {
		if name == "" {
			*dst = ""
			return nil
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(s.base, name)
		}
		*dst, err = filepath.Abs(name)
		return err
	}}
}

// words is a list of texts.
func words(dst *[]string) value {
	return value{list: true, get: func() string { return strings.Join(*dst, ",") }, set: func(text string) error {
		*dst = nil
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word != "" {
				*dst = append(*dst, word)
			}
		}
		return nil
	}}
}

func boolean(dst *bool) value {
	return value{get: func() string { return strconv.FormatBool(*dst) }, set: func(s string) error {
		if s != "true" && s != "false" {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		*dst = s == "true"
		return nil
	}}
}

// not is for a field that says the opposite.
func not(dst *bool) value {
	return value{get: func() string { return strconv.FormatBool(!*dst) }, set: func(s string) error {
		var on bool
		err := boolean(&on).set(s)
		if err == nil {
			*dst = !on
		}
		return err
	}}
}

// whole is a number within bounds.
func whole[T ~int | ~uint8 | ~uint16 | ~uint32](dst *T, low, high uint64) value {
	return value{get: func() string { return strconv.FormatUint(uint64(*dst), 10) }, set: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a whole number from %d to %d", s, low, high)
		}
		*dst = T(n)
		return nil
	}}
}

// limit is a number of things from 1, or unlimited.
func limit(dst *int) value {
	v := whole(dst, 1, noLimit)
	get, set := v.get, v.set
	v.get = func() string {
		if *dst == noLimit {
			return unlimited
		}
		return get()
	}
	v.set = func(s string) error {
		if s == unlimited {
			*dst = noLimit
			return nil
		}
		if set(s) != nil {
			return fmt.Errorf("%q is neither a whole number from 1 nor %s", s, unlimited)
		}
		return nil
	}
	return v
}

// units of sizes, the largest first.
var units = []struct {
	name  string
	bytes uint64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// size is a number of bytes from 1, with a unit or without, or none, which dst holds as zero.
func size[T ~int | ~uint32](dst *T, none string, zero, most T) value {
	return value{
		get: func() string {
			if *dst == zero {
				return none
			}
			for _, u := range units {
				if n := uint64(*dst); n%u.bytes == 0 && u.name != "B" {
					return strconv.FormatUint(n/u.bytes, 10) + u.name
				}
			}
			return ""
		},
		set: func(s string) error {
			if s == none && none != "" {
				*dst = zero
				return nil
			}
			for _, u := range units {
				number, ok := strings.CutSuffix(s, u.name)
				if !ok {
					continue
				}
				n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 64)
				if err == nil && n > 0 && n <= uint64(most)/u.bytes {
					*dst = T(n * u.bytes)
					return nil
				}
				break
			}
			return fmt.Errorf("%q is no size up to %d bytes: want a whole number, and KiB, MiB or GiB perhaps%s", s, most, orNone(none))
		},
	}
}

func orNone(none string) string {
	if none == "" {
		return ""
	}
	return ", or " + none
}

func duration(dst *time.Duration, low, high time.Duration) value {
	return value{get: func() string { return short(*dst) }, set: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < low || d > high {
			return fmt.Errorf("%q is not a time from %s to %s, such as 500ms, 10s or 1h", s, short(low), short(high))
		}
		*dst = d
		return nil
	}}
}

// seconds is a time that MQTT counts in seconds, or none, which dst holds as zero.
func seconds(dst *uint32, none string, zero uint32) value {
	return value{
		get: func() string {
			if *dst == zero {
				return none
			}
			return short(time.Duration(*dst) * time.Second)
		},
		set: func(s string) error {
			if s == none {
				*dst = zero
				return nil
			}
			d, err := time.ParseDuration(s)
			if err != nil || d < time.Second || d >= math.MaxUint32*time.Second || d%time.Second != 0 {
				return fmt.Errorf("%q is neither %s nor a time in whole seconds from 1s, such as 90s or 24h", s, none)
			}
			*dst = uint32(d / time.Second)
			return nil
		},
	}
}

// keepAlive is a Keep Alive in seconds, or the client's own.
func keepAlive(dst *mqtt.Opt[uint16]) value {
	const clients = "client"
	return value{
		get: func() string {
			if !dst.Set {
				return clients
			}
			return short(time.Duration(dst.Value) * time.Second)
		},
		set: func(s string) error {
			d, err := time.ParseDuration(s)
			switch {
			case s == clients:
				*dst = mqtt.Opt[uint16]{}
			case err != nil || d < 0 || d > math.MaxUint16*time.Second || d%time.Second != 0:
				return fmt.Errorf("%q is neither %s nor a time in whole seconds up to 65535s; 0s turns Keep Alive off", s, clients)
			default:
				*dst = mqtt.Some(uint16(d / time.Second))
			}
			return nil
		},
	}
}

// choice is one of some names.
func choice[T comparable](dst *T, names []string, values ...T) value {
	return value{
		get: func() string { return names[slices.Index(values, *dst)] },
		set: func(s string) error {
			i := slices.Index(names, s)
			if i < 0 {
				return fmt.Errorf("%q is not one of %s", s, strings.Join(names, ", "))
			}
			*dst = values[i]
			return nil
		},
	}
}

// short prints a time without trailing zero units: "24h" for 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
