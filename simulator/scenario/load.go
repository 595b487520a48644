package scenario

import (
	"io"
	"time"

	"github.com/goccy/go-yaml/ast"

	"mqttlab/simulator/arrival"
	"mqttlab/simulator/payload"
)

// mostRate bounds the factor of a stage.
const mostRate = 1000

func defaultPayload() payload.Config {
	return payload.Config{Bytes: 64, Start: 20, Step: 0.1, High: 100, Mean: 20, Swing: 5, Noise: 0.2, Peak: 14 * time.Hour, Decimals: 2}
}

// of leaves a key out of the resolved form while another kind is chosen.
func of[T comparable](k kind, chosen *T, kinds ...T) kind {
	return k.unless(func() bool {
		for _, v := range kinds {
			if v == *chosen {
				return false
			}
		}
		return true
	})
}

func payloadKind(c *payload.Config) kind {
	const far = 1e9
	value := func(dst *float64, k payload.Kind) kind { return of(number(dst, -far, far), &c.Kind, k) }
	file := ""
	kinds := []payload.Kind{payload.Constant, payload.RandomWalk, payload.Diurnal, payload.CSV}
	return mapping(fields{
		{"kind", "How values come about.", choice(&c.Kind, payload.Kinds(), kinds...).required("constant, random-walk, diurnal or csv?")},
		{"template", `A JSON object with {value} (of csv: {column}), {time}, {sequence}, {group}, {index} and {number}. Default: {"value":{value}}, of csv all columns.`, text(&c.Template).unless(func() bool { return c.Template == "" })},
		{"decimals", "Of {value}.", integer(&c.Decimals, 0, 12).unless(func() bool { return c.Kind == payload.Constant || c.Kind == payload.CSV })},
		{"start", "Of random-walk: where it begins.", value(&c.Start, payload.RandomWalk)},
		{"step", "Of random-walk: standard deviation of a step.", value(&c.Step, payload.RandomWalk)},
		{"low", "Of random-walk: it goes no lower.", value(&c.Low, payload.RandomWalk)},
		{"high", "Of random-walk: it goes no higher.", value(&c.High, payload.RandomWalk)},
		{"mean", "Of diurnal.", value(&c.Mean, payload.Diurnal)},
		{"swing", "Of diurnal: how far it goes from the mean within a day.", value(&c.Swing, payload.Diurnal)},
		{"noise", "Of diurnal: standard deviation of each value.", value(&c.Noise, payload.Diurnal)},
		{"peak", "Of diurnal: when it is highest, from the start of the run.", of(duration(&c.Peak, 0, longest), &c.Kind, payload.Diurnal)},
		{"csv", "Of csv: the table, with a line of column names first.", of(text(&c.Table), &c.Kind, payload.CSV)},
		{"csv_file", "Of csv: the table in a file beside this one.", beside(&file)},
	}, func(r *reader, n ast.Node, path string) {
		if file != "" && c.Table != "" {
			r.wrong(n, path, "csv and csv_file exclude each other: choose one")
		} else if file != "" {
			load(r, n, path, file, func(f io.Reader) error {
				text, err := io.ReadAll(io.LimitReader(f, mostPayload))
				c.Table = string(text)
				return err
			})
		}
		if _, err := payload.New(*c); err != nil && !r.mentionsUnder(path) {
			r.wrong(n, path, "%v", err)
		}
	}).unless(func() bool { return c.Kind == payload.Constant })
}

func stage(s *arrival.Stage) fields {
	return fields{
		{"start", "From the first message.", duration(&s.Start, 0, longest).required("when does the rate begin to change?")},
		{"ramp", "How long the change takes, evenly.", duration(&s.Ramp, 0, longest)},
		{"rate", "The factor on all rates after it.", number(&s.Rate, 0, mostRate).required("by what factor?")},
	}
}

// checkLoad reports what no single value of a group's load shows.
func (g *Group) checkLoad(r *reader, path string) {
	given := func(key string) bool { return r.lines[path+"."+key] > 0 }
	p := &g.Pace
	for key, kind := range map[string]arrival.Kind{
		"burst": arrival.Burst, "burst_gap": arrival.Burst, "swing": arrival.Diurnal, "peak": arrival.Diurnal, "min_change": arrival.OnChange,
	} {
		if given(key) && p.Kind != kind {
			r.wrongAt(path+"."+key, "is of arrival %s only", kind)
		}
	}
	if p.Kind == arrival.Burst && time.Duration(p.Burst-1)*p.Gap >= p.Interval {
		r.wrongAt(path+".burst_gap", "%d messages %s apart do not fit into the interval of %s", p.Burst, Span(p.Gap), Span(p.Interval))
	}
	if p.Kind == arrival.OnChange && g.Payload.Kind == payload.Constant {
		r.wrongAt(path+".arrival", "on-change needs a payload whose value changes: give the key payload")
	}
	if g.Payload.Kind != payload.Constant && given("payload_bytes") {
		r.wrongAt(path+".payload_bytes", "is of constant payloads only: the key payload says how large others are")
	}
}

func (s *Scenario) checkStages(r *reader) {
	end := time.Duration(0)
	for i, stage := range s.Stages {
		at := r.item("stages", i)
		if stage.Start < end {
			r.wrongAt(at, "begins at %s, before the one above has ended at %s", Span(stage.Start), Span(end))
		}
		if stage.Start >= s.Duration && !r.mentions("duration") {
			r.wrongAt(at, "begins at %s, but messages are due for %s only", Span(stage.Start), Span(s.Duration))
		}
		end = stage.Start + stage.Ramp
	}
}
