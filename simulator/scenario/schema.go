package scenario

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Schema is a JSON Schema (draft-07, which editors know), as far as scenario files need it.
type Schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	Minimum     json.Number        `json:"minimum,omitempty"`
	Maximum     json.Number        `json:"maximum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Default     any                `json:"default,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	OneOf       []*Schema          `json:"oneOf,omitempty"` // of mappings: which of some keys is required
	// AdditionalProperties is false for mappings: a key that is not known is a mistake.
	AdditionalProperties *bool `json:"additionalProperties,omitempty"`

	note string // what a Pattern means, for the description
}

// FileSchema returns the JSON Schema of scenario files. It is made from the tables that read them.
func FileSchema() *Schema {
	s := begin().fields().schema()
	s.Schema, s.Title = "http://json-schema.org/draft-07/schema#", "mqttlab fleet scenario"
	return s
}

// schema describes a mapping.
func (f fields) schema() *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}, AdditionalProperties: new(bool)}
	for _, known := range f {
		v := known.schema()
		v.Description = strings.TrimSpace(known.doc + " " + v.note)
		switch {
		case known.instead != "":
			s.OneOf = []*Schema{{Required: []string{known.key}}, {Required: []string{known.instead}}}
		case known.missing != "":
			s.Required = append(s.Required, known.key)
		case v.Type != "object" && v.Type != "array" && !known.derived:
			if v.Default = known.value(); v.Default == "" {
				v.Default = nil
			}
		}
		s.Properties[known.key] = v
	}
	return s
}

// oneOf describes a choice. YAML reads a name such as 5.0 as a number, so that counts too.
func oneOf(names []string) *Schema {
	s := &Schema{}
	for _, name := range names {
		s.Enum = append(s.Enum, name)
		if v, err := strconv.ParseFloat(name, 64); err == nil {
			s.Enum = append(s.Enum, v)
		}
	}
	return s
}
