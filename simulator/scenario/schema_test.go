package scenario

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// violations says what a JSON Schema validator would, for the keywords that Schema has.
func violations(s *Schema, v any, path string) []string {
	if len(s.AnyOf) > 0 {
		for _, option := range s.AnyOf {
			if len(violations(option, v, path)) == 0 {
				return nil
			}
		}
		return []string{path + ": none of anyOf"}
	}
	var out []string
	wrong := func(format string, args ...any) { out = append(out, path+": "+fmt.Sprintf(format, args...)) }
	if s.Enum != nil && !slices.Contains(s.Enum, v) {
		wrong("%v is not in %v", v, s.Enum)
	}
	switch v := v.(type) {
	case map[string]any:
		if s.Type != "object" {
			wrong("an object, want %s", s.Type)
			break
		}
		met := 0
		for _, option := range s.OneOf {
			if !slices.ContainsFunc(option.Required, func(key string) bool { _, ok := v[key]; return !ok }) {
				met++
			}
		}
		if s.OneOf != nil && met != 1 {
			wrong("%d of oneOf", met)
		}
		for _, key := range s.Required {
			if _, ok := v[key]; !ok {
				wrong("%s is missing", key)
			}
		}
		for key, value := range v {
			if p, ok := s.Properties[key]; ok {
				out = append(out, violations(p, value, path+"."+key)...)
			} else if !*s.AdditionalProperties {
				wrong("%s is unknown", key)
			}
		}
	case []any:
		if s.Type != "array" {
			wrong("an array, want %s", s.Type)
			break
		}
		for i, value := range v {
			out = append(out, violations(s.Items, value, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case string:
		if s.Type != "" && s.Type != "string" {
			wrong("%q, want %s", v, s.Type)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			wrong("%q does not match %s", v, s.Pattern)
		}
	case float64:
		low, _ := s.Minimum.Float64()
		high, _ := s.Maximum.Float64()
		if s.Type != "" && s.Type != "number" && s.Type != "integer" || s.Minimum != "" && v < low || s.Maximum != "" && v > high {
			wrong("%v, want %s from %v to %v", v, s.Type, s.Minimum, s.Maximum)
		}
	case bool:
		if s.Type != "boolean" {
			wrong("%v, want %s", v, s.Type)
		}
	}
	return out
}

// validate checks a file against the schema as an editor gets it: through JSON.
func validate(t *testing.T, text string) []string {
	t.Helper()
	encoded, err := json.Marshal(FileSchema())
	if err != nil {
		t.Fatal(err)
	}
	var s Schema
	if err := json.Unmarshal(encoded, &s); err != nil {
		t.Fatal(err)
	}
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return violations(&s, v, "")
}

func TestSchemaAcceptsWhatTheReaderAccepts(t *testing.T) {
	texts := map[string]string{"smallest": smallest, "full": full, "faulty": faulty, "loaded": loaded, "shared": sharedOut("devices: 10", "share: 0.7", "share: 30%")}
	for _, name := range Ready() {
		text, err := ready.ReadFile("ready/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for name, text := range texts {
		s, err := Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		resolved, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		for form, text := range map[string]string{"as written": text, "resolved": resolved} {
			if found := validate(t, text); found != nil {
				t.Errorf("%s, %s: the schema refuses what the reader takes:\n%s", name, form, strings.Join(found, "\n"))
			}
		}
	}
}

func TestSchemaRefusesWhatTheReaderRefuses(t *testing.T) {
	for change, want := range map[string]string{
		"duration: 2m -> duraton: 2m":         "duraton is unknown",
		"duration: 2m -> seed: 3":             "duration is missing",
		"duration: 2m -> duration: 2 min":     "does not match",
		"count: 1000 -> count: 0":             "from 1 to 1000000",
		"count: 1000 -> count: many":          "want integer",
		"count: 1000 -> qos: 1":               "0 of oneOf",
		"count: 1000 -> share: 30 %":          "none of anyOf",
		"interval: 10s -> share: 100%":        "2 of oneOf",
		"interval: 10s -> intervall: 10s":     "intervall is unknown",
		"name: soil -> link: nb-iott":         "none of anyOf",
		"name: soil -> version: 6":            "is not in",
		"name: soil -> clean_start: 3":        "want boolean",
		"name: soil -> link: {up: {dely: 1}}": "none of anyOf",
	} {
		from, to, _ := strings.Cut(change, " -> ")
		text := strings.Replace(smallest, from, to, 1)
		if _, err := Parse("f", []byte(text)); err == nil {
			t.Errorf("%s: the reader takes it", change)
		}
		if found := strings.Join(validate(t, text), "\n"); !strings.Contains(found, want) {
			t.Errorf("%s: found %q, want %q", change, found, want)
		}
	}
}

func TestSchemaTellsEditorsOfEveryKey(t *testing.T) {
	var walk func(path string, s *Schema)
	walk = func(path string, s *Schema) {
		for key, p := range s.Properties {
			if p.Description == "" {
				t.Errorf("%s.%s has no description", path, key)
			}
			walk(path+"."+key, p)
		}
		if s.Items != nil {
			walk(path+"[]", s.Items)
		}
		for _, option := range s.AnyOf {
			walk(path, option)
		}
	}
	s := FileSchema()
	walk("", s)
	g := s.Properties["groups"].Items
	if got := g.Properties["keep_alive"].Default; got != "1m" {
		t.Errorf("default of keep_alive is %v", got)
	}
	if got := s.Properties["ramp"].Default; got != nil {
		t.Errorf("ramp follows from the devices, but the schema says %v", got)
	}
}
